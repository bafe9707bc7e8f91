"""Every query of the dashboard, of the rules and of the runbook against a real Prometheus that scraped the running service.

Each one parses and has a result, and each metric, label and label value that it selects by is in the scrape: a name that was
misspelt, or renamed in the service, selects nothing, and no parser notices. installation.py starts everything.
"""

import re
import sys
import time

from installation import ROOT, Installation, panels, without_variables

RUNBOOK = ROOT / "docs/runbook.md"

WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\[[^\]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|[0-9][0-9a-zA-Z_.]*|=~|!~|!=|[^\s]')

# Values that this machine can't bring about within seconds: a delivery is given up after a day.
RARE = {("deliveries_total", "result", "dropped")}

# Labels that a platform adds, and no scrape on this machine has.
PLATFORM_LABELS = {"namespace"}


def selectors(expression):
    """The metrics that an expression selects, each with its matchers; and the labels by which it groups."""
    tokens = TOKEN.findall(expression)
    found, groups, at = [], set(), 0
    while at < len(tokens):
        token, following = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else ""
        at += 1
        if not re.match(r"[a-zA-Z_:]", token) or token in WORDS:
            continue
        if token in GROUPING:
            end = tokens.index(")", at)
            groups.update(name for name in tokens[at + 1 : end] if name != ",")
            at = end + 1
        elif following == "{":
            end = tokens.index("}", at)
            inner = tokens[at + 1 : end]
            matchers = [tuple(inner[i : i + 3]) for i in range(0, len(inner), 4)]
            found.append((token, [(label, operator, value.strip('"')) for label, operator, value in matchers]))
            at = end + 1
        elif following not in ("(", "by", "without"):
            found.append((token, []))
    return found, groups


def is_known(running, metric, label, value):
    """Whether a label can have a value that was not seen. The reasons of refusals are problems, of which the service has pages."""
    if (metric, label) == ("requests_refused_total", "reason"):
        return running.get(f"/problems/{value}")[0] == 200
    return (metric, label, value) in RARE


def mistakes(running, expression):
    """What is wrong with an expression, as far as the scraped series tell."""
    wrong, known_labels = [], set()
    found, groups = selectors(expression)
    for metric, matchers in found:
        series = running.prometheus_api("series", **{"match[]": metric})
        if not series:
            wrong.append(f"no series {metric}")
        labels = {label for one in series for label in one}
        known_labels |= labels
        for label, operator, value in matchers:
            if label not in labels and label not in PLATFORM_LABELS:
                wrong.append(f"{metric} has no label {label}")
            elif operator == "=" and not (any(one.get(label) == value for one in series) or is_known(running, metric, label, value)):
                wrong.append(f"{metric} has no {label}={value!r}; it has {sorted({one.get(label, '') for one in series})}")
            elif operator == "=~" and not any(re.fullmatch(value.replace("\\\\", "\\"), one.get(label, "")) for one in series):
                wrong.append(f"{metric} has no {label} like {value!r}; it has {sorted({one.get(label, '') for one in series})}")
    return wrong + [f"no metric here has the label {label}" for label in sorted(groups - known_labels - PLATFORM_LABELS) if found]


def runbook_queries():
    """The lines of the runbook's blocks of PromQL."""
    blocks = re.findall(r"```promql\n(.*?)```", RUNBOOK.read_text(), re.S)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def check(running):
    failures, checked = [], 0
    for panel in panels():
        for target in panel["targets"]:
            expression = without_variables(target["expr"])
            place = f"dashboard, {panel['title']}: {expression}"
            checked += 1
            try:
                result = running.query(expression)
            except ValueError as error:
                failures.append(f"{place}: {error}")
                continue
            wrong = mistakes(running, expression)
            failures += [f"{place}: {one}" for one in wrong]
            if not result and not wrong:
                failures.append(f"{place}: no result")
            legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            missing = legend - {label for one in result for label in one["metric"]}
            failures += [f"{place}: the legend names {label}, which no result has" for label in sorted(missing) if result]
    for rule in running.rules():
        checked += 1
        place = f"rule {rule['name']}: {rule['query']}"
        if rule["health"] != "ok":
            failures.append(f"{place}: {rule.get('lastError')}")
        failures += [f"{place}: {one}" for one in mistakes(running, rule["query"])]
    for expression in runbook_queries():
        checked += 1
        try:
            running.query(expression)
            failures += [f"{RUNBOOK.name}: {expression}: {one}" for one in mistakes(running, expression)]
        except ValueError as error:
            failures.append(f"{RUNBOOK.name}: {expression}: {error}")
    print(f"{checked} queries of the dashboard, of the rules and of the runbook were checked")
    return failures


def checker_finds_what_is_wrong(running):
    """The checker itself: it must find a wrong metric, label, value and grouping, and nothing else."""
    assert mistakes(running, 'sum by (state) (rate(purchase_orders_settled_total{state="created"}[5m]))') == []
    for expression in ("purchase_orders_parkt", 'purchase_orders_parked{stat="x"}', 'purchase_orders_settled_total{state="createt"}',
                       'requests_refused_total{reason="nonsense"}', 'sum by (status) (purchase_orders_parked)', 'up{job=~"nobody.*"}'):
        assert len(mistakes(running, expression)) == 1, expression


def main():
    with Installation() as running:
        running.drive(20)
        # The last carts are scraped, and the rules have seen them.
        time.sleep(3)
        checker_finds_what_is_wrong(running)
        failures = check(running)
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

"""Settings go through the chart as they are: those of config.example.toml, and every shape that TOML has.

`values EXAMPLE RESULT` writes values with every key of the example; `same VALUES RENDER` compares them with the rendered config.toml.
"""

import re
import sys

import tomli
import yaml

# Secrets, which the chart takes by reference alone, and the addresses that its Service expects.
LEFT_OUT = ["server.listen", "server.management_listen", "target.oauth2.client_secret", "auth.introspection.client_secret", "ledger.url_file",
            "alerts.sap_alert_notification.client_secret", "alerts.pagerduty.routing_key", "alerts.pagerduty.routing_key_file", "alerts.smtp.password", "alerts.smtp.url_file",
            "alerts.webhook.secret", "telemetry.cloud_alm.client_secret", "telemetry.otlp_headers"]
# Shapes that no key of the example has.
SHAPES = {
    "auth": {
        "audience": ["one", "another"],
        "issuers": [
            {"issuer": "https://two.example.com", "audience": "two", "leeway": "5s", "introspection": {"max_concurrency": 7}},
            {"issuer": "not a URL", "jwks_url": "https://three.example.com/jwks", "audience_rule": "client"},
        ],
    },
    "outbound": {"proxy": "http://proxy:8080", "no_proxy": ["127.0.0.1", ".svc"]},
    "alerts": {"smtp": {"url": "smtps://mail.example.com", "to": ["a@example.com"]}, "cool_down": 1.5, "quiet": True},
    "target": {"create": {"headers": {"X-Tenant": "a \"b\" ü {{ no template }}"}, "success_statuses": [200, 201]}, "oauth2": {"parameters": {"resource": "urn:x"}}},
}


def example(text):
    lines = [line[1:] if re.match(r"#(\[|[a-z_]+ = )", line) else line for line in text.splitlines()]
    return tomli.loads("\n".join(lines))


def merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


if sys.argv[1] == "values":
    config = example(open(sys.argv[2]).read())
    keys = sum(1 for line in open(sys.argv[2]) if re.match(r"#?[a-z_]+ = ", line))
    assert keys > 80, f"{keys} keys: the example can't be read"
    for key in LEFT_OUT:
        *sections, name = key.split(".")
        at = config
        for section in sections:
            at = at[section]
        del at[name]
    merge(config, SHAPES)
    config["server"]["drain"] = "1m"
    # Paths in the pod.
    config["mapping"]["directory"] = "/mapping"
    config["ledger"]["url"] = "sqlite:/var/lib/purchase-order-webhook/orders.db"
    values = {"config": config, "secrets": {"settings": [
        {"setting": "alerts.pagerduty.routing_key", "secretName": "my-alerts", "key": "routing-key"}]}}
    yaml.safe_dump(values, open(sys.argv[3], "w"), allow_unicode=True)
else:
    config = yaml.safe_load(open(sys.argv[2]))["config"]
    objects = [o for o in yaml.safe_load_all(open(sys.argv[3])) if o and "config.toml" in o.get("data", {})]
    rendered = tomli.loads(objects[0]["data"]["config.toml"])

    def differences(given, found, path):
        if isinstance(given, dict) and isinstance(found, dict):
            for key in sorted(given.keys() | found.keys()):
                yield from differences(given.get(key), found.get(key), f"{path}.{key}")
        elif isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
            for index, pair in enumerate(zip(given, found)):
                yield from differences(*pair, f"{path}[{index}]")
        # A whole float and an integer are one number to the service.
        elif given != found or isinstance(given, bool) != isinstance(found, bool):
            yield f"{path}: {given!r} became {found!r}"

    assert not (found := list(differences(config, rendered, "config"))), "\n".join(found)

//! What an operator reads is complete: docs/runbook.md has every alert, docs/operations.md every warning and error of the log,
//! tests/prometheus a case for each rule that fires and one that does not; and what the program embeds is in its image.

use std::collections::BTreeSet;

use crate::logs::log_messages;
use crate::texts::{Text, repository};
use crate::{Finding, assert_none, lines};

const RUNBOOK: &str = "docs/runbook.md";
const OPERATIONS: &str = "docs/operations.md";
const RULES: &str = "helm/purchase-order-webhook/rules/purchase-order-webhook.yaml";
const CASES: &str = "tests/prometheus/rules.yaml";

/// The service's own alerts.
const ALERTS: [&str; 7] = [
    "order-parked",
    "target-unavailable",
    "target-token-unavailable",
    "issuer-unavailable",
    "mapping-refused",
    "ledger-unavailable",
    "certificate-expiring",
];

fn file<'t>(files: &'t [Text], path: &str) -> &'t Text {
    files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is missing"))
}

/// What follows a beginning in each line that has it, and the line.
fn behind<'t>(file: &'t Text, start: &'t str) -> impl Iterator<Item = (usize, &'t str)> {
    let lines = file.text.lines().enumerate();
    lines.filter_map(move |(at, line)| Some((at + 1, line.trim_start_matches([' ', '-']).strip_prefix(start)?.trim())))
}

/// Headings of the runbook that name no alert, alerts without one, and links of rules that lead elsewhere.
fn runbook_gaps(runbook: &Text, rules: &Text) -> Vec<Finding> {
    let named: BTreeSet<&str> = behind(rules, "alert:").map(|(_, name)| name).chain(ALERTS).collect();
    let headings: Vec<(usize, &str)> = behind(runbook, "## ").collect();
    let strange = headings.iter().filter(|(_, name)| !named.contains(name));
    let strange = strange.map(|(line, name)| Finding::new(&runbook.path, *line, format!("no alert is called {name}")));
    let count = |name: &str| headings.iter().filter(|(_, heading)| *heading == name).count();
    let missing = named.iter().filter(|name| count(name) != 1);
    let missing = missing.map(|name| Finding::new(&runbook.path, 1, format!("{name} has {} headings", count(name))));
    let (mut links, mut name) = (Vec::new(), "");
    for (at, line) in rules.text.lines().enumerate() {
        let line = line.trim_start_matches([' ', '-']);
        if let Some(alert) = line.strip_prefix("alert:") {
            name = alert.trim();
        } else if let Some(link) = line.strip_prefix("runbook_url:") {
            let expected = format!("\"{RUNBOOK}#{}\"", name.to_lowercase());
            if link.trim() != expected {
                links.push(Finding::new(&rules.path, at + 1, format!("expected the link {expected}")));
            }
        }
    }
    strange.chain(missing).chain(links).collect()
}

/// What each alerting rule has to say, beside its expression.
fn silent_rules(rules: &Text) -> Vec<Finding> {
    let parts: Vec<&str> = rules.text.split("- alert: ").skip(1).collect();
    let lacks = |rule: &&str| {
        ["severity: ", "summary: ", "description: ", "runbook_url: "].into_iter().find(|part| !rule.contains(part))
    };
    let silent = parts.iter().filter_map(|rule| Some((rule.lines().next()?, lacks(rule)?)));
    silent.map(|(name, part)| Finding::new(&rules.path, 1, format!("{name} has no {part}"))).collect()
}

/// Rules without a case in which they fire with their labels, or without one in which nothing fires.
fn untested_rules(rules: &Text, cases: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules.text.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap().trim();
        let labels = rule.split("labels: {").nth(1).unwrap().split('}').next().unwrap();
        let labels: Vec<&str> = labels.split(',').map(str::trim).collect();
        let checks: Vec<&str> = cases
            .text
            .split("eval_time: ")
            .skip(1)
            .filter(|check| check.split("alertname: ").nth(1).is_some_and(|rest| is_word(rest, name)))
            .collect();
        let fires = checks.iter().flat_map(|check| check.split("exp_labels: {").skip(1)).any(|expected| {
            let expected: Vec<&str> = expected.split('}').next().unwrap().split(',').map(str::trim).collect();
            labels.iter().all(|label| expected.contains(label))
        });
        let is_quiet = checks.iter().any(|check| check.contains("exp_alerts: []"));
        for (is_there, what) in [(fires, "fires"), (is_quiet, "does not fire")] {
            if !is_there {
                let text = format!("{name} ({}) has no case in which it {what}", labels.join(", "));
                findings.push(Finding::new(&cases.path, 1, text));
            }
        }
    }
    findings
}

fn is_word(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Warnings and errors of the source without a row such as ``| WARN | `message` | … |``, and rows that nothing logs.
fn log_table_gaps(files: &[Text], page: &Text) -> Vec<Finding> {
    let rows: Vec<(usize, &str, &str)> =
        page.text.lines().enumerate().filter_map(|(at, line)| row(at + 1, line)).collect();
    let mut findings = Vec::new();
    let mut logged = BTreeSet::new();
    let is_source = |file: &&Text| file.path.starts_with("src/") && file.is_rust() && !file.path.ends_with("tests.rs");
    for file in files.iter().filter(is_source) {
        let code = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (line, level, message) in log_messages(&Text::new(&file.path, code)) {
            let level = level.to_uppercase();
            if !rows.iter().any(|(_, of_row, text)| *of_row == level && *text == message) {
                let text = format!("{} has no row for {level} {message}", page.path);
                findings.push(Finding::new(&file.path, line, text));
            }
            logged.insert((level, message));
        }
    }
    let stale = rows.iter().filter(|(_, level, text)| !logged.contains(&((*level).to_owned(), (*text).to_owned())));
    findings.extend(stale.map(|(line, _, text)| Finding::new(&page.path, *line, format!("nothing logs {text}"))));
    findings
}

fn row(number: usize, line: &str) -> Option<(usize, &str, &str)> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let level = cells.next().filter(|level| matches!(*level, "WARN" | "ERROR"))?;
    Some((number, level, cells.next()?.strip_prefix('`')?.strip_suffix('`')?))
}

/// Files outside of `src/` that the program embeds, and that the image's build does not copy.
fn files_missing_in_the_image(files: &[Text]) -> Vec<Finding> {
    let (dockerfile, ignored) = (&file(files, "Dockerfile").text, &file(files, ".dockerignore").text);
    let mut findings = Vec::new();
    for source in files.iter().filter(|file| file.path.starts_with("src/") && !file.path.ends_with("tests.rs")) {
        let code = source.text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (at, _) in code.match_indices("include_str!(\"") {
            let name = code[at..].split('"').nth(1).unwrap();
            let outside = name.trim_start_matches("../");
            let depth = source.path.matches('/').count();
            if name.matches("../").count() < depth {
                continue;
            }
            let top = outside.split('/').next().unwrap();
            let is_copied = dockerfile.lines().any(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some("COPY") && words.any(|word| word == "." || word == top || word == outside)
            });
            let is_sent =
                ignored.lines().any(|line| line.strip_prefix('!').is_some_and(|name| name == top || name == outside));
            if !is_copied || !is_sent {
                let text = format!("the image's build needs {outside}: COPY in Dockerfile and a line in .dockerignore");
                findings.push(Finding::new(&source.path, source.line_of(at), text));
            }
        }
    }
    findings
}

/// The anchor that a heading gets, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// Links of documents to headings that are not there.
fn dead_anchors(files: &[Text]) -> Vec<Finding> {
    let documents: Vec<&Text> = files.iter().filter(|file| file.path.to_lowercase().ends_with(".md")).collect();
    let mut findings = Vec::new();
    for document in &documents {
        for (at, line) in document.text.lines().enumerate() {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let Some((path, wanted)) = link.split_once('#').filter(|(path, _)| !path.contains(':')) else {
                    continue;
                };
                let name = path.trim_start_matches("../");
                let is_target = |file: &&&Text| file.path == name || file.path.ends_with(&format!("/{name}"));
                let target = if path.is_empty() { Some(document) } else { documents.iter().find(is_target) };
                let headings =
                    target.into_iter().flat_map(|target| target.text.lines()).filter(|line| line.starts_with('#'));
                if !headings.map(|line| anchor(line.trim_start_matches('#').trim())).any(|anchor| anchor == wanted) {
                    findings.push(Finding::new(&document.path, at + 1, format!("no heading for {link}")));
                }
            }
        }
    }
    findings
}

#[test]
fn links_of_documents_lead_to_headings() {
    assert_none(&dead_anchors(&repository()));
    let documents = [
        Text::new("docs/a.md", "# A `b` of c\n[x](#a-b-of-c) [y](b.md#d)\n[z](#gone) [w](../b.md#a-b-of-c)"),
        Text::new("docs/b.md", "## D"),
    ];
    let found = dead_anchors(&documents);
    assert_eq!(lines(&found), [(3, "no heading for #gone"), (3, "no heading for ../b.md#a-b-of-c")]);
}

#[test]
fn the_runbook_has_a_heading_for_each_alert_and_each_rule() {
    let files = repository();
    let (runbook, rules) = (file(&files, RUNBOOK), file(&files, RULES));
    assert!(behind(rules, "alert:").count() > 10, "the rules can't be read");
    assert_none(&runbook_gaps(runbook, rules));
    assert_none(&silent_rules(rules));
    let kinds = &file(&files, "src/condition.rs").text;
    for alert in ALERTS.iter().filter(|alert| **alert != "order-parked") {
        assert!(kinds.contains(&format!("\"{alert}\"")), "src/condition.rs has no {alert}");
    }
}

#[test]
fn each_rule_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let files = repository();
    assert_none(&untested_rules(file(&files, RULES), file(&files, CASES)));
}

#[test]
fn every_warning_and_error_of_the_log_is_explained() {
    let files = repository();
    assert_none(&log_table_gaps(&files, file(&files, OPERATIONS)));
}

#[test]
fn the_image_is_built_with_every_file_that_the_program_embeds() {
    assert_none(&files_missing_in_the_image(&repository()));
}

#[test]
fn the_checkers_find_gaps() {
    let rules = Text::new(
        "rules",
        "      - alert: Slow\n        labels: { severity: warning }\n        runbook_url: \"docs/runbook.md#fast\"\n",
    );
    let all = ALERTS[1..].iter().map(|alert| format!("## {alert}\n")).collect::<Vec<_>>().concat();
    let found = runbook_gaps(&Text::new("runbook", &format!("{all}## Gone\n")), &rules);
    let texts: Vec<&str> = lines(&found).into_iter().map(|(_, text)| text).collect();
    let expected = [
        "no alert is called Gone",
        "Slow has 0 headings",
        "order-parked has 0 headings",
        "expected the link \"docs/runbook.md#slow\"",
    ];
    assert_eq!(texts, expected);
    assert_eq!(lines(&silent_rules(&rules)), [(1, "Slow has no summary: ")]);

    let fires = "eval_time: 1m\n alertname: Slow\n - exp_labels: { job: po, severity: warning }\n";
    let quiet = "{ eval_time: 1m, alertname: Slow, exp_alerts: [] }\n";
    let other = "eval_time: 1m\n alertname: Slower\n - exp_labels: { severity: warning }\n";
    let gaps = |text: &str| untested_rules(&rules, &Text::new("cases", text)).len();
    assert_eq!((gaps(&format!("{fires}{quiet}")), gaps(fires), gaps(quiet), gaps(other)), (0, 1, 1, 2));

    let source = Text::new("src/a.rs", "warn!(order.id = 1, \"late\");\ninfo!(\"well\");\nerror!(\n    \"gone\"\n);\n");
    let page = Text::new("page", "| WARN | `late` | a | b |\n| WARN | `gone` | a | b |\n");
    let found = log_table_gaps(&[source], &page);
    assert_eq!(lines(&found), [(3, "page has no row for ERROR gone"), (2, "nothing logs gone")]);

    let of = |dockerfile: &str, ignored: &str| {
        let embedding = Text::new("src/a/b.rs", "include_str!(\"../../x/y.toml\") include_str!(\"../c.sql\")");
        files_missing_in_the_image(&[
            Text::new("Dockerfile", dockerfile),
            Text::new(".dockerignore", ignored),
            embedding,
        ])
        .len()
    };
    assert_eq!(
        (of("COPY . .", "!x"), of("COPY x x", "!x"), of("COPY src src", "!x"), of("COPY . .", "!src")),
        (0, 0, 1, 1)
    );
}

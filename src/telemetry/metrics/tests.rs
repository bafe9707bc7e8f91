//! The list of metrics, and what docs/metrics.md says of them.

use super::catalogue::{ALL, Metric};

/// The row of a metric in the table of docs/metrics.md.
fn row(metric: &Metric) -> String {
    let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{}` | {} | {} | {} |", metric.name, metric.kind.name(), labels.join(", "), metric.help)
}

#[test]
fn the_documentation_has_every_metric_as_it_is() {
    let text = include_str!("../../../docs/metrics.md");
    let documented: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = ALL.iter().map(row).collect();
    assert_eq!(documented, expected, "the table of docs/metrics.md has to be:\n{}", expected.join("\n"));
}

#[test]
fn each_metric_has_one_name_and_a_meaning_in_one_sentence_or_more() {
    let mut names: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
    for metric in ALL {
        // The text format takes it as it is.
        let is_plain = !metric.help.contains(['\n', '\\']);
        assert!(is_plain && metric.help.ends_with(['.', 'e', '0']), "{}: {}", metric.name, metric.help);
    }
}

//! The text of all metrics, read again: what Cloud ALM gets is what Prometheus scrapes.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// All metrics at one time.
#[derive(Debug)]
pub struct MetricSet {
    pub text: String,
    pub time: Timestamp,
}

/// A metric with its samples.
#[derive(Debug, Default, PartialEq)]
pub struct Metric {
    pub name: String,
    pub help: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    pub samples: Vec<Sample>,
}

/// One line of a metric.
#[derive(Debug, PartialEq)]
pub struct Sample {
    /// What is behind the metric's name: `_bucket`, `_sum`, `_count` of a histogram.
    pub suffix: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Reads the text; a line that can't be read is left out.
pub fn read(text: &str) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            metrics.push(Metric { name: name.to_owned(), help: help.to_owned(), ..Metric::default() });
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            if let Some(metric) = metrics.last_mut() {
                kind.clone_into(&mut metric.kind);
            }
        } else if let Some(metric) = metrics.last_mut() {
            let sample = line.strip_prefix(metric.name.as_str()).and_then(sample);
            metric.samples.extend(sample);
        }
    }
    metrics
}

fn sample(rest: &str) -> Option<Sample> {
    let end = rest.find(['{', ' '])?;
    let (suffix, rest) = rest.split_at_checked(end)?;
    let (labels, value) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    Some(Sample { suffix: suffix.to_owned(), labels, value: value.trim().parse().ok()? })
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        let (name, value) = rest.split_once("=\"")?;
        let mut text = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next()? {
                (at, '"') => break at,
                (_, '\\') => text.push(match characters.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => text.push(other),
            }
        };
        labels.insert(name.trim_start_matches(',').to_owned(), text);
        rest = value.get(end + 1..)?;
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_read_with_its_labels_and_escapes() {
        let text = "# HELP a_total Some help.\n# TYPE a_total counter\na_total{x=\"1,}\\\"\\n\",y=\"\"} 7\na_total 1.5\n\
            # HELP s Sizes.\n# TYPE s histogram\ns_bucket{le=\"+Inf\"} 2\nunreadable\n";
        let metrics = read(text);
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(metrics.len(), 2);
        assert_eq!((metrics[0].help.as_str(), metrics[0].kind.as_str()), ("Some help.", "counter"));
        assert_eq!(metrics[0].samples[0].labels, BTreeMap::from([label("x", "1,}\"\n"), label("y", "")]));
        assert_eq!(metrics[0].samples.iter().map(|sample| sample.value).collect::<Vec<_>>(), [7.0, 1.5]);
        assert_eq!(metrics[1].samples.len(), 1);
        assert_eq!(metrics[1].samples[0].suffix, "_bucket");
    }
}

//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write as _;

use super::catalogue::{Kind, Metric};
use crate::metric::Histogram;

/// The text of all metrics.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// One metric in the text: its samples follow.
pub struct Samples<'a> {
    metric: &'static Metric,
    text: &'a mut String,
}

impl Exposition {
    /// Begins a metric: help and type.
    pub fn begin(&mut self, metric: &'static Metric) -> Samples<'_> {
        let Metric { name, kind, help, .. } = metric;
        // Writing to a String can't fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {}\n", kind.name());
        Samples { metric, text: &mut self.text }
    }

    /// A metric without labels.
    pub fn value(&mut self, metric: &'static Metric, value: f64) {
        self.begin(metric).add(&[], value);
    }

    /// The whole text.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Samples<'_> {
    /// Adds a sample with the values of its labels, in the order of their names.
    pub fn add(&mut self, labels: &[&str], value: f64) {
        self.line("", labels, None, value);
    }

    /// Adds a number of events.
    #[expect(clippy::cast_precision_loss, reason = "what is counted beyond 2^53 may be rounded")]
    pub fn add_count(&mut self, labels: &[&str], count: u64) {
        self.add(labels, count as f64);
    }

    /// Adds the buckets, the sum and the count of a distribution.
    #[expect(clippy::cast_precision_loss, reason = "what is counted beyond 2^53 may be rounded")]
    pub fn add_histogram(&mut self, labels: &[&str], histogram: &Histogram) {
        debug_assert_eq!(self.metric.kind, Kind::Histogram);
        let state = histogram.state();
        for (bound, count) in &state.up_to {
            self.line("_bucket", labels, Some(&bound.to_string()), *count as f64);
        }
        self.line("_bucket", labels, Some("+Inf"), state.count as f64);
        self.line("_sum", labels, None, state.sum);
        self.line("_count", labels, None, state.count as f64);
    }

    fn line(&mut self, suffix: &str, labels: &[&str], bound: Option<&str>, value: f64) {
        debug_assert_eq!(labels.len(), self.metric.labels.len(), "{}", self.metric.name);
        self.text.push_str(self.metric.name);
        self.text.push_str(suffix);
        let named = self.metric.labels.iter().copied().zip(labels.iter().copied());
        let mut separator = '{';
        for (name, label) in named.chain(bound.map(|bound| ("le", bound))) {
            let _ = write!(self.text, "{separator}{name}=\"{}\"", escaped(label));
            separator = ',';
        }
        if separator == ',' {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// A label's value as the format wants it.
fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Bounds, Unit};

    const ODD: Metric = Metric { name: "odd_total", kind: Kind::Counter, labels: &["a", "b"], help: "Odd ones." };
    const SIZES: Metric = Metric { name: "sizes", kind: Kind::Histogram, labels: &["a"], help: "Sizes." };

    #[test]
    fn the_text_has_help_type_and_samples() {
        let mut text = Exposition::default();
        text.begin(&ODD).add_count(&["x\"\\\n", ""], 7);
        let histogram = Histogram::new(Bounds { unit: Unit::Microseconds, steps: &[5_000, 10_000_000] });
        for steps in [1_000, 6_000_000] {
            histogram.observe_steps(steps);
        }
        text.begin(&SIZES).add_histogram(&["y"], &histogram);
        let expected = "# HELP odd_total Odd ones.\n# TYPE odd_total counter\nodd_total{a=\"x\\\"\\\\\\n\",b=\"\"} 7\n\
            # HELP sizes Sizes.\n# TYPE sizes histogram\nsizes_bucket{a=\"y\",le=\"0.005\"} 1\nsizes_bucket{a=\"y\",le=\"10\"} 2\n\
            sizes_bucket{a=\"y\",le=\"+Inf\"} 2\nsizes_sum{a=\"y\"} 6.001\nsizes_count{a=\"y\"} 2\n";
        assert_eq!(text.into_text(), expected);
    }
}

//! Metrics as OTLP in JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::json::{attribute, resource, scope};
use super::samples::{Metric, MetricSet, Sample, read};

/// Every value counts from the start: AGGREGATION_TEMPORALITY_CUMULATIVE.
const CUMULATIVE: u8 = 2;

/// The payload: everything that the sets have, counted since `started_at`.
pub fn metric_payload(sets: &[MetricSet], service_id: &str, started_at: Timestamp) -> Vec<u8> {
    let start = started_at.as_nanosecond().to_string();
    let resource_metrics = sets.iter().map(|MetricSet { text, time }| {
        let times = Times { start: start.clone(), end: time.as_nanosecond().to_string() };
        let metrics = read(text);
        let metrics = metrics.iter().filter(|metric| !metric.samples.is_empty());
        let metrics: Vec<Value> = metrics.map(|metric| message(metric, &times)).collect();
        json!({ "resource": resource(service_id), "scopeMetrics": [{ "scope": scope(), "metrics": metrics }] })
    });
    json!({ "resourceMetrics": resource_metrics.collect::<Vec<_>>() }).to_string().into_bytes()
}

struct Times {
    start: String,
    end: String,
}

fn message(metric: &Metric, times: &Times) -> Value {
    let point = |sample: &Sample| {
        json!({
            "attributes": attributes(&sample.labels),
            "startTimeUnixNano": times.start,
            "timeUnixNano": times.end,
            "asDouble": sample.value,
        })
    };
    let points: Vec<Value> = metric.samples.iter().map(point).collect();
    let mut message = json!({ "name": metric.name, "description": metric.help });
    let (kind, data) = match metric.kind.as_str() {
        "counter" => {
            ("sum", json!({ "aggregationTemporality": CUMULATIVE, "isMonotonic": true, "dataPoints": points }))
        }
        "histogram" => {
            ("histogram", json!({ "aggregationTemporality": CUMULATIVE, "dataPoints": distributions(metric, times) }))
        }
        _ => ("gauge", json!({ "dataPoints": points })),
    };
    if let Some(members) = message.as_object_mut() {
        members.insert(kind.to_owned(), data);
    }
    message
}

/// One distribution of a histogram: what Prometheus counts up to each bound, OTLP counts between two.
#[derive(Default)]
struct Distribution {
    bounds: Vec<f64>,
    up_to: Vec<f64>,
    sum: f64,
    count: f64,
}

fn distributions(metric: &Metric, times: &Times) -> Vec<Value> {
    let mut distributions: BTreeMap<BTreeMap<String, String>, Distribution> = BTreeMap::new();
    for sample in &metric.samples {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le");
        let distribution = distributions.entry(labels).or_default();
        match sample.suffix.as_str() {
            "_sum" => distribution.sum = sample.value,
            "_count" => distribution.count = sample.value,
            _ => {
                distribution.up_to.push(sample.value);
                distribution
                    .bounds
                    .extend(bound.and_then(|bound| bound.parse().ok()).filter(|bound: &f64| bound.is_finite()));
            }
        }
    }
    let point = |(labels, distribution): (&BTreeMap<String, String>, &Distribution)| {
        let before = std::iter::once(0.0).chain(distribution.up_to.iter().copied());
        let counts: Vec<String> =
            distribution.up_to.iter().zip(before).map(|(up_to, before)| (up_to - before).to_string()).collect();
        json!({
            "attributes": attributes(labels),
            "startTimeUnixNano": times.start,
            "timeUnixNano": times.end,
            "count": distribution.count.to_string(),
            "sum": distribution.sum,
            "bucketCounts": counts,
            "explicitBounds": distribution.bounds,
        })
    };
    distributions.iter().map(point).collect()
}

fn attributes(labels: &BTreeMap<String, String>) -> Vec<Value> {
    labels.iter().map(|(name, value)| attribute(name, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_gauges_and_histograms_are_otlp_in_json() {
        let text = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\"} 7\n# HELP g G.\n# TYPE g gauge\ng 0.5\n\
            # HELP none None.\n# TYPE none gauge\n\
            # HELP h H.\n# TYPE h histogram\nh_bucket{m=\"GET\",le=\"0.005\"} 1\nh_bucket{m=\"GET\",le=\"10\"} 3\n\
            h_bucket{m=\"GET\",le=\"+Inf\"} 4\nh_sum{m=\"GET\"} 20.5\nh_count{m=\"GET\"} 4\n";
        let at = |second| Timestamp::from_second(second).unwrap();
        let set = MetricSet { text: text.to_owned(), time: at(2) };
        let payload: Value = serde_json::from_slice(&metric_payload(&[set], "s-1", at(1))).unwrap();
        let metrics = &payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        assert_eq!(metrics.as_array().unwrap().len(), 3);
        let sum = &metrics[0]["sum"];
        assert_eq!((&sum["aggregationTemporality"], &sum["isMonotonic"]), (&json!(2), &json!(true)));
        let expected = json!({
            "attributes": [{ "key": "x", "value": { "stringValue": "1" } }],
            "startTimeUnixNano": "1000000000",
            "timeUnixNano": "2000000000",
            "asDouble": 7.0,
        });
        assert_eq!(sum["dataPoints"], json!([expected]));
        assert_eq!(metrics[1]["gauge"]["dataPoints"][0]["asDouble"], 0.5);
        let expected = json!({
            "attributes": [{ "key": "m", "value": { "stringValue": "GET" } }],
            "startTimeUnixNano": "1000000000",
            "timeUnixNano": "2000000000",
            "count": "4",
            "sum": 20.5,
            "bucketCounts": ["1", "2", "1"],
            "explicitBounds": [0.005, 10.0],
        });
        assert_eq!(metrics[2]["histogram"]["dataPoints"], json!([expected]));
    }
}

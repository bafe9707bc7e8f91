//! Lines of both forms, and every name of a line in ECS against the fields of the schema.

use std::sync::Arc;

use serde_json::Value;
use tracing::{error, info, warn};
use tracing_subscriber::layer::SubscriberExt as _;

use super::super::ecs::FIELDS as ECS_FIELDS;
use super::*;
use crate::clock::ManualClock;
use crate::log_lines::LogLines;
use crate::telemetry::fields::FIELDS;
use crate::trace::{Sampling, SpanKind, Tracer};

/// The lines that `report` writes.
fn lines(naming: Naming, report: impl FnOnce()) -> Vec<Value> {
    let written = LogLines::default();
    let subscriber = tracing_subscriber::registry().with(JsonLines { writer: written.clone(), naming });
    tracing::subscriber::with_default(subscriber, report);
    written.all().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn report() {
    warn!(
        http.server.request.duration = 0.25,
        http.response.status_code = 422_u16,
        http.route = "/v2/purchase-orders",
        order.id = %"1",
        order.attempts = 3,
        server.tls = true,
        cart.number = Option::<&str>::None,
        x509.subject.distinguished_name = ?"CN=a",
        service.version = "0",
        "the request was answered"
    );
}

#[test]
fn a_line_of_json_has_the_fields_by_their_names_and_types() {
    let line = lines(Naming::OpenTelemetry, report).pop().unwrap();
    let expected = [
        ("level", Value::from("WARN")),
        ("message", "the request was answered".into()),
        ("http.server.request.duration", 0.25.into()),
        ("http.response.status_code", 422.into()),
        ("order.id", "1".into()),
        ("order.attempts", 3.into()),
        ("server.tls", true.into()),
        ("cart.number", Value::Null),
        ("trace_id", Value::Null),
        ("target", module_path!().into()),
    ];
    for (name, value) in expected {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn the_values_of_a_line_have_no_hidden_characters() {
    let value = "\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{85}\u{9b}\u{7f} ä\n\"\\";
    let written = LogLines::default();
    let layer = JsonLines { writer: written.clone(), naming: Naming::OpenTelemetry };
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info!(cart.number = value, "read");
    });
    let text = written.take();
    let expected = r#""\u202e\u2066\u200b\ufeff\u2028\u0085\u009b\u007f ä\n\"\\""#;
    assert!(text.contains(expected) && text.lines().count() == 1, "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["cart.number"], value);
}

#[test]
fn a_line_within_a_span_has_its_place() {
    let (tracer, _ended) = Tracer::recording(Arc::new(ManualClock::default()), Sampling(1.0));
    let span = tracer.start(None, "POST", SpanKind::Server);
    let place = span.current().unwrap().context();
    for (naming, trace_id, span_id) in
        [(Naming::OpenTelemetry, "trace_id", "span_id"), (Naming::Ecs, "trace.id", "span.id")]
    {
        let line = lines(naming, || span.enclose_sync(report)).pop().unwrap();
        assert_eq!(line[trace_id], place.trace_id_text());
        assert_eq!(line[span_id], place.span_id_text());
    }
}

/// What a value of a type of ECS looks like in JSON.
fn has_type(value: &Value, type_: &str) -> bool {
    match type_ {
        "long" => value.is_i64() || value.is_u64(),
        "date" => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        _ => value.is_string(),
    }
}

#[test]
fn every_name_on_a_line_in_ecs_is_of_the_schema_or_a_label() {
    let lines = lines(Naming::Ecs, || {
        report();
        error!(error.message = "broken", url.path = "/a", user.name = "u", client.address = "::1", "it failed");
        info!(
            http.request.id = "r",
            http.request.method = "GET",
            url.full = "http://x",
            file.path = "/f",
            "it happened"
        );
        info!(server.address = "127.0.0.1:1", outage.duration = 1.5, "it listens");
    });
    assert_eq!(lines.len(), 4);
    for line in &lines {
        for (name, value) in line.as_object().unwrap() {
            let known = ECS_FIELDS.iter().find(|(field, _)| field == name);
            let is_right = match known {
                Some((_, type_)) => has_type(value, type_),
                None => name.strip_prefix("labels.").is_some_and(|label| !label.contains('.')) && value.is_string(),
            };
            assert!(is_right, "{name}: {value}");
        }
        for needed in ["@timestamp", "log.level", "message", "ecs.version", "service.name", "log.logger"] {
            assert!(line[needed].is_string(), "{needed}: {line}");
        }
    }
    let first = &lines[0];
    assert_eq!(first["event.duration"], 250_000_000);
    assert_eq!(first["http.response.status_code"], 422);
    assert_eq!(first["labels.order_attempts"], "3");
    assert_eq!(first["labels.x509_subject_distinguished_name"], "\"CN=a\"");
    assert_eq!(first["log.level"], "warn");
}

#[test]
fn every_field_of_the_log_has_a_place_in_ecs_of_its_own() {
    let mut places = std::collections::BTreeSet::new();
    for (name, _) in FIELDS {
        let place = match ecs::field(name) {
            ecs::Destination::Field(name) => {
                assert!(ECS_FIELDS.iter().any(|(field, _)| *field == name), "{name}");
                name.to_owned()
            }
            ecs::Destination::Label(label) => label,
        };
        assert!(places.insert(place), "{name}");
    }
}

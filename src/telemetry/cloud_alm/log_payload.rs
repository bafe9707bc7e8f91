//! Log records as OTLP in JSON.

use serde_json::{Value, json};
use tracing::Level;

use super::json::{attribute, resource, scope};
use crate::telemetry::log::records::LogRecord;

/// The payload.
pub fn log_payload(records: &[LogRecord], service_id: &str) -> Vec<u8> {
    let records: Vec<Value> = records.iter().map(record).collect();
    let scopes = json!([{ "scope": scope(), "logRecords": records }]);
    json!({ "resourceLogs": [{ "resource": resource(service_id), "scopeLogs": scopes }] }).to_string().into_bytes()
}

fn record(record: &LogRecord) -> Value {
    let time = record.time.as_nanosecond().to_string();
    let attributes: Vec<Value> = record.fields.iter().map(|(name, value)| attribute(name, value)).collect();
    let mut json = json!({
        "timeUnixNano": time,
        "observedTimeUnixNano": time,
        "severityNumber": severity(record.level),
        "severityText": record.level.as_str(),
        "body": { "stringValue": record.message },
        "attributes": attributes,
    });
    if let (Some(place), Some(members)) = (record.place, json.as_object_mut()) {
        members.insert("traceId".to_owned(), place.trace_id_text().into());
        members.insert("spanId".to_owned(), place.span_id_text().into());
    }
    json
}

/// The number of a severity in OpenTelemetry's data model of logs.
const fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 17,
        Level::WARN => 13,
        Level::INFO => 9,
        Level::DEBUG => 5,
        Level::TRACE => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceContext;

    #[test]
    fn a_record_is_otlp_in_json() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let one = LogRecord {
            time: jiff::Timestamp::from_second(1_700_000_000).unwrap(),
            level: Level::WARN,
            message: "it is tried again".to_owned(),
            fields: vec![("order.id", "1".to_owned())],
            place: TraceContext::parse(text),
        };
        let payload: Value = serde_json::from_slice(&log_payload(&[one], "s-1")).unwrap();
        let resource = &payload["resourceLogs"][0]["resource"]["attributes"];
        assert_eq!(resource[3], json!({ "key": "serviceId", "value": { "stringValue": "s-1" } }));
        let expected = json!({
            "timeUnixNano": "1700000000000000000",
            "observedTimeUnixNano": "1700000000000000000",
            "severityNumber": 13,
            "severityText": "WARN",
            "body": { "stringValue": "it is tried again" },
            "attributes": [{ "key": "order.id", "value": { "stringValue": "1" } }],
            "traceId": "0af7651916cd43dd8448eb211c80319c",
            "spanId": "b7ad6b7169203331",
        });
        assert_eq!(payload["resourceLogs"][0]["scopeLogs"][0]["logRecords"], json!([expected]));
    }
}

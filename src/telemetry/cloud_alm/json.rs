//! What metrics and log records share in OTLP's JSON: its mapping of protobuf, with ids in hex and 64-bit numbers as texts.

use serde_json::{Value, json};

use crate::telemetry::resource::{SERVICE_NAME, SERVICE_VERSION, resource_attributes};

/// The resource with Cloud ALM's name of the service.
pub fn resource(service_id: &str) -> Value {
    let attributes = resource_attributes().into_iter().chain([("serviceId", service_id)]);
    json!({ "attributes": attributes.map(|(name, value)| attribute(name, value)).collect::<Vec<_>>() })
}

/// The scope of everything.
pub fn scope() -> Value {
    json!({ "name": SERVICE_NAME, "version": SERVICE_VERSION })
}

/// A name with a text.
pub fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

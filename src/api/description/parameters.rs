//! Parameters that several operations have, each declared once.

use serde_json::{Value, json};

use super::operations::{component, id, member, operations, reference};
use crate::problem::{API_VERSION, SMART_ID};

/// Headers that every request may have.
const ALWAYS: [&str; 4] = ["X-Request-Id", "Accept-Version", "Smart-Id", "traceparent"];

/// Adds the parameters, and refers to them at each operation that has them.
pub fn add(document: &mut Value) {
    for (name, parameter) in declared() {
        *component(document, "parameters", name) = parameter;
    }
    for operation in operations(document) {
        let own: &[&str] = match id(operation) {
            "create_purchase_order" | "create_purchase_orders" => &["Prefer", "sap-passport"],
            "replay_purchase_order" => &["id", "Prefer"],
            "resolve_purchase_order" | "get_purchase_order" => &["id"],
            "list_purchase_orders" => &["limit", "cursor", "x-csrf-token"],
            "list_audit_entries" => &["limit", "cursor"],
            _ => &[],
        };
        let shared = own.iter().chain(&ALWAYS).map(|name| reference("parameters", name));
        if let Some(map) = operation.as_object_mut() {
            let list = map.entry("parameters").or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.extend(shared);
            }
        }
    }
}

/// A header of requests: its name, what it is for, the only value that it may have, an example.
type Header = (&'static str, &'static str, Option<&'static str>, &'static str);

const HEADERS: [Header; 7] = [
    (
        "Prefer",
        "How long the caller wants to wait (RFC 7240). `respond-async`: not at all; the order is recorded and the answer is \
         202. `wait=N`: N seconds at most. Without it the service waits until its own deadline, 50 s unless the operator \
         has set another.",
        None,
        "wait=10",
    ),
    (
        "X-Request-Id",
        "A name of the request, of at most 128 printable ASCII characters. The answer and the log have it; without one the \
         service makes one.",
        None,
        "srm-300-4711",
    ),
    (
        "Accept-Version",
        "The version of the API that the caller expects. Any other than 2 is refused.",
        Some(API_VERSION),
        API_VERSION,
    ),
    (
        "Smart-Id",
        "The interface that the caller means. Another one is refused: the gateway routes to the wrong place.",
        Some(SMART_ID),
        SMART_ID,
    ),
    (
        "traceparent",
        "W3C Trace Context; passed on to 11VMS.",
        None,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("sap-passport", "SAP's passport in hex; logged, and passed on to 11VMS.", None, "2A54482A0300E60000"),
    (
        "x-csrf-token",
        "`fetch` asks for a CSRF token, as SAP's clients do before they post. None is needed.",
        None,
        "fetch",
    ),
];

fn declared() -> Vec<(&'static str, Value)> {
    let headers = HEADERS.iter().map(|header| (header.0, request_header(header)));
    [("id", order_id()), ("limit", limit()), ("cursor", cursor())].into_iter().chain(headers).collect()
}

fn request_header((name, description, only_value, example): &Header) -> Value {
    let mut schema = json!({ "type": "string" });
    if let Some(value) = only_value {
        *member(&mut schema, "enum") = json!([value]);
    }
    json!({ "name": name, "in": "header", "description": description, "schema": schema, "example": example })
}

fn limit() -> Value {
    json!({
        "name": "limit", "in": "query", "description": "Entries on a page.",
        "schema": { "type": "integer", "minimum": 1, "maximum": 200, "default": 50 },
        "example": 50,
    })
}

fn cursor() -> Value {
    json!({
        "name": "cursor", "in": "query",
        "description": "`nextCursor` of the page before, as it was answered. Left out for the first page.",
        "schema": { "type": "string" },
    })
}

fn order_id() -> Value {
    json!({
        "name": "id", "in": "path", "required": true,
        "description": "The order's id: the cart's GUID in hex, with or without dashes, in upper or lower case; for a cart without a GUID its \
            cart number, after `{system}:` where the header names its system (LOGSYS). An order whose cart has a GUID is not found by \
            its cart number here: use `GET /v2/purchase-orders?cartNumber=…`.",
        "schema": { "type": "string", "minLength": 1 },
        "example": "005056a207c81ed1bfc6b69e72f50550",
    })
}

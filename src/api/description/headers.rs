//! Headers of responses, each declared once.

use serde_json::{Value, json};

use super::documents;
use super::operations::{component, id, member, operations, reference};
use crate::problem::{API_VERSION, ProblemKind, SMART_ID};

/// Headers that every response has.
const ALWAYS: [&str; 3] = ["X-Request-Id", "API-Version", "Smart-Id"];

/// Adds the headers, and refers to them at each response that has them.
pub fn add(document: &mut Value) {
    for (name, header) in declared() {
        *component(document, "headers", name) = header;
    }
    for operation in operations(document) {
        let operation_id = id(operation).to_owned();
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten();
        for (status, response) in responses {
            refer(response, of_success(&operation_id, status));
            if documents::is_tagged(&operation_id) && matches!(status.as_str(), "200" | "304") {
                *member(member(response, "headers"), "ETag") = reference("headers", "ETag");
            }
        }
    }
    let shared = document.pointer_mut("/components/responses").and_then(Value::as_object_mut);
    shared.into_iter().flatten().for_each(|(_, response)| refer(response, &[]));
}

/// Refers to the headers of a response; one that is itself a reference has none of its own.
fn refer(response: &mut Value, of_success: &[&str]) {
    if response.get("$ref").is_some() {
        return;
    }
    let examples = response.pointer("/content/application~1problem+json/examples").and_then(Value::as_object);
    let of_problems: Vec<&str> =
        examples.into_iter().flatten().flat_map(|(name, _)| of_problem(name)).copied().collect();
    for name in ALWAYS.iter().chain(of_success).copied().chain(of_problems) {
        *member(member(response, "headers"), name) = reference("headers", name);
    }
}

fn of_success(operation: &str, status: &str) -> &'static [&'static str] {
    match (operation, status) {
        ("create_purchase_order" | "replay_purchase_order", "200") => &["Location", "Idempotency-Replayed"],
        ("create_purchase_order" | "replay_purchase_order", "201") => &["Location"],
        ("create_purchase_order" | "replay_purchase_order", "202") => {
            &["Location", "Retry-After", "Preference-Applied"]
        }
        ("create_purchase_orders", "200") => &["Preference-Applied"],
        ("get_purchase_order", "200") => &["Retry-After"],
        ("list_purchase_orders", "200") => &["x-csrf-token"],
        ("openapi_3_1" | "openapi_3_0" | "api_catalog", "200" | "304") => &["Link"],
        _ => &[],
    }
}

fn of_problem(name: &str) -> &'static [&'static str] {
    let is = |kinds: &[ProblemKind]| kinds.iter().any(|kind| kind.name == name);
    if is(&[ProblemKind::INVALID_TOKEN, ProblemKind::INSUFFICIENT_SCOPE]) {
        &["WWW-Authenticate"]
    } else if is(&[ProblemKind::METHOD_NOT_ALLOWED]) {
        &["Allow"]
    } else if is(&[ProblemKind::UNSUPPORTED_MEDIA_TYPE]) {
        &["Accept", "Accept-Post", "Accept-Encoding"]
    } else if is(&[ProblemKind::ATTEMPT_UNDER_WAY, ProblemKind::STILL_OPEN]) {
        &["Location", "Retry-After"]
    } else if is(&[
        ProblemKind::ORDER_EXISTS,
        ProblemKind::ORDER_CANCELLED,
        ProblemKind::ALREADY_SETTLED,
        ProblemKind::REFUSED_BY_11VMS,
        ProblemKind::PARKED,
    ]) {
        &["Location"]
    } else if is(&[
        ProblemKind::RATE_LIMITED,
        ProblemKind::OVERLOADED,
        ProblemKind::ISSUER_UNAVAILABLE,
        ProblemKind::LEDGER_UNAVAILABLE,
        ProblemKind::STOPPING,
    ]) {
        &["Retry-After"]
    } else {
        &[]
    }
}

/// A header whose value is a text.
struct Header {
    name: &'static str,
    description: &'static str,
    example: &'static str,
    /// Its only value, if it has no others.
    only: Option<&'static str>,
}

const fn text(name: &'static str, description: &'static str, example: &'static str) -> Header {
    Header { name, description, example, only: None }
}

const fn fixed(name: &'static str, description: &'static str, value: &'static str) -> Header {
    Header { name, description, example: value, only: Some(value) }
}

const TEXTS: [Header; 14] = [
    text("X-Request-Id", "The request's name, as it was sent or made; the log has it too.", "srm-300-4711"),
    fixed("API-Version", "The version of the API.", API_VERSION),
    fixed("Smart-Id", "The interface that has answered.", SMART_ID),
    text(
        "Location",
        "The order's path: GET it to see how it is.",
        "/v2/purchase-orders/005056a207c81ed1bfc6b69e72f50550",
    ),
    fixed("Idempotency-Replayed", "`true`: the order was created before, and nothing was sent.", "true"),
    text("Preference-Applied", "The preference because of which the answer came early (RFC 7240).", "respond-async"),
    text(
        "WWW-Authenticate",
        "What is wrong with the token, and which scope is needed (RFC 6750).",
        "Bearer realm=\"purchase-order-webhook\", error=\"invalid_token\", error_description=\"the token has expired\"",
    ),
    text("x-csrf-token", "Answered to `x-csrf-token: fetch`. It is never asked for.", "not-needed"),
    text("ETag", "The document's entity tag: sent as `If-None-Match`, it saves an answer.", "\"5d41402a\""),
    text(
        "Link",
        "Where the descriptions and the catalogue are (RFC 8288).",
        "</openapi.json>; rel=\"service-desc\"; type=\"application/json\"",
    ),
    text("Allow", "The methods of this path.", "GET, HEAD, POST"),
    text("Accept", "The media types that are taken, if that of the body is none of them.", "application/json"),
    text("Accept-Post", "The same (W3C Linked Data Platform §7.1).", "application/json"),
    text("Accept-Encoding", "The codings that are taken, if that of the body is none of them.", "gzip, deflate"),
];

/// Every header that a response may have: its name, and what is known of it.
fn declared() -> impl Iterator<Item = (&'static str, Value)> {
    let seconds = json!({
        "description": "Seconds until there may be news, or until the request can succeed. To ask earlier is useless.",
        "schema": { "type": "integer", "minimum": 1 },
        "example": 30,
    });
    TEXTS.iter().map(|header| (header.name, declaration(header))).chain([("Retry-After", seconds)])
}

fn declaration(header: &Header) -> Value {
    let mut schema = json!({ "type": "string" });
    if let Some(only) = header.only {
        *member(&mut schema, "enum") = json!([only]);
    }
    let mut declared = json!({ "description": header.description, "schema": schema, "example": header.example });
    if ALWAYS.contains(&header.name) {
        *member(&mut declared, "required") = Value::from(true);
    }
    declared
}

//! The problems that each operation can answer, each with its sample.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::operations::{component, id, member, operations, reference};
use crate::problem::{MEDIA_TYPE, ProblemKind};

/// Problems of every request: of its form, of the connection, of the service itself.
const ANY: &[ProblemKind] = &[
    ProblemKind::MALFORMED_REQUEST,
    ProblemKind::UNSUPPORTED_VERSION,
    ProblemKind::TLS_EXPECTED,
    ProblemKind::METHOD_NOT_ALLOWED,
    ProblemKind::REQUEST_TIMEOUT,
    ProblemKind::URI_TOO_LONG,
    ProblemKind::MISDIRECTED,
    ProblemKind::HEADERS_TOO_LARGE,
    ProblemKind::INTERNAL_ERROR,
    ProblemKind::OVERLOADED,
];

/// Problems of a request that needs a token.
const TOKEN: &[ProblemKind] = &[
    ProblemKind::INVALID_TOKEN,
    ProblemKind::INSUFFICIENT_SCOPE,
    ProblemKind::RATE_LIMITED,
    ProblemKind::ISSUER_UNAVAILABLE,
];

/// Problems of a request with a body.
const BODY: &[ProblemKind] =
    &[ProblemKind::MALFORMED_JSON, ProblemKind::TOO_LARGE, ProblemKind::UNSUPPORTED_MEDIA_TYPE];

/// Problems of a request that the ledger has to answer.
const LEDGER: &[ProblemKind] = &[ProblemKind::LEDGER_UNAVAILABLE];

/// Problems of an order that did not become one.
const OUTCOME: &[ProblemKind] =
    &[ProblemKind::REFUSED_BY_11VMS, ProblemKind::ORDER_CANCELLED, ProblemKind::PARKED, ProblemKind::STILL_OPEN];

/// Problems of a cart alone.
const CART: &[ProblemKind] = &[ProblemKind::INVALID_CART, ProblemKind::ORDER_EXISTS];

/// Problems of a cart in a batch: they are in its result, and not the answer.
pub const OF_RESULTS: &[&[ProblemKind]] =
    &[LEDGER, OUTCOME, CART, &[ProblemKind::TOO_LARGE, ProblemKind::MALFORMED_JSON]];

/// Whether every request can have the problem.
pub fn is_of_every_request(kind: ProblemKind) -> bool {
    ANY.contains(&kind)
}

/// The problems of an operation beside those of every request; `None` for an operation that is not known.
pub fn own_kinds(operation: &str) -> Option<Vec<&'static [ProblemKind]>> {
    Some(match operation {
        "create_purchase_order" => {
            vec![TOKEN, BODY, LEDGER, OUTCOME, CART]
        }
        "create_purchase_orders" => vec![TOKEN, BODY, &[ProblemKind::INVALID_BODY]],
        "preview_purchase_order" => vec![TOKEN, BODY, &[ProblemKind::INVALID_CART]],
        "get_purchase_order" => vec![TOKEN, LEDGER, &[ProblemKind::INVALID_PARAMETER, ProblemKind::NOT_FOUND]],
        "list_purchase_orders" | "list_audit_entries" => vec![TOKEN, LEDGER, &[ProblemKind::INVALID_PARAMETER]],
        "replay_purchase_order" => {
            vec![TOKEN, LEDGER, OUTCOME, &[ProblemKind::INVALID_PARAMETER, ProblemKind::NOT_FOUND]]
        }
        "resolve_purchase_order" => vec![
            TOKEN,
            BODY,
            LEDGER,
            &[
                ProblemKind::INVALID_PARAMETER,
                ProblemKind::INVALID_BODY,
                ProblemKind::NOT_FOUND,
                ProblemKind::ALREADY_SETTLED,
                ProblemKind::ATTEMPT_UNDER_WAY,
            ],
        ],
        "readyz" => vec![LEDGER, &[ProblemKind::STOPPING]],
        "protected_resource" => vec![&[ProblemKind::NOT_FOUND]],
        "livez" | "metrics" | "openapi_3_1" | "openapi_3_0" | "ord_configuration" | "ord_document" | "api_catalog" => {
            vec![]
        }
        _ => return None,
    })
}

/// Adds a sample of every kind, and to each operation the responses of its kinds.
pub fn add(document: &mut Value) {
    for kind in ProblemKind::ALL {
        let sample = serde_json::to_value(kind.sample()).unwrap_or_default();
        *component(document, "examples", kind.name) = json!({ "summary": kind.title, "value": sample });
    }
    if let Some(readiness) = document.pointer_mut("/components/schemas/Problem/properties/readiness") {
        // A room above that of the problems has its schema.
        *member(readiness, "$ref") = Value::from("#/components/schemas/Readiness");
        readiness.as_object_mut().and_then(|map| map.shift_remove("type"));
    }
    let mut shared = BTreeMap::new();
    for operation in operations(document) {
        for (status, kinds) in by_status(id(operation)) {
            // A status that has one kind is the same response everywhere.
            let response = if let [only] = kinds.as_slice() {
                shared.insert(only.name, response(&kinds));
                reference("responses", only.name)
            } else {
                response(&kinds)
            };
            *member(member(operation, "responses"), &status) = response;
        }
    }
    for (name, response) in shared {
        *component(document, "responses", name) = response;
    }
}

fn by_status(operation: &str) -> BTreeMap<String, Vec<ProblemKind>> {
    let mut statuses: BTreeMap<String, Vec<ProblemKind>> = BTreeMap::new();
    let own = own_kinds(operation).unwrap_or_default();
    for kind in own.into_iter().chain([ANY]).flatten() {
        statuses.entry(kind.status.as_u16().to_string()).or_default().push(*kind);
    }
    statuses
}

/// A response, with what its caller has to know and do, and a sample of each kind.
fn response(kinds: &[ProblemKind]) -> Value {
    let about = |kind: &ProblemKind| format!("{} {}", kind.explanation, kind.remedy);
    let description = match kinds {
        [only] => format!("`{}`: {}. {}", only.name, only.title, about(only)),
        several => {
            let lines = several.iter().map(|kind| format!("- `{}`: {}. {}", kind.name, kind.title, about(kind)));
            format!("One of:\n\n{}", lines.collect::<Vec<_>>().join("\n"))
        }
    };
    let mut examples = json!({});
    for kind in kinds {
        *member(&mut examples, kind.name) = reference("examples", kind.name);
    }
    json!({
        "description": description,
        "content": { MEDIA_TYPE: { "schema": reference("schemas", "Problem"), "examples": examples } },
    })
}

//! Examples of requests and of their answers. `tests/api/description.rs` sends each request, and compares each answer.

use serde_json::Value;

use super::operations::{component, member, operation, reference};

const JSON: &str = "application/json";

/// Where an example belongs.
#[derive(Debug, Clone, Copy)]
enum Side {
    Request,
    Response(&'static str),
}

/// An example of an operation: its operation, its side, its media type, and its name among the components.
struct Example(&'static str, Side, &'static str, &'static str);

/// A JSON text as one of the components.
struct Text {
    name: &'static str,
    summary: &'static str,
    json: &'static str,
}

const TEXTS: [Text; 19] = [
    Text {
        name: "cart",
        summary: "A cart with one item, as /ui2/cl_json writes it",
        json: include_str!("examples/cart.json"),
    },
    Text {
        name: "cart-split",
        summary: "A cart with two items and shares of their costs",
        json: include_str!("examples/cart-split.json"),
    },
    Text { name: "batch", summary: "Two carts", json: include_str!("examples/batch.json") },
    Text {
        name: "batch-lines",
        summary: "Two carts as NDJSON, one a line",
        json: include_str!("examples/batch-lines.json"),
    },
    Text {
        name: "resolve-with-number",
        summary: "The order exists in 11VMS",
        json: include_str!("examples/resolve-with-number.json"),
    },
    Text {
        name: "resolve-as-cancelled",
        summary: "There will be no order",
        json: include_str!("examples/resolve-as-cancelled.json"),
    },
    Text { name: "order-created", summary: "The order was created", json: include_str!("examples/order-created.json") },
    Text {
        name: "order-accepted",
        summary: "The order is recorded, and its caller does not wait",
        json: include_str!("examples/order-accepted.json"),
    },
    Text {
        name: "order-retrying",
        summary: "11VMS has failed, and is tried again at nextAttemptAt",
        json: include_str!("examples/order-retrying.json"),
    },
    Text {
        name: "order-detail",
        summary: "The order with its audit trail",
        json: include_str!("examples/order-detail.json"),
    },
    Text { name: "order-list", summary: "A page with one order", json: include_str!("examples/order-list.json") },
    Text {
        name: "order-replayed",
        summary: "The second try was successful",
        json: include_str!("examples/order-replayed.json"),
    },
    Text {
        name: "order-resolved",
        summary: "The number was entered by hand",
        json: include_str!("examples/order-resolved.json"),
    },
    Text {
        name: "batch-results",
        summary: "One order was created, the other cart has a mistake",
        json: include_str!("examples/batch-results.json"),
    },
    Text { name: "preview", summary: "What the cart would become", json: include_str!("examples/preview.json") },
    Text { name: "audit-list", summary: "A page of entries", json: include_str!("examples/audit-list.json") },
    Text { name: "alive", summary: "The process answers", json: include_str!("examples/alive.json") },
    Text { name: "ready", summary: "The service takes carts", json: include_str!("examples/ready.json") },
    Text {
        name: "protected-resource",
        summary: "Issuers and scopes",
        json: include_str!("examples/protected-resource.json"),
    },
];

const EXAMPLES: &[Example] = &[
    Example("create_purchase_order", Side::Request, JSON, "cart"),
    Example("create_purchase_order", Side::Request, JSON, "cart-split"),
    Example("create_purchase_order", Side::Response("200"), JSON, "order-created"),
    Example("create_purchase_order", Side::Response("201"), JSON, "order-created"),
    Example("create_purchase_order", Side::Response("202"), JSON, "order-accepted"),
    Example("create_purchase_order", Side::Response("202"), JSON, "order-retrying"),
    Example("list_purchase_orders", Side::Response("200"), JSON, "order-list"),
    Example("get_purchase_order", Side::Response("200"), JSON, "order-detail"),
    Example("preview_purchase_order", Side::Request, JSON, "cart"),
    Example("preview_purchase_order", Side::Response("200"), JSON, "preview"),
    Example("create_purchase_orders", Side::Request, JSON, "batch"),
    Example("create_purchase_orders", Side::Request, "application/x-ndjson", "batch-lines"),
    Example("create_purchase_orders", Side::Response("200"), JSON, "batch-results"),
    Example("replay_purchase_order", Side::Response("200"), JSON, "order-created"),
    Example("replay_purchase_order", Side::Response("201"), JSON, "order-replayed"),
    Example("replay_purchase_order", Side::Response("202"), JSON, "order-retrying"),
    Example("resolve_purchase_order", Side::Request, JSON, "resolve-with-number"),
    Example("resolve_purchase_order", Side::Request, JSON, "resolve-as-cancelled"),
    Example("resolve_purchase_order", Side::Response("200"), JSON, "order-resolved"),
    Example("list_audit_entries", Side::Response("200"), JSON, "audit-list"),
    Example("livez", Side::Response("200"), JSON, "alive"),
    Example("readyz", Side::Response("200"), JSON, "ready"),
    Example("protected_resource", Side::Response("200"), JSON, "protected-resource"),
];

/// Adds the examples as components, and refers to them.
pub fn add(document: &mut Value) {
    for Text { name, summary, json } in TEXTS {
        let value: Value = serde_json::from_str(json).unwrap_or_default();
        *component(document, "examples", name) = serde_json::json!({ "summary": summary, "value": value });
    }
    for Example(id, side, media_type, name) in EXAMPLES {
        let Some(operation) = operation(document, id) else { continue };
        let body = match side {
            Side::Request => member(operation, "requestBody"),
            Side::Response(status) => member(member(operation, "responses"), status),
        };
        let content = member(member(body, "content"), media_type);
        *member(member(content, "examples"), name) = reference("examples", name);
    }
}

//! The body by which an order is settled by hand: exactly one of two members.

use serde_json::{Value, json};

use super::operations::{component, reference};

/// Neither line breaks nor other control characters: the text is one line of a message and of the log.
const ONE_LINE: &str = "^[^\\u0000-\\u001F\\u007F-\\u009F]+$";

/// Replaces the schema of the body.
pub fn add(document: &mut Value) {
    for (name, member, about, limit, example) in [
        (
            "ResolutionWithNumber",
            "purchaseOrderNumber",
            "The number under which the order exists in 11VMS; not blank.",
            64,
            "4500000815",
        ),
        (
            "ResolutionAsCancelled",
            "cancelled",
            "Why there will be no order, on one line; not blank.",
            500,
            "ordered by telephone",
        ),
    ] {
        *component(document, "schemas", name) = json!({
            "type": "object",
            "required": [member],
            "properties": { member: {
                "type": "string", "description": about, "minLength": 1, "maxLength": limit, "pattern": ONE_LINE, "example": example,
            } },
            "additionalProperties": false,
        });
    }
    *component(document, "schemas", "Resolution") = json!({
        "description": "How an order is settled by hand: by its number, or by the reason why there is none.",
        "oneOf": [reference("schemas", "ResolutionWithNumber"), reference("schemas", "ResolutionAsCancelled")],
    });
}

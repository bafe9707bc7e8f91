//! Documents that other rooms serve: their paths are described here, because the description is made below them.

use serde_json::{Value, json};

use super::operations::member;

/// A document that is read with a GET, without a token.
struct Document {
    path: &'static str,
    operation_id: &'static str,
    summary: &'static str,
    description: &'static str,
}

const DOCUMENTS: [Document; 2] = [
    Document {
        path: "/openapi.json",
        operation_id: "openapi_3_1",
        summary: "This description, OpenAPI 3.1",
        description: "The description of this service, with the token endpoint that it is configured for.",
    },
    Document {
        path: "/openapi-3.0.json",
        operation_id: "openapi_3_0",
        summary: "This description, OpenAPI 3.0.3",
        description: "The same in the version that SAP API Management imports.",
    },
];

/// Adds their paths.
pub fn add(document: &mut Value) {
    for Document { path, operation_id, summary, description } in DOCUMENTS {
        let operation = json!({
            "tags": ["Discovery"],
            "summary": summary,
            "description": description,
            "operationId": operation_id,
            "responses": { "200": {
                "description": "The description",
                "content": { "application/json": { "schema": {
                    "type": "object",
                    "description": "A document as the OpenAPI specification defines it.",
                    "required": ["openapi", "info", "paths"],
                    "properties": {
                        "openapi": { "type": "string" },
                        "info": { "type": "object", "additionalProperties": true },
                        "paths": { "type": "object", "additionalProperties": true },
                    },
                    "additionalProperties": true,
                } } },
            } },
        });
        *member(member(document, "paths"), path) = json!({ "get": operation });
    }
}

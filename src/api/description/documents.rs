//! Documents about the service. Two of them other rooms serve: their paths are described here, because the description is made
//! below them.

use serde_json::{Value, json};

use super::operations::{member, operation};
use crate::api::catalogues;
use crate::problem::API_VERSION;

/// The operations whose documents have an entity tag.
const TAGGED: [&str; 6] =
    ["openapi_3_1", "openapi_3_0", "ord_configuration", "ord_document", "api_catalog", "protected_resource"];

/// Whether an operation answers with a document that has an entity tag.
pub fn is_tagged(operation: &str) -> bool {
    TAGGED.contains(&operation)
}

/// A document that is read with a GET, without a token.
struct Document {
    path: &'static str,
    version: &'static str,
    operation_id: &'static str,
    summary: &'static str,
    description: &'static str,
}

const DOCUMENTS: [Document; 2] = [
    Document {
        path: "/openapi.json",
        version: "3.1.0",
        operation_id: "openapi_3_1",
        summary: "This description, OpenAPI 3.1",
        description: "The description of this service, with the token endpoint that it is configured for.",
    },
    Document {
        path: "/openapi-3.0.json",
        version: "3.0.3",
        operation_id: "openapi_3_0",
        summary: "This description, OpenAPI 3.0.3",
        description: "The same in the version that SAP API Management imports.",
    },
];

/// Adds their paths, examples of the documents for catalogues, and the answer to clients that have a document already.
pub fn add(document: &mut Value) {
    add_paths(document);
    for (id, media_type, example) in [
        ("ord_configuration", "application/json", catalogues::configuration()),
        ("ord_document", "application/json", catalogues::document("")),
        ("api_catalog", "application/linkset+json", catalogues::linkset("")),
    ] {
        let Some(operation) = operation(document, id) else { continue };
        let content = member(member(member(member(operation, "responses"), "200"), "content"), media_type);
        *member(content, "example") = example;
    }
    for id in TAGGED {
        let Some(operation) = operation(document, id) else { continue };
        *member(member(operation, "responses"), "304") =
            json!({ "description": "The client has it: `If-None-Match` holds its entity tag (RFC 9110 §13.1.2)." });
    }
}

fn add_paths(document: &mut Value) {
    let title = document.pointer("/info/title").cloned().unwrap_or_default();
    for Document { path, version, operation_id, summary, description } in DOCUMENTS {
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
                }, "example": { "openapi": version, "info": { "title": title, "version": API_VERSION }, "paths": {} } } },
            } },
        });
        *member(member(document, "paths"), path) = json!({ "get": operation });
    }
}

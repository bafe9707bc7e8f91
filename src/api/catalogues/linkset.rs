//! The API catalogue: a linkset (RFC 9264) with the relations of RFC 8631 and RFC 9727.

use serde_json::{Value, json};

use super::{API_CATALOG, DESCRIPTIONS, ORD_DOCUMENT, info};
use crate::api::protected_resource;

/// The catalogue of the service at this address. Without one, its links are relative to the catalogue's own.
pub fn linkset(base: &str) -> Value {
    let at = |path: &str| format!("{base}{path}");
    // Where the API begins: its description's paths are relative to it.
    let api = at("/");
    let metadata = protected_resource::metadata_of(base).unwrap_or_else(|| protected_resource::WELL_KNOWN.to_owned());
    let json_type = "application/json";
    let descriptions = DESCRIPTIONS
        .map(|(path, version)| json!({ "href": at(path), "type": json_type, "title": format!("OpenAPI {version}") }));
    json!({
        "linkset": [
            { "anchor": at(API_CATALOG), "item": [{ "href": api, "title": info().title }] },
            {
                "anchor": api,
                "service-desc": descriptions,
                "service-doc": [{ "href": at("/docs"), "type": "text/html", "title": "Reference" }],
                "service-meta": [
                    { "href": at(ORD_DOCUMENT), "type": json_type, "title": "Open Resource Discovery" },
                    { "href": metadata, "type": json_type, "title": "OAuth 2.0 protected resource (RFC 9728)" },
                ],
                "status": [{ "href": at("/readyz"), "type": json_type, "title": "Readiness" }],
            },
        ]
    })
}

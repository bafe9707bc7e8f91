//! What catalogues of APIs read of this service: Open Resource Discovery, and an API catalogue (RFC 9727).
//!
//! Titles, texts and versions are those of the API's description and of the package; nothing is written twice.

mod linkset;
mod open_resource_discovery;

use utoipa::openapi::Info;

use super::description::base;

pub use linkset::linkset;
pub use open_resource_discovery::{configuration, document};

/// The document that the configuration names.
pub const ORD_DOCUMENT: &str = "/open-resource-discovery/v1/documents/1";

/// The API catalogue (RFC 9727 §2).
pub const API_CATALOG: &str = "/.well-known/api-catalog";

/// The links of an answer for people or about the API: where the API is described (RFC 8631), and where the catalogue is.
pub const DISCOVERY_LINKS: &str = "</openapi.json>; rel=\"service-desc\"; type=\"application/json\", \
                                   </docs>; rel=\"service-doc\"; type=\"text/html\", \
                                   </.well-known/api-catalog>; rel=\"api-catalog\"";

/// Paths of the descriptions, with the version of OpenAPI.
const DESCRIPTIONS: [(&str, &str); 2] = [("/openapi.json", "3.1"), ("/openapi-3.0.json", "3.0.3")];

/// Title, text and version of the API.
fn info() -> Info {
    base::document().info
}

//! The API's description: OpenAPI 3.1 from the routes, and 3.0.3 derived from it for SAP API Management.

pub(super) mod base;
mod downgrade;

use serde_json::Value;
use url::Url;

use super::routes::described_routes;

/// Which version of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    /// OpenAPI 3.1
    V3_1,
    /// OpenAPI 3.0.3
    V3_0,
}

/// The description as JSON text, indented: as it is committed, and as the command `openapi` prints it.
pub fn text(spec: Spec) -> String {
    indented(&document(spec))
}

/// The description as a running service serves it: with the token endpoint that its readers can ask.
pub fn served(spec: Spec, token_url: Option<&Url>) -> String {
    let mut document = document(spec);
    let flow = document.pointer_mut("/components/securitySchemes/oauth2/flows/clientCredentials/tokenUrl");
    if let (Some(flow), Some(url)) = (flow, token_url) {
        *flow = Value::from(url.as_str());
    }
    indented(&document)
}

fn document(spec: Spec) -> Value {
    let (_, description) = described_routes().split_for_parts();
    let document = serde_json::to_value(&description).unwrap_or_default();
    match spec {
        Spec::V3_1 => document,
        Spec::V3_0 => downgrade::to_3_0(document),
    }
}

fn indented(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

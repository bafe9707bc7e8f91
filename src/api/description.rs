//! The API's description: OpenAPI 3.1 from the routes, and 3.0.3 derived from it for SAP API Management.

pub(super) mod base;
mod downgrade;

use super::routes::described_routes;

/// Which version of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    /// OpenAPI 3.1
    V3_1,
    /// OpenAPI 3.0.3
    V3_0,
}

/// The description as JSON text, indented.
pub fn text(spec: Spec) -> String {
    let (_, description) = described_routes().split_for_parts();
    let document = serde_json::to_value(&description).unwrap_or_default();
    let document = match spec {
        Spec::V3_1 => document,
        Spec::V3_0 => downgrade::to_3_0(document),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

//! The API's description: OpenAPI 3.1 from the routes, and 3.0.3 derived from it for SAP API Management.
//!
//! The handlers describe their paths, parameters and bodies. What many operations share is added here, once: parameters,
//! headers, problems, examples, the fields of a cart.

pub(super) mod base;
mod cart;
mod documents;
mod downgrade;
mod enumerations;
mod examples;
mod headers;
mod occurrence;
mod operations;
mod parameters;
mod problems;
mod resolution;
mod security;

use serde_json::Value;
use url::Url;

pub use occurrence::{Occurrence, OperationLink};

use super::routes::description;

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
    indented(&in_version(spec, document()))
}

/// The description as a running service serves it: with the token endpoint that its readers can ask, or with the bearer
/// scheme alone, and with the issuer's names of the scopes write, read and operate.
pub fn served(spec: Spec, token_url: Option<&Url>, scopes: Option<[&str; 3]>) -> String {
    let mut document = document();
    if let Some(names) = scopes {
        security::name_scopes(&mut document, names);
    }
    match token_url {
        Some(url) => security::set_token_url(&mut document, url),
        None => security::remove_oauth2(&mut document),
    }
    indented(&in_version(spec, document))
}

fn document() -> Value {
    let mut document = serde_json::to_value(description()).unwrap_or_default();
    // The service leaves absent values out: no property is ever null.
    operations::remove_null(&mut document);
    base::annotate(&mut document);
    documents::add(&mut document);
    cart::add(&mut document);
    resolution::add(&mut document);
    enumerations::add(&mut document);
    security::add(&mut document);
    parameters::add(&mut document);
    problems::add(&mut document);
    examples::add(&mut document);
    // Last, because every response has some.
    headers::add(&mut document);
    document
}

fn in_version(spec: Spec, document: Value) -> Value {
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

#[cfg(test)]
mod tests;

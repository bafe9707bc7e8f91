//! Open Resource Discovery: the configuration that crawlers read first, and the document with product, package and API.
//!
//! The namespace `customer` is for what a customer makes; no vendor is invented.

use serde_json::{Value, json};

use super::{DESCRIPTIONS, ORD_DOCUMENT, info};
use crate::problem::SMART_ID;

/// The version of the specification.
const SPECIFICATION: &str = "1.13";

const NAMESPACE: &str = "customer.purchaseorderwebhook";

/// Defined by the specification, for packages and products that a customer makes.
const VENDOR: &str = "customer:vendor:Customer:";

/// One document, which everybody may read. Its address is relative to the one under which the configuration was found.
pub fn configuration() -> Value {
    json!({
        "openResourceDiscoveryV1": {
            "documents": [{ "url": ORD_DOCUMENT, "accessStrategies": [{ "type": "open" }] }]
        }
    })
}

/// The document about the service at this address; addresses in it are relative to it.
pub fn document(base: &str) -> Value {
    let package_name = env!("CARGO_PKG_NAME");
    let product = format!("{NAMESPACE}:product:{package_name}:");
    let package = format!("{NAMESPACE}:package:{package_name}:v{}", env!("CARGO_PKG_VERSION_MAJOR"));
    let bundle = format!("{NAMESPACE}:consumptionBundle:oauth2-client-credentials:v1");
    let short = env!("CARGO_PKG_DESCRIPTION");
    let mut document = json!({
        "openResourceDiscovery": SPECIFICATION,
        "description": short,
        "products": [
            { "ordId": product, "title": package_name, "shortDescription": short, "vendor": VENDOR }
        ],
        "packages": [{
            "ordId": package,
            "title": package_name,
            "shortDescription": short,
            "description": info().description.unwrap_or_default(),
            "version": env!("CARGO_PKG_VERSION"),
            "vendor": VENDOR,
            "partOfProducts": [product],
            "licenseType": env!("CARGO_PKG_LICENSE"),
        }],
        "consumptionBundles": [{
            "ordId": bundle,
            "title": "OAuth 2.0 client credentials",
            "shortDescription": "A bearer token of the issuer that the resource's metadata name (RFC 9728)",
            "version": "1.0.0",
            "visibility": "public",
        }],
        "apiResources": [api_resource(&package, &bundle)],
    });
    if is_base_url(base)
        && let Some(members) = document.as_object_mut()
    {
        members.insert("describedSystemInstance".to_owned(), json!({ "baseUrl": base }));
    }
    document
}

fn api_resource(package: &str, bundle: &str) -> Value {
    let info = info();
    let version = semantic_version(&info.version);
    let major = version.split('.').next().unwrap_or_default();
    let definitions = DESCRIPTIONS.map(|(path, version)| {
        // The specification has two names; "3.0.3" is the older one.
        let kind = if version.starts_with("3.0") { "openapi-v3" } else { "openapi-v3.1+" };
        json!({ "type": kind, "mediaType": "application/json", "url": path, "accessStrategies": [{ "type": "open" }] })
    });
    json!({
        "ordId": format!("{NAMESPACE}:apiResource:purchase-orders:v{major}"),
        "correlationIds": [format!("{NAMESPACE}:smartId:{SMART_ID}")],
        "title": info.title,
        "shortDescription": env!("CARGO_PKG_DESCRIPTION"),
        "description": info.description.unwrap_or_default(),
        "version": version,
        "visibility": "public",
        "releaseStatus": "active",
        "partOfPackage": package,
        "partOfConsumptionBundles": [{ "ordId": bundle }],
        "apiProtocol": "rest",
        "direction": "inbound",
        "entryPoints": ["/"],
        "resourceDefinitions": definitions,
        "apiResourceLinks": [{ "type": "api-documentation", "url": "/docs" }],
        "extensible": {
            "supported": "manual",
            "description": "A customer's field of a cart (`ZZ_…`) reaches the order by a row of the mapping sheet.",
        },
    })
}

/// `2` as `2.0.0`: the specification demands three numbers (Semantic Versioning 2.0.0).
fn semantic_version(version: &str) -> String {
    let missing = 2_usize.saturating_sub(version.matches('.').count());
    format!("{version}{}", ".0".repeat(missing))
}

/// Whether the specification takes it as the address of a system: a name with a dot, and no other characters in the path than
/// those that need no encoding.
fn is_base_url(base: &str) -> bool {
    let Some((_, rest)) = base.split_once("://") else { return false };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.split(':').next().unwrap_or_default();
    let has_dot = host.rsplit_once('.').is_some_and(|(before, last)| !before.is_empty() && !last.is_empty());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    has_dot && path.chars().all(is_plain) && !path.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_three_numbers() {
        for (version, semantic) in [("2", "2.0.0"), ("2.1", "2.1.0"), ("2.1.3", "2.1.3")] {
            assert_eq!(semantic_version(version), semantic);
        }
    }

    #[test]
    fn only_an_address_that_the_specification_takes_is_named() {
        for (base, is_taken) in [
            ("https://orders.example", true),
            ("https://orders.example:8443/srm/v2", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", false),
            ("http://[::1]:8080", false),
            ("https://orders.example/a%20b", false),
            ("", false),
        ] {
            assert_eq!(is_base_url(base), is_taken, "{base}");
            assert_eq!(document(base).get("describedSystemInstance").is_some(), is_taken, "{base}");
        }
    }
}

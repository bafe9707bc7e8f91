//! The API's description before any route is added: title, tags, servers, security, SAP's annotations.

use serde_json::{Value, json};
use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme};
use utoipa::openapi::{OpenApi, OpenApiBuilder};
use utoipa::{Modify, OpenApi as _};

use super::operations::member;
use crate::problem::{API_VERSION, SMART_ID};

/// At most 180 characters.
const SHORT_TEXT: &str = "Turns approved SAP SRM 7 shopping carts into purchase orders in 11VMS: at most one order a cart, however often it is sent.";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Purchase orders from SRM 7 to 11VMS",
        description = include_str!("introduction.txt"),
        contact(name = "The operators of this service"),
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "The host that serves this description")),
    tags(
        (name = "Purchase orders", description = "Carts in, orders out."),
        (name = "Operation", description = "For people who look after parked orders, and for audits."),
        (name = "Health", description = "For whatever starts, watches and scrapes the service. No token is needed."),
        (name = "Discovery", description = "For clients, gateways and catalogues. No token is needed."),
    ),
    modifiers(&Security),
)]
struct Description;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut OpenApi) {
        let scopes = Scopes::from_iter([
            ("purchase-orders.write", "Bring carts"),
            ("purchase-orders.read", "Read orders"),
            ("purchase-orders.operate", "Settle orders by hand"),
        ]);
        let flow = Flow::ClientCredentials(ClientCredentials::new("https://issuer.example/oauth2/token", scopes));
        let scheme = OAuth2::with_description(
            [flow],
            "A JWT of the issuer that the operator has configured, by client credentials.",
        );
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("oauth2", SecurityScheme::OAuth2(scheme));
    }
}

/// The description before any route is added.
pub fn document() -> OpenApi {
    let mut description = Description::openapi();
    API_VERSION.clone_into(&mut description.info.version);
    OpenApiBuilder::from(description).build()
}

/// Adds SAP's annotations (github.com/SAP/openapi-specification), and the listener of the metrics.
pub fn annotate(document: &mut Value) {
    *member(member(document, "info"), "x-sap-shortText") = json!(SHORT_TEXT);
    for (name, value) in [
        ("x-sap-shortText", json!(SHORT_TEXT)),
        ("x-sap-api-type", json!("REST")),
        ("x-sap-direction", json!("inbound")),
        ("x-sap-stateInfo", json!({ "state": "Active" })),
        ("x-sap-compliance-level", json!("sap:base:v1")),
        (
            "x-sap-ext-overview",
            json!([{ "name": "Interface", "values": [{ "text": format!("Smart ID {SMART_ID}, version {API_VERSION}"), "format": "plain" }] }]),
        ),
    ] {
        *member(document, name) = value;
    }
    let metrics = member(member(document, "paths"), "/metrics");
    *member(metrics, "servers") = json!([{
        "url": "http://{host}:{port}",
        "description": "The management listener (server.management_listen); server.listen does not have this path",
        "variables": {
            "host": { "default": "localhost", "description": "A host of the service" },
            "port": { "default": "9090", "description": "The port of server.management_listen" },
        },
    }]);
}

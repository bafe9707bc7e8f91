//! The API's description before any route is added: title, tags, schemas, security.

use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme};
use utoipa::openapi::{OpenApi, OpenApiBuilder};
use utoipa::{Modify, OpenApi as _};

use crate::api::views;
use crate::problem::API_VERSION;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Purchase orders from SRM 7 to 11VMS",
        description = "Interface PROC-SRM7-11VMS-PURCHASE-ORDER-V1, version 2. An approved shopping cart comes in, a purchase order is created in 11VMS, and its result is the answer. One cart becomes at most one order, whatever is sent twice.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "Purchase orders", description = "Carts in, orders out"),
        (name = "Operation", description = "For people who look after parked orders"),
    ),
    components(schemas(views::OrderView, views::ListView, views::PreviewView)),
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
            "A JWT of the issuer that the operator configured; its token endpoint stands in the issuer's metadata.",
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

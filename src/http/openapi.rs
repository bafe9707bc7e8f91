//! The API's description: OpenAPI 3.1 from the routes, and 3.0.3 derived from it for SAP API Management.

mod downgrade;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme};
use utoipa::openapi::{OpenApi, OpenApiBuilder};
use utoipa::{IntoResponses, Modify, OpenApi as _, ToSchema};

use super::problem::ProblemBody;
use super::{described_routes, view};

/// Which version of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spec {
    /// OpenAPI 3.1
    V3_1,
    /// OpenAPI 3.0.3
    V3_0,
}

/// An approved shopping cart, in the JSON of any of SAP's serializers: `/ui2/cl_json` in any spelling of names, or
/// asJSON, wrapped in one object or not. Missing and initial values mean the same. Further fields, customer fields
/// (`ZZ_…`) among them, are used if the mapping sheet names them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cart, example = json!(example()))]
pub struct CartDocument {
    /// BBP_PDS_SC_HEADER_D: GUID, OBJECT_ID, DESCRIPTION, POSTING_DATE, CURRENCY, TOTAL_VALUE, CO_CODE, ZZ_SALES_ORG …
    #[serde(rename = "HEADER")]
    #[schema(value_type = Object)]
    header: Map<String, Value>,
    /// GUID, NUMBER_INT, DESCRIPTION, CATEGORY_ID, QUANTITY, UNIT, PRICE, PRICE_UNIT, VALUE, DELIV_DATE, DEL_IND …
    #[serde(rename = "ITEM")]
    #[schema(value_type = Vec<Object>)]
    item: Vec<Map<String, Value>>,
    /// BBP_PDS_ACC: P_GUID, ACC_NO, ACC_CAT, DISTR_PERC, DIST_QUAN, DIST_VALUE, DIST_IND, G_L_ACCT, COST_CTR …
    #[serde(rename = "ACCOUNT")]
    #[schema(value_type = Vec<Object>, required = false)]
    account: Vec<Map<String, Value>>,
    /// P_GUID, PARTNER_FCT (00000019 supplier, 00000027 ship-to …), PARTNER_ID, COUNTRY, REGION
    #[serde(rename = "PARTNER")]
    #[schema(value_type = Vec<Object>, required = false)]
    partner: Vec<Map<String, Value>>,
    /// PROC_ORG_ID, PROC_GROUP_ID …
    #[serde(rename = "ORGDATA")]
    #[schema(value_type = Vec<Object>, required = false)]
    orgdata: Vec<Map<String, Value>>,
}

/// What every route that needs a token may refuse a request with.
#[derive(Debug, IntoResponses)]
pub enum Refusals {
    /// unsupported-version, malformed-json, invalid-parameter
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemBody),
    /// invalid-token
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// insufficient-scope
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// misdirected
    #[response(status = 421, content_type = "application/problem+json")]
    Misdirected(ProblemBody),
    /// headers-too-large
    #[response(status = 431, content_type = "application/problem+json")]
    HeadersTooLarge(ProblemBody),
    /// rate-limited
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(ProblemBody),
    /// overloaded, issuer-unavailable, ledger-unavailable
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What every route that takes a cart may refuse its body with.
#[derive(Debug, IntoResponses)]
pub enum BodyRefusals {
    /// request-timeout
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(ProblemBody),
    /// too-large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// unsupported-media-type
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(ProblemBody),
}

/// A small cart that the default mapping accepts.
fn example() -> Value {
    serde_json::from_str(include_str!("openapi/example.cart.json")).unwrap_or_default()
}

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
    components(schemas(view::OrderView, view::ListView, view::PreviewView)),
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

/// What the description says before any route is added.
pub fn base() -> OpenApi {
    let mut description = Description::openapi();
    super::API_VERSION.clone_into(&mut description.info.version);
    OpenApiBuilder::from(description).build()
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

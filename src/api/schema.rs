//! Schemas of the API's description that no answer has: the cart, and the problems that many routes share.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoResponses, ToSchema};

use crate::problem::ProblemBody;

/// An approved shopping cart, in the JSON of any of SAP's serializers: `/ui2/cl_json` in any spelling of names, or
/// asJSON, wrapped in one object or not, or as a list of one. Missing and initial values mean the same. Further fields, customer fields
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

/// The problems of every route that needs a token.
#[derive(Debug, IntoResponses)]
pub enum Refusals {
    /// malformed-request, unsupported-version, invalid-parameter; for a body malformed-json, and invalid-body for that of
    /// `resolve` and of a batch
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

/// The problems of every route that takes a body.
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
    serde_json::from_str(include_str!("example.cart.json")).unwrap_or_default()
}

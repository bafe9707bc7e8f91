//! Bodies of requests that no type of the code has: they are read as they come. `api/description` adds their schemas.

use serde_json::Value;
use utoipa::ToSchema;

/// An approved shopping cart.
#[derive(Debug, ToSchema)]
#[schema(as = Cart)]
pub struct CartDocument(#[expect(dead_code, reason = "described, and never made")] Value);

/// How an order is settled by hand.
#[derive(Debug, ToSchema)]
#[schema(as = Resolution)]
pub struct ResolutionBody(#[expect(dead_code, reason = "described, and never made")] Value);

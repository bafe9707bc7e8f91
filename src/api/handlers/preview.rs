//! `POST /v2/purchase-orders/preview`: the order that a cart would become, and the source of every field.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};

use crate::api::ApiState;
use crate::api::access::CartSender;
use crate::api::body::{JsonText, run_blocking_if_large};
use crate::api::schema::CartDocument;
use crate::api::views::PreviewView;
use crate::intake;
use crate::problem::{Problem, RequestContext};

/// Preview an order
///
/// Shows the body that 11VMS would get for a cart, and for every field the row of the mapping sheet, the value that
/// arrived and the table entry that was used. Mistakes are listed, not refused. Nothing is recorded or sent.
#[utoipa::path(
    post, path = "/v2/purchase-orders/preview", tag = "Purchase orders",
    request_body(content = CartDocument, content_type = "application/json", description = "An approved cart, as SRM serializes it, or a list of one"),
    responses(
        (status = 200, description = "What the cart would become; order is left out where messages has a mistake (type E)", body = PreviewView),
    ),
    security(("oauth2" = ["purchase-orders.write"]))
)]
pub async fn preview_purchase_order(
    State(api): State<Arc<ApiState>>,
    _sender: CartSender,
    Extension(context): Extension<Arc<RequestContext>>,
    JsonText(text): JsonText,
) -> Result<Json<PreviewView>, Problem> {
    preview_of(&api, context, text).await.map(Json)
}

/// What a text would become.
///
/// # Errors
/// If it is no cart.
pub async fn preview_of(api: &ApiState, context: Arc<RequestContext>, text: String) -> Result<PreviewView, Problem> {
    let (mapping, bounds) = (api.mapping.current(), api.bounds());
    let read = move |text: &str| {
        let cart = intake::read_one(text, bounds)?;
        context.note_cart_number(cart.number());
        Ok(mapping.preview(&cart))
    };
    Ok(run_blocking_if_large(text, read).await?.into())
}

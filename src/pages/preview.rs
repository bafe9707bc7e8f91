//! `/preview`: paste a cart, see the order and the source of each field, or every mistake. The same work as
//! `POST /v2/purchase-orders/preview`, without effect.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, FromRequestParts as _, Request, State};
use axum::response::Response;
use axum::routing::get;

use super::answer::{lasting_page, page, rendered};
use super::form::{ENCODED, Form, FormPermits, OVERHEAD};
use super::frame::{Frame, Section};
use super::refusal::refused;
use super::sample::SAMPLE;
use crate::api::ApiState;
use crate::api::access::CartSender;
use crate::api::body::expect_within;
use crate::api::handlers::preview::preview_of;
use crate::api::views::PreviewView;
use crate::config::Audience;
use crate::problem::{Problem, RequestContext};

/// Bytes of a cart that come back to somebody without a token. A page in which every character is escaped is five times as long, and
/// anybody could have many of them made, and read them slowly.
const KEPT: usize = 64 * 1024;

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage<'a> {
    frame: Frame,
    cart: &'a str,
    needs_token: bool,
    scope: &'a str,
    /// What the cart would become.
    preview: Option<&'a PreviewView>,
    /// The order as indented JSON, if the cart has no mistakes.
    order: Option<String>,
    /// Why there is no preview.
    refusal: Option<&'a Problem>,
}

/// The form, and its answer.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/preview", get(get_preview_page).post(post_preview_page))
        .layer(Extension(FormPermits::default()))
}

/// The form is for everybody: it shows a sample, and nothing of the mapping.
async fn get_preview_page(State(api): State<Arc<ApiState>>) -> Response {
    lasting_page(&PreviewPage::of(&api, SAMPLE))
}

async fn post_preview_page(
    State(api): State<Arc<ApiState>>,
    Extension(permits): Extension<FormPermits>,
    Extension(context): Extension<Arc<RequestContext>>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let mut cart = String::new();
    // Held until the page is made: that of a large cart is several times as large.
    let permit = permits.take();
    let answer = async {
        permit.as_ref().map_err(Problem::clone)?;
        let limits = &api.server.limits;
        let limit = limits.max_body.saturating_mul(ENCODED).saturating_add(OVERHEAD);
        let mut form = Form::read(request, limit, &api).await?;
        expect_within(form.field("cart"), limits.max_body)?;
        // The page has the sender's text, to be corrected, or to be sent again with another token.
        if form.field("cart").len() <= KEPT {
            form.field("cart").clone_into(&mut cart);
        }
        let _sender = match api.pages.preview {
            Audience::Public => None,
            Audience::TokenHolders => Some(CartSender::from_request_parts(&mut form.parts, &api).await?),
        };
        form.field("cart").clone_into(&mut cart);
        preview_of(&api, context, cart.clone()).await
    };
    match answer.await {
        Ok(preview) => {
            page(&PreviewPage { preview: Some(&preview), order: order(&preview), ..PreviewPage::of(&api, &cart) })
        }
        // Never the sample, which nobody sent.
        Err(problem) => refused(problem, &headers, |problem| {
            rendered(&PreviewPage { refusal: Some(problem), ..PreviewPage::of(&api, &cart) })
        }),
    }
}

fn order(preview: &PreviewView) -> Option<String> {
    preview.order.as_ref().and_then(|order| serde_json::to_string_pretty(order).ok())
}

impl<'a> PreviewPage<'a> {
    /// The form with a cart.
    fn of(api: &'a ApiState, cart: &'a str) -> Self {
        Self {
            frame: Frame::new(Section::Preview, "Try a cart"),
            cart,
            needs_token: api.pages.preview == Audience::TokenHolders,
            scope: api.resource.accepted().first().map_or("", |issuer| &issuer.write),
            preview: None,
            order: None,
            refusal: None,
        }
    }
}

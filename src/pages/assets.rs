//! The files that pages load: the stylesheet, the icon, and a cart to begin with. Each is a part of the program.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get};

use super::sample::SAMPLE;
use crate::api::{ApiState, TaggedContent};

static STYLE: LazyLock<TaggedContent> =
    LazyLock::new(|| TaggedContent::new("text/css; charset=utf-8", include_str!("assets/style.css")));
static ICON: LazyLock<TaggedContent> =
    LazyLock::new(|| TaggedContent::new("image/svg+xml", include_str!("assets/favicon.svg")));
static CART: LazyLock<TaggedContent> = LazyLock::new(|| TaggedContent::new("application/json", SAMPLE));

/// The files' routes.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/assets/style.css", file(&STYLE))
        .route("/assets/favicon.svg", file(&ICON))
        .route("/assets/sample.cart.json", file(&CART))
}

fn file(content: &'static LazyLock<TaggedContent>) -> MethodRouter<Arc<ApiState>> {
    get(async |headers: HeaderMap| content.answer(&headers))
}

//! What people look at: what the interface is, the API's description, the mapping sheet in use, a form that maps a cart, and a
//! page for each kind of problem. Everything works offline, and all but the reference without JavaScript.

mod answer;
mod assets;
mod docs;
mod form;
mod frame;
mod home;
mod mapping;
mod messages;
mod preview;
mod problems;
mod refusal;
mod sample;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;

use crate::api::{ApiState, add_token_if_fetched};

/// The public pages.
pub fn router() -> Router<Arc<ApiState>> {
    let forms = Router::new().merge(mapping::router()).merge(preview::router());
    Router::new()
        .merge(assets::router())
        .merge(docs::router())
        .merge(home::router())
        .merge(problems::router())
        .merge(forms.layer(from_fn(add_token_if_fetched)))
}

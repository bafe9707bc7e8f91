//! What people look at: the API's description, and a page for each kind of problem. Everything works offline.

mod docs;
mod problems;

use std::sync::Arc;

use axum::Router;

use crate::api::ApiState;

/// The public pages.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new().merge(docs::router()).merge(problems::router())
}

//! What people look at: the API's description, and a page for each kind of problem. Everything works offline.

mod docs;
mod problems;

use axum::Router;

/// The public pages.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().merge(docs::router()).merge(problems::router())
}

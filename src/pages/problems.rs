//! A page for each kind of problem: the `type` of a problem leads here (RFC 9457 §3.1.1).

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;

use crate::problem::{Problem, ProblemKind};

/// The pages.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/problems/{name}", get(get_problem_page))
}

async fn get_problem_page(Path(name): Path<String>) -> Response {
    match ProblemKind::ALL.iter().find(|kind| kind.name == name) {
        Some(kind) => Html(page(*kind)).into_response(),
        None => Problem::new(ProblemKind::NOT_FOUND, "no such problem").into_response(),
    }
}

/// Explanation, what to do, and a body such as callers get.
fn page(kind: ProblemKind) -> String {
    let ProblemKind { name, status, title, explanation, remedy, .. } = kind;
    let sample = escaped(&serde_json::to_string_pretty(&kind.sample()).unwrap_or_default());
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p><code>/problems/{name}</code>, status {status}</p>\n<p>{explanation}</p>\n\
         <h2>What to do</h2>\n<p>{remedy}</p>\n<h2>A body of this kind</h2>\n<pre>{sample}</pre>\n</body>\n</html>\n"
    )
}

/// Text as HTML content.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

//! A page for each kind of problem: the `type` of a problem leads here (RFC 9457 §3.1.1).

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;

use crate::message::{Message, MessageCode};
use crate::problem::{Problem, ProblemKind, RequestContext};

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
    let sample = escaped(&sample_body(kind));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p><code>/problems/{name}</code>, status {status}</p>\n<p>{explanation}</p>\n\
         <h2>What to do</h2>\n<p>{remedy}</p>\n<h2>A body of this kind</h2>\n<pre>{sample}</pre>\n</body>\n</html>\n"
    )
}

fn sample_body(kind: ProblemKind) -> String {
    const ORDER: &str = "005056a207c81ed1bfc6b69e72f50550";
    let request = RequestContext::sample(&sample_path(kind, ORDER));
    let problem = Problem::new(kind, kind.example);
    let problem = match kind {
        ProblemKind::REFUSED_BY_11VMS => problem
            .order(ORDER)
            .with_messages(vec![Message::new(MessageCode::Refused, kind.example)])
            .vms(Some(json!({ "message": "cost center 1000 is closed" }))),
        ProblemKind::PARKED => {
            problem.order(ORDER).with_messages(vec![Message::new(MessageCode::Parked, kind.example)])
        }
        ProblemKind::ORDER_EXISTS
        | ProblemKind::ORDER_CANCELLED
        | ProblemKind::ALREADY_SETTLED
        | ProblemKind::ATTEMPT_UNDER_WAY
        | ProblemKind::STILL_OPEN => problem.order(ORDER),
        ProblemKind::INVALID_CART => {
            let message = Message::new(MessageCode::Missing, kind.example).at("HEADER", "ZZ_SALES_ORG", 0);
            problem.with_messages(vec![message])
        }
        ProblemKind::MALFORMED_JSON => problem.position(4, 12),
        _ => problem,
    };
    serde_json::to_string_pretty(&problem.body(&request)).unwrap_or_default()
}

/// The path of a request that gets the problem.
fn sample_path(kind: ProblemKind, order: &str) -> String {
    match kind {
        ProblemKind::INVALID_BODY | ProblemKind::ALREADY_SETTLED | ProblemKind::ATTEMPT_UNDER_WAY => {
            format!("/v2/purchase-orders/{order}/resolve")
        }
        ProblemKind::NOT_FOUND => "/v2/purchase-orders/4711".to_owned(),
        ProblemKind::STOPPING => "/readyz".to_owned(),
        // Nothing of the request is read.
        ProblemKind::TLS_EXPECTED | ProblemKind::URI_TOO_LONG => "/".to_owned(),
        _ => "/v2/purchase-orders".to_owned(),
    }
}

/// Text as HTML content.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

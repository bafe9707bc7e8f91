//! A page for each kind of problem: the `type` of a problem leads here (RFC 9457 §3.1.1); and one that lists all of them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::answer::lasting_page;
use super::frame::{Frame, Section};
use super::messages::{MessageGroup, Span, groups};
use crate::api::ApiState;
use crate::api::description::Occurrence;
use crate::problem::{Problem, ProblemKind};

#[derive(Template)]
#[template(path = "problems.html")]
struct ProblemsPage<'a> {
    frame: Frame,
    kinds: &'a [ProblemKind],
    groups: &'a [MessageGroup],
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    kind: ProblemKind,
    occurrence: Occurrence,
    pages: Vec<(&'static str, &'static str)>,
    sample: String,
    previous: Option<ProblemKind>,
    next: Option<ProblemKind>,
}

/// Problems of a form that was sent.
const OF_FORMS: &[ProblemKind] = &[
    ProblemKind::INVALID_TOKEN,
    ProblemKind::INSUFFICIENT_SCOPE,
    ProblemKind::RATE_LIMITED,
    ProblemKind::ISSUER_UNAVAILABLE,
    ProblemKind::TOO_LARGE,
    ProblemKind::UNSUPPORTED_MEDIA_TYPE,
];

/// Pages, and the problems that they answer with.
const PAGES: [(&str, &str, &[&[ProblemKind]]); 4] = [
    ("/mapping", "the sheet in use", &[OF_FORMS]),
    ("/preview", "the form for a cart", &[OF_FORMS, &[ProblemKind::MALFORMED_JSON, ProblemKind::INVALID_CART]]),
    ("/problems", "a problem that there is not", &[&[ProblemKind::NOT_FOUND]]),
    ("/", "a path that there is not", &[&[ProblemKind::NOT_FOUND]]),
];

/// The pages that answer with a kind of problem: path, and what it is about.
fn pages_with(kind: ProblemKind) -> Vec<(&'static str, &'static str)> {
    let has = |kinds: &[&[ProblemKind]]| kinds.iter().any(|kinds| kinds.contains(&kind));
    PAGES.iter().filter(|(.., kinds)| has(kinds)).map(|(path, title, _)| (*path, *title)).collect()
}

/// The pages.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new().route("/problems", get(get_problems_page)).route("/problems/{name}", get(get_problem_page))
}

async fn get_problems_page() -> Response {
    let frame = Frame::new(Section::Problems, "Problems");
    lasting_page(&ProblemsPage { frame, kinds: ProblemKind::ALL, groups: groups() })
}

async fn get_problem_page(Path(name): Path<String>) -> Response {
    let Some(at) = ProblemKind::ALL.iter().position(|kind| kind.name == name) else {
        return Problem::new(ProblemKind::NOT_FOUND, "no such problem").into_response();
    };
    let at_index = |index: Option<usize>| index.and_then(|index| ProblemKind::ALL.get(index)).copied();
    let Some(kind) = at_index(Some(at)) else { return Problem::internal_error().into_response() };
    lasting_page(&ProblemPage {
        frame: Frame::new(Section::Problems, kind.title),
        kind,
        occurrence: Occurrence::of(kind),
        pages: pages_with(kind),
        sample: serde_json::to_string_pretty(&kind.sample()).unwrap_or_default(),
        previous: at_index(at.checked_sub(1)),
        next: at_index(at.checked_add(1)),
    })
}

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

/// The pages that answer with a kind of problem: path, and what is there. Both have a form that is read as a body is.
fn pages_with(kind: ProblemKind, occurrence: &Occurrence) -> Vec<(&'static str, &'static str)> {
    let pages = [
        ("/preview", "the form for a cart", true),
        ("/mapping", "the sheet in use", kind != ProblemKind::INVALID_CART),
    ];
    let has_it = pages.into_iter().filter(|(.., has_it)| *has_it && occurrence.is_of_previews());
    has_it.map(|(path, title, _)| (path, title)).collect()
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
    let occurrence = Occurrence::of(kind);
    lasting_page(&ProblemPage {
        frame: Frame::new(Section::Problems, kind.title),
        kind,
        pages: pages_with(kind, &occurrence),
        occurrence,
        sample: serde_json::to_string_pretty(&kind.sample()).unwrap_or_default(),
        previous: at_index(at.checked_sub(1)),
        next: at_index(at.checked_add(1)),
    })
}

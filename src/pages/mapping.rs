//! `/mapping`: the sheet in use as people read it, what is refused, and what a rehearsal against the examples says.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, FromRequestParts as _, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;

use super::answer::{page, rendered};
use super::form::{Form, FormPermits, OVERHEAD};
use super::frame::{Frame, Section};
use super::refusal::refused;
use crate::api::ApiState;
use crate::api::access::OrderReader;
use crate::config::Audience;
use crate::mapping::{MappingInUse, Refusal};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "mapping.html")]
struct MappingPage {
    frame: Frame,
    state: Arc<MappingInUse>,
    refusal: Option<Refusal>,
    has_conditions: bool,
}

#[derive(Template)]
#[template(path = "mapping-locked.html")]
struct LockedPage<'a> {
    frame: Frame,
    problem: &'a Problem,
    scope: &'a str,
}

/// The page, by a header's token, or by that of a form.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/mapping", get(get_mapping_page).post(post_mapping_page))
        .layer(Extension(FormPermits::default()))
}

async fn get_mapping_page(State(api): State<Arc<ApiState>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match show(&mut parts, &api).await {
        Ok(response) => response,
        Err(problem) => locked(problem, &parts.headers, &api),
    }
}

async fn post_mapping_page(
    State(api): State<Arc<ApiState>>,
    Extension(permits): Extension<FormPermits>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let answer = async {
        let _permit = permits.take()?;
        let mut form = Form::read(request, OVERHEAD, &api).await?;
        show(&mut form.parts, &api).await
    };
    answer.await.unwrap_or_else(|problem| locked(problem, &headers, &api))
}

async fn show(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Response, Problem> {
    let _reader = match api.pages.mapping {
        Audience::Public => None,
        Audience::TokenHolders => Some(OrderReader::from_request_parts(parts, api).await?),
    };
    // In this order: a refusal that is over is gone before the next mapping is in use.
    let (state, refusal) = (api.mapping.in_use(), api.mapping.state().refusal);
    let has_conditions = state.listing.rows.iter().any(|row| !row.when.is_empty());
    Ok(page(&MappingPage { frame: frame(), state, refusal, has_conditions }))
}

fn locked(problem: Problem, headers: &HeaderMap, api: &ApiState) -> Response {
    let scope = api.resource.accepted().first().map_or("", |issuer| &issuer.read);
    refused(problem, headers, |problem| rendered(&LockedPage { frame: frame(), problem, scope }))
}

fn frame() -> Frame {
    Frame::new(Section::Mapping, "The mapping sheet")
}

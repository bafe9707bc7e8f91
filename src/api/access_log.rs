//! The access log: one line for each request, and never what the request carried.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tracing::{debug, info, warn};

use super::propagation::sap_passport;
use super::request_path::sent_path;
use crate::edge::Peer;
use crate::problem::{Problem, RequestContext};
use crate::telemetry::STEP;
use crate::telemetry::metrics::AnsweredRequest;

/// Characters of a path that are logged: a longer one would fill the log.
const MAX_PATH_CHARS: usize = 200;

/// What the log says of a request, taken before the request is handed on.
pub struct AccessLogEntry {
    method: &'static str,
    route: Option<String>,
    /// For a request without a route, which nothing else in its line tells from others.
    path: Option<String>,
    client_address: String,
    sap_passport: Option<String>,
}

impl AccessLogEntry {
    /// Reads what the request shows.
    pub fn of(request: &Request, peer: &Peer) -> Self {
        let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
        Self {
            method: known_method(request.method()),
            path: route.is_none().then(|| sent_path(request).chars().take(MAX_PATH_CHARS).collect()),
            route,
            client_address: peer.address.to_string(),
            sap_passport: sap_passport(request.headers()),
        }
    }

    /// The request as it is counted, once it is answered.
    pub fn answered(&self, status: StatusCode) -> AnsweredRequest<'_> {
        AnsweredRequest { method: self.method, route: self.route.as_deref(), status: status.as_u16() }
    }

    /// Writes the line of an answered request: WARN with the problem if there is one, else INFO; probes that go well
    /// are DEBUG, because they come every few seconds and say nothing.
    pub fn write(&self, request: &RequestContext, response: &Response, took: Duration) {
        let problem = response.extensions().get::<Arc<Problem>>().map(Arc::as_ref);
        let status = response.status();
        debug!(target: STEP, { http.response.status_code = status.as_u16() }, "answered");
        if problem.is_none() && matches!(self.route.as_deref(), Some("/livez" | "/readyz" | "/metrics")) {
            debug!(http.route = self.route, http.response.status_code = status.as_u16(), "a probe was answered");
        } else {
            self.write_line(request, status, problem, took);
        }
    }

    fn write_line(&self, request: &RequestContext, status: StatusCode, problem: Option<&Problem>, took: Duration) {
        let order_id = request.order_id().or_else(|| problem.and_then(Problem::order_id));
        let (route, passport) = (self.route.as_deref().unwrap_or("none"), self.sap_passport.as_deref());
        if let Some(problem) = problem {
            warn!(
                http.request.method = self.method,
                http.route = route,
                url.path = self.path,
                http.response.status_code = status.as_u16(),
                http.request.id = request.id.as_str(),
                http.server.request.duration = took.as_secs_f64(),
                client.address = self.client_address,
                oauth2.client_id = request.client(),
                order.id = order_id,
                cart.number = request.cart_number(),
                batch.carts = request.carts(),
                sap.passport = passport,
                problem.type = problem.kind().name,
                error.message = problem.summary(),
                "the request was answered with a problem"
            );
        } else {
            info!(
                http.request.method = self.method,
                http.route = route,
                url.path = self.path,
                http.response.status_code = status.as_u16(),
                http.request.id = request.id.as_str(),
                http.server.request.duration = took.as_secs_f64(),
                client.address = self.client_address,
                oauth2.client_id = request.client(),
                order.id = order_id,
                cart.number = request.cart_number(),
                batch.carts = request.carts(),
                sap.passport = passport,
                "the request was answered"
            );
        }
    }
}

/// The method's name; `_OTHER` for one that no specification has, as OpenTelemetry's conventions want it.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::CONNECT => "CONNECT",
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

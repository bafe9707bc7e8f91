//! What is counted of callers' requests.

use std::time::Duration;

use crate::auth::AuthError;
use crate::metric::{Family, HTTP_DURATIONS, Histogram, NamedCounters};

/// The duration of requests with one method and status.
#[derive(Debug)]
pub struct RequestDuration(pub Histogram);

impl Default for RequestDuration {
    fn default() -> Self {
        Self(Histogram::new(HTTP_DURATIONS))
    }
}

/// The requests of one route, by method and status.
type Route = Family<(&'static str, u16), RequestDuration>;

/// The durations of requests, by the template of their route.
#[derive(Debug, Default)]
pub struct RequestDurations {
    routes: Family<String, Route>,
}

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredRequest<'a> {
    /// The method's name; `_OTHER` for one that no specification has.
    pub method: &'static str,
    /// The template of the route; `None` if no route serves the path.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
}

impl RequestDurations {
    /// Counts an answered request.
    pub fn observe(&self, request: AnsweredRequest<'_>, took: Duration) {
        let route = self.routes.get(request.route.unwrap_or_default());
        route.get(&(request.method, request.status)).0.observe(took);
    }

    /// Every route, method and status that occurred.
    pub fn for_each(&self, mut visit: impl FnMut(AnsweredRequest<'_>, &Histogram)) {
        for (route, requests) in self.routes.all() {
            for ((method, status), duration) in requests.all() {
                visit(AnsweredRequest { method, route: Some(&route), status }, &duration.0);
            }
        }
    }
}

/// The checks of callers' tokens.
#[derive(Debug)]
pub struct TokenChecks(NamedCounters<4>);

impl Default for TokenChecks {
    fn default() -> Self {
        Self(NamedCounters::new(["valid", "missing", "invalid", "issuer-unavailable"]))
    }
}

impl TokenChecks {
    /// Counts a check.
    pub fn count<T>(&self, result: &Result<T, AuthError>) {
        self.0.count(match result {
            // The token is valid, whatever it permits.
            Ok(_) | Err(AuthError::InsufficientScope(_)) => "valid",
            Err(error) => error.kind(),
        });
    }

    /// Every result with its number.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.all()
    }
}

//! Problem details (RFC 9457): every error that a caller gets, and what all answers have in common.
//!
//! Stands below the rooms that answer, `edge` and `api`, and knows neither.

mod body;
mod kind;
mod refusals;
mod request;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

pub use body::{MessageView, ProblemBody};
pub use kind::ProblemKind;
pub use refusals::Refusals;
pub use request::{API_VERSION, RequestContext, RequestId, SMART_ID};

use crate::message::{Message, MessageCode};
use request::shown_cart_number;

/// The media type of every error body (RFC 9457 §3).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// `Retry-After` where the cause usually passes within a second: too many requests at once.
pub const RETRY_SOON: Duration = Duration::from_secs(1);

/// `Retry-After` where the cause lasts longer: a ledger or an issuer that can't be reached.
pub const RETRY_LATER: Duration = Duration::from_secs(10);

/// A wait as `Retry-After` has it: rounded up, because earlier would be too early, and at least a second.
pub fn whole_seconds(wait: Duration) -> HeaderValue {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(seconds.max(1))
}

/// An error on its way to the caller.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    order_id: Option<String>,
    cart_number: Option<String>,
    messages: Vec<Message>,
    warnings: Vec<Message>,
    vms: Option<Value>,
    readiness: Option<Value>,
    position: Option<(usize, usize)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Creates a problem of a kind; `detail` says what happened this time.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            order_id: None,
            cart_number: None,
            messages: Vec::new(),
            warnings: Vec::new(),
            vms: None,
            readiness: None,
            position: None,
            headers: Vec::new(),
        }
    }

    /// A defect of the service. The log has its cause; the caller learns only that it happened.
    pub fn internal_error() -> Self {
        Self::new(ProblemKind::INTERNAL_ERROR, "The service failed while it worked on this request.")
    }

    /// The kind of problem.
    pub const fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// What happened this time.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The order that the problem is about.
    pub fn order_id(&self) -> Option<&str> {
        self.order_id.as_deref()
    }

    /// Names the order that the problem is about.
    #[must_use]
    pub fn order(mut self, id: &str) -> Self {
        self.order_id = Some(id.to_owned());
        self
    }

    /// The number of the cart that the problem is about.
    pub fn cart_number(&self) -> Option<&str> {
        self.cart_number.as_deref()
    }

    /// Names the cart that the problem is about; a cart without a number stays unnamed.
    #[must_use]
    pub fn cart(mut self, number: &str) -> Self {
        self.cart_number = shown_cart_number(number).or(self.cart_number);
        self
    }

    /// Adds messages in BAPIRET2 shape.
    #[must_use]
    pub fn with_messages(mut self, messages: Vec<Message>) -> Self {
        self.messages = messages;
        self
    }

    /// Adds the warnings about the cart, which follow the messages.
    #[must_use]
    pub fn with_warnings(mut self, warnings: Vec<Message>) -> Self {
        self.warnings = warnings;
        self
    }

    /// The number of messages.
    pub const fn count_messages(&self) -> usize {
        self.messages.len()
    }

    /// Keeps the first 20 messages: the answer to a batch has to stay readable.
    #[must_use]
    pub fn with_fewer_messages(mut self) -> Self {
        const SHOWN: usize = 20;
        if self.messages.len() > SHOWN {
            self.detail = format!(
                "The cart has {} mistakes; messages lists {SHOWN}. Alone, it gets them all.",
                self.messages.len()
            );
            self.messages.truncate(SHOWN);
            self.messages.shrink_to_fit();
        }
        self
    }

    /// Adds 11VMS's own answer.
    #[must_use]
    pub fn vms(mut self, answer: Option<Value>) -> Self {
        self.vms = answer;
        self
    }

    /// Adds what works and what does not, where a readiness is refused.
    #[must_use]
    pub fn readiness(mut self, readiness: Value) -> Self {
        self.readiness = Some(readiness);
        self
    }

    /// Adds line and column in the request's body, both counted from 1.
    #[must_use]
    pub const fn position(mut self, line: usize, column: usize) -> Self {
        self.position = Some((line, column));
        self
    }

    /// Adds `Retry-After` (RFC 9110 §10.2.3) in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header(header::RETRY_AFTER, whole_seconds(wait))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The headers of the answer that belong to the problem.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.headers.iter().map(|(name, value)| (name, value))
    }

    /// The body of the answer to one request.
    pub fn body(&self, request: &RequestContext) -> ProblemBody {
        let ProblemKind { name, status, title, .. } = self.kind;
        ProblemBody {
            kind: format!("/problems/{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            instance: request.path.clone(),
            request_id: request.id.to_string(),
            order_id: self.order_id.clone(),
            cart_number: self.cart_number.clone().or_else(|| request.cart_number().map(str::to_owned)),
            line: self.position.map(|(line, _)| line),
            column: self.position.map(|(_, column)| column),
            messages: self.messages().iter().chain(&self.warnings).map(MessageView::from).collect(),
            vms: self.vms.clone(),
            readiness: self.readiness.clone(),
        }
    }

    /// The messages; a problem without any gets one that repeats its detail, so that an ABAP caller always finds one.
    fn messages(&self) -> Vec<Message> {
        if self.messages.is_empty() {
            vec![Message::new(MessageCode::Request, &self.detail)]
        } else {
            self.messages.clone()
        }
    }

    /// The detail and the first three messages on one line, for the log.
    pub fn summary(&self) -> String {
        let messages = self.messages.iter().take(3).map(|message| message.message.as_str());
        let more: Vec<&str> = messages.filter(|message| *message != self.detail).collect();
        if more.is_empty() { self.detail.clone() } else { format!("{} {}", self.detail, more.join("; ")) }
    }
}

impl IntoResponse for Problem {
    /// Writes the whole answer: status, headers and body. The problem itself travels on as an extension of the
    /// response, for the access log.
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body(&RequestContext::current()))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.extend(self.headers.iter().cloned());
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

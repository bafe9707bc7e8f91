//! Problem details (RFC 9457): every error of the API, and the page that explains it.

mod kind;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub use kind::ProblemKind;

use super::view::MessageView;

use crate::message::{Message, MessageCode};

/// The media type of every error body.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error on its way to the caller; the frame around all routes gives it its body.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    order_id: Option<String>,
    messages: Vec<Message>,
    vms: Option<Value>,
    position: Option<(usize, usize)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// An error of a kind; `detail` says what happened this time.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            order_id: None,
            messages: Vec::new(),
            vms: None,
            position: None,
            headers: Vec::new(),
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// The order that it is about.
    #[must_use]
    pub fn order(mut self, id: &str) -> Self {
        self.order_id = Some(id.to_owned());
        self
    }

    /// What SAP people read.
    #[must_use]
    pub fn with_messages(mut self, messages: Vec<Message>) -> Self {
        self.messages = messages;
        self
    }

    /// How many mistakes it lists.
    pub const fn count_messages(&self) -> usize {
        self.messages.len()
    }

    /// With so many mistakes beside it, only its first ones.
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

    /// 11VMS's own answer.
    #[must_use]
    pub fn vms(mut self, answer: Option<Value>) -> Self {
        self.vms = answer;
        self
    }

    /// Line and column in the body.
    #[must_use]
    pub const fn position(mut self, line: usize, column: usize) -> Self {
        self.position = Some((line, column));
        self
    }

    /// When to come again; whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)))
    }

    /// A header of the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The body, for one request.
    pub fn body(&self, instance: &str, request_id: &str) -> ProblemBody {
        let ProblemKind { name, status, title, .. } = self.kind;
        ProblemBody {
            kind: format!("/problems/{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone(),
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
            order_id: self.order_id.clone(),
            line: self.position.map(|(line, _)| line),
            column: self.position.map(|(_, column)| column),
            messages: self.messages().iter().map(MessageView::from).collect(),
            vms: self.vms.clone(),
        }
    }

    /// What SAP people read; an ABAP caller finds at least one message in every problem.
    fn messages(&self) -> Vec<Message> {
        if self.messages.is_empty() {
            vec![Message::new(MessageCode::Request, &self.detail)]
        } else {
            self.messages.clone()
        }
    }

    /// One line for the log.
    pub fn log_line(&self) -> String {
        let mut line = format!("{}: {}", self.kind.name, self.detail);
        for message in self.messages.iter().take(3) {
            // Writing to a String can't fail.
            let _ = write!(line, "; {}", message.message);
        }
        line
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let mut response = self.kind.status.into_response();
        response.headers_mut().extend(self.headers.drain(..));
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Problem details (RFC 9457) with SAP's messages.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A page of the service that explains the problem.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "/problems/invalid-cart")]
    pub kind: String,
    /// The kind of problem, always the same text for one type.
    #[schema(example = "The cart can't become an order")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What happened this time.
    #[schema(example = "HEADER.ZZ_SALES_ORG is missing or initial; it is mandatory")]
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/v2/purchase-orders")]
    pub instance: String,
    /// The request, as in X-Request-Id.
    pub request_id: String,
    /// The order that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// Line in the body, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in the line, in bytes, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Every mistake, in BAPIRET2 shape; at least one.
    pub messages: Vec<MessageView>,
    /// 11VMS's own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vms: Option<Value>,
}

//! The reasons for which a request is refused because of its token.

use std::time::Duration;

use thiserror::Error;

/// Why the issuer gives no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct Unavailable {
    /// For logs only.
    pub detail: String,
    /// How long the issuer is not asked again, if that is known.
    pub retry_after: Option<Duration>,
}

impl From<String> for Unavailable {
    fn from(detail: String) -> Self {
        Self { detail, retry_after: None }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuthError {
    /// The request has no token.
    #[error("expected an Authorization header with a bearer token")]
    Missing,
    /// The token is not valid. The text says why, and never repeats its content.
    #[error("{0}")]
    Invalid(&'static str),
    /// The token is valid, and lacks the scope of this name.
    #[error("the token lacks the scope {0}")]
    InsufficientScope(String),
    /// Whether the token is valid is unknown, because the issuer gives no answer. The text is for logs only.
    #[error("the issuer can't be asked: {0}")]
    IssuerUnavailable(Unavailable),
}

impl AuthError {
    /// Its name in traces; and in metrics, where a token that lacks a scope is a valid one.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid(_) => "invalid",
            Self::InsufficientScope(_) => "insufficient-scope",
            Self::IssuerUnavailable(_) => "issuer-unavailable",
        }
    }
}

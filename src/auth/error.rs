//! The reasons for which a request is refused because of its token.

use std::time::Duration;

use serde_json::Value;
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
    /// The token is from an issuer that is not accepted. The names are for logs only.
    #[error("the token is from another issuer")]
    OtherIssuer {
        /// The token's, at most 200 characters.
        found: String,
        /// Those that are accepted.
        accepted: String,
    },
    /// The token is valid, and lacks the scope of this name.
    #[error("the token lacks the scope {0}")]
    InsufficientScope(String),
    /// Whether the token is valid is unknown, because the issuer gives no answer. The text is for logs only.
    #[error("the issuer can't be asked: {0}")]
    IssuerUnavailable(Unavailable),
}

/// Most characters of somebody else's text in a log.
const MAX_FOREIGN_CHARS: usize = 200;

/// A text of a token, or of another server than the issuer, as a log may have it: short, and in one line.
pub(super) fn loggable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_FOREIGN_CHARS).collect()
}

impl AuthError {
    /// The refusal of a token's `iss`, which may be anything.
    pub(super) fn other_issuer(found: &Value, accepted: impl Into<String>) -> Self {
        let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        Self::OtherIssuer { found: loggable(&found), accepted: accepted.into() }
    }

    /// Whether the issuer, or the token itself, has decided: the same token gets the same answer.
    pub(super) const fn is_verdict(&self) -> bool {
        matches!(self, Self::Invalid(_) | Self::OtherIssuer { .. })
    }

    /// Its name in traces; and in metrics, where a token that lacks a scope is a valid one.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid(_) | Self::OtherIssuer { .. } => "invalid",
            Self::InsufficientScope(_) => "insufficient-scope",
            Self::IssuerUnavailable(_) => "issuer-unavailable",
        }
    }
}

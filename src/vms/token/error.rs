//! The reasons for which there is no token.

use std::time::Duration;

use thiserror::Error;

/// Why no token can be fetched. The texts are part of an attempt's detail, and contain no secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// The secret's file, or the private key, can't be used.
    #[error("{0}")]
    Secret(String),
    /// The token endpoint refused, or its answer can't be used.
    #[error("the token endpoint {0}")]
    Endpoint(String),
    /// The token endpoint wants to be left alone.
    #[error("the token endpoint {problem}; it gets no request for {} s", seconds(*wait))]
    Throttled {
        /// What it answered.
        problem: String,
        /// How long no request is sent to it.
        wait: Duration,
    },
    /// The fetch ended without a result.
    #[error("the fetch of a token broke off")]
    BrokenOff,
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl TokenError {
    /// Its name in a trace.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secret",
            Self::Endpoint(_) => "token_endpoint",
            Self::Throttled { .. } => "token_endpoint_throttles",
            Self::BrokenOff => "broken_off",
        }
    }
}

//! The reasons for which there is no token.

use thiserror::Error;

/// Why no token can be fetched. The texts are part of an attempt's detail, and contain no secret.
#[derive(Debug, Clone, Error)]
pub enum TokenError {
    /// The secret's file, or the private key, can't be used.
    #[error("{0}")]
    Secret(String),
    /// The token endpoint refused, or its answer can't be used.
    #[error("the token endpoint {0}")]
    Endpoint(String),
    /// The fetch ended without a result.
    #[error("the fetch of a token broke off")]
    BrokenOff,
}

impl TokenError {
    /// Its name in a trace.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secret",
            Self::Endpoint(_) => "token_endpoint",
            Self::BrokenOff => "broken_off",
        }
    }
}

//! The failure of a fetch of the issuer's keys.

use std::time::Duration;

/// Why keys can't be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// The URL, or the issuer whose metadata can't be read.
    pub location: String,
    /// The reason, for logs.
    pub detail: String,
    /// How long the issuer wants to be left alone, if it throttles.
    pub retry_after: Option<Duration>,
}

impl FetchError {
    /// A failure after which the usual cool-down is long enough.
    pub fn new(location: impl Into<String>, detail: String) -> Self {
        Self { location: location.into(), detail, retry_after: None }
    }
}

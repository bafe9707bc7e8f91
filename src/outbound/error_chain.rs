//! The text of a failed request.

use std::error::Error as _;

/// The causes of an error, joined by colons, without the URL, which may hold more than a log should.
pub fn error_chain(error: &reqwest::Error) -> String {
    let mut texts = vec![];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    if texts.is_empty() { "the request failed".to_owned() } else { texts.join(": ") }
}

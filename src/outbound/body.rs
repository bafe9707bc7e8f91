//! Bodies of answers, read up to a limit.

use reqwest::Response;

use super::error_chain::error_chain;

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// If the body is larger, or breaks off.
pub async fn read_limited(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(format!("sent more than {limit} bytes")),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("broke off: {}", error_chain(&error))),
        }
    }
}

//! Content that changes seldom, with its entity tag: whoever has the newest gets 304 (RFC 9110 §13).

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::digest::{hex, sha256};

/// Bytes of SHA-256 in a tag: enough that no two contents have the same.
const TAG_BYTES: usize = 16;

/// Content, its media type and its tag.
#[derive(Debug, Clone)]
pub struct TaggedContent {
    media_type: &'static str,
    bytes: Bytes,
    tag: String,
}

impl TaggedContent {
    /// Computes the tag, a strong one: equal tags mean equal bytes (RFC 9110 §8.8.1).
    pub fn new(media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let tag = format!("\"{}\"", hex(sha256(&bytes).get(..TAG_BYTES).unwrap_or_default()));
        Self { media_type, bytes, tag }
    }

    /// A document as JSON.
    pub fn json(document: &impl Serialize) -> Self {
        Self::new("application/json", serde_json::to_vec(document).unwrap_or_default())
    }

    /// The content, or 304 to a client that has it. Caches may keep it, and ask each time whether it is still the newest.
    pub fn answer(&self, request: &HeaderMap) -> Response {
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type))];
        let mut response = if is_known(request, &self.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            (content_type, self.bytes.clone()).into_response()
        };
        let headers = response.headers_mut();
        headers.extend(HeaderValue::from_str(&self.tag).map(|tag| (header::ETAG, tag)));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// Whether `If-None-Match` has the tag; it compares weakly (RFC 9110 §13.1.2).
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_has_the_content_does_not_get_it_again() {
        let content = TaggedContent::new("application/json", "{}");
        let tag = content.tag.as_str();
        let (weak, list) = (format!("W/{tag}"), format!("\"x\", {tag}"));
        for (sent, status) in [
            (Some(tag), 304),
            (Some(&weak), 304),
            (Some(&list), 304),
            (Some("*"), 304),
            (Some("\"x\""), 200),
            (None, 200),
        ] {
            let mut request = HeaderMap::new();
            request.extend(sent.map(|sent| (header::IF_NONE_MATCH, HeaderValue::from_str(sent).unwrap())));
            let answer = content.answer(&request);
            assert_eq!(answer.status(), status, "{sent:?}");
            assert_eq!(answer.headers()[header::ETAG], tag);
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-cache");
            assert_eq!(answer.headers().contains_key(header::CONTENT_TYPE), status == 200);
        }
        assert_ne!(TaggedContent::new("application/json", "{} ").tag, tag);
    }
}

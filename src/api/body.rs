//! A request's body as JSON text in UTF-8, within its limits of size and time.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::OwnedSemaphorePermit;

use super::content_encoding::ContentEncoding;
use super::failure::too_large;
use super::state::ApiState;
use crate::intake::BatchFormat;
use crate::message::quoted;
use crate::problem::{Problem, ProblemKind, RETRY_SOON};

/// Longest wait of a batch for those that arrived before it.
const MAX_BATCH_WAIT: Duration = Duration::from_secs(10);

/// Largest text, in bytes, that is worked on in place: a cart of some dozen items is parsed and mapped faster than a
/// thread is woken.
const SMALL_TEXT: usize = 32 * 1024;

/// A JSON body as UTF-8 text, without its BOM.
#[derive(Debug)]
pub struct JsonText(pub String);

impl FromRequest<Arc<ApiState>> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<ApiState>) -> Result<Self, Problem> {
        expect_json(request.headers())?;
        let limits = &api.server.limits;
        read(request, limits.max_body, limits.unpacked_body, limits.body_time).await.map(Self)
    }
}

/// The body of a batch.
#[derive(Debug)]
pub struct BatchText {
    /// The carts, as they were sent.
    pub text: String,
    /// How the carts follow each other.
    pub format: BatchFormat,
    /// Held until the text is mapped.
    pub permit: OwnedSemaphorePermit,
}

impl FromRequest<Arc<ApiState>> for BatchText {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<ApiState>) -> Result<Self, Problem> {
        const NDJSON: [&str; 4] =
            ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        let format = if NDJSON.iter().any(|name| name.eq_ignore_ascii_case(media_type)) {
            BatchFormat::Ndjson
        } else {
            expect_json(request.headers())?;
            BatchFormat::JsonArray
        };
        let limits = &api.server.limits;
        refuse_announced(request.body(), limits.batch_body)?;
        // The body stays unread until there is a permit.
        let permit = Arc::clone(&api.batches).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(MAX_BATCH_WAIT, permit).await else {
            let detail = "as many batches as the service takes arrive just now";
            return Err(Problem::new(ProblemKind::OVERLOADED, detail).retry_after(RETRY_SOON));
        };
        let text = read(request, limits.batch_body, limits.batch_body, limits.body_time).await?;
        Ok(Self { text, format, permit })
    }
}

/// Reads a body of at most `packed` bytes that becomes at most `unpacked` bytes of text, and arrives within `time`: a
/// body that trickles in (slow-loris) is given up.
async fn read(request: Request, packed: usize, unpacked: usize, time: Duration) -> Result<String, Problem> {
    let encoding = ContentEncoding::of(request.headers())?;
    let limit = if encoding == ContentEncoding::Identity { packed.min(unpacked) } else { packed };
    let body = request.into_body();
    refuse_announced(&body, limit)?;
    let late = |_| Problem::new(ProblemKind::REQUEST_TIMEOUT, format!("the body did not arrive within {time:?}"));
    let body = tokio::time::timeout(time, Limited::new(body, limit).collect()).await.map_err(late)?;
    let bytes = body.map_err(|error| unreadable(error.as_ref(), limit))?.to_bytes();
    if encoding == ContentEncoding::Identity {
        return utf8(&bytes);
    }
    let decode = move || utf8(&encoding.decode(bytes, unpacked)?);
    tokio::task::spawn_blocking(decode).await.map_err(|_| Problem::internal_error())?
}

/// Refuses a length that was announced (Content-Length) before a byte is read.
fn refuse_announced(body: &Body, limit: usize) -> Result<(), Problem> {
    if body.size_hint().lower() > limit as u64 { Err(too_large(limit)) } else { Ok(()) }
}

/// Works on a text: a small one in place, a large one on a thread of its own, because it takes milliseconds that the
/// event loop owes to other callers.
///
/// # Errors
/// Those of the work; [`ProblemKind::INTERNAL_ERROR`] if it panics.
pub async fn run_blocking_if_large<T: Send + 'static>(
    text: String,
    work: impl FnOnce(&str) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    if text.len() <= SMALL_TEXT {
        return work(&text);
    }
    tokio::task::spawn_blocking(move || work(&text)).await.map_err(|_| Problem::internal_error())?
}

/// Accepts `application/json`, and any `+json`; a charset other than UTF-8 is refused (RFC 8259 §8.1).
fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |found: &str| {
        let detail = format!("Content-Type is {found}; expected application/json, in UTF-8");
        Err(Problem::new(ProblemKind::UNSUPPORTED_MEDIA_TYPE, detail))
    };
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return refuse("missing") };
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let is_json =
        media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    let charset = parts.find_map(|parameter| parameter.strip_prefix("charset="));
    let is_utf8 = charset.is_none_or(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    if is_json && is_utf8 { Ok(()) } else { refuse(&quoted(&text)) }
}

fn unreadable(error: &(dyn Error + 'static), limit: usize) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large(limit);
        }
        cause = error.source();
    }
    Problem::new(ProblemKind::MALFORMED_JSON, "the body broke off")
}

fn utf8(bytes: &Bytes) -> Result<String, Problem> {
    let refuse = |detail: String| Err(Problem::new(ProblemKind::UNSUPPORTED_MEDIA_TYPE, detail));
    if bytes.starts_with(&[0xFF, 0xFE])
        || bytes.starts_with(&[0xFE, 0xFF])
        || bytes.iter().take(4).any(|byte| *byte == 0)
    {
        return refuse("the body is in UTF-16 or UTF-32; expected UTF-8".to_owned());
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => refuse(format!("the body is no UTF-8 from byte {} on; expected UTF-8", error.valid_up_to())),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn json_comes_in_utf_8_with_or_without_a_bom() {
        assert_eq!(utf8(&Bytes::from_static(b"\xEF\xBB\xBF{}")).unwrap(), "{}");
        for other in [b"\xFF\xFE{\0".as_slice(), b"{\0}\0", b"\0{", b"{\"a\":\"\xE4\"}"] {
            assert!(utf8(&Bytes::copy_from_slice(other)).is_err(), "{other:?}");
        }
    }

    #[test]
    fn content_types_other_than_json_are_refused() {
        let with =
            |value: &'static str| HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
        for fine in ["application/json", "Application/JSON; charset=UTF-8", "application/vnd.sap+json"] {
            assert!(expect_json(&with(fine)).is_ok(), "{fine}");
        }
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=iso-8859-1"] {
            assert!(expect_json(&with(other)).is_err(), "{other}");
        }
        assert!(expect_json(&HeaderMap::new()).is_err());
    }
}

//! A request's body as text in UTF-8, JSON or a form, within its limits of size and time.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::OwnedSemaphorePermit;

use super::content_encoding::ContentEncoding;
use super::failure::too_large;
use super::state::ApiState;
use crate::intake::{BatchFormat, utf8_text};
use crate::message::quoted;
use crate::problem::{Problem, ProblemKind, RETRY_SOON};

/// Longest wait of a batch for those that arrived before it.
const MAX_BATCH_WAIT: Duration = Duration::from_secs(10);

/// Largest text, in bytes, that is worked on in place: a cart of some dozen items is parsed and mapped faster than a
/// thread is woken.
const SMALL_TEXT: usize = 32 * 1024;

/// The media types of NDJSON that senders use; none is registered.
const NDJSON: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// A JSON body as UTF-8 text, without its BOM.
#[derive(Debug)]
pub struct JsonText(pub String);

impl FromRequest<Arc<ApiState>> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<ApiState>) -> Result<Self, Problem> {
        expect_media_type(request.headers(), &[BatchFormat::JsonArray])?;
        let limits = &api.server.limits;
        // Boxed: a cart that waits for its outcome does not reserve the memory of its reading.
        Box::pin(read(request, limits.max_body, limits.unpacked_body, limits.body_time)).await.map(Self)
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
        let format = expect_media_type(request.headers(), &[BatchFormat::JsonArray, BatchFormat::Ndjson])?;
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

/// The media type of a form (HTML Standard, application/x-www-form-urlencoded).
const FORM: &str = "application/x-www-form-urlencoded";

/// The text of a form of at most `limit` bytes.
///
/// # Errors
/// The problems of a body; [`ProblemKind::UNSUPPORTED_MEDIA_TYPE`] for anything but a form.
pub async fn form_text(request: Request, limit: usize, api: &ApiState) -> Result<String, Problem> {
    let value = request.headers().get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let media_type = value.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(FORM) {
        let detail = format!("Content-Type is {}; expected {FORM}", quoted(media_type));
        return Err(Problem::new(ProblemKind::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    read(request, limit, limit, api.server.limits.body_time).await
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

/// Refuses a text over `limit` bytes.
///
/// # Errors
/// [`ProblemKind::TOO_LARGE`]
pub fn expect_within(text: &str, limit: usize) -> Result<(), Problem> {
    if text.len() > limit { Err(too_large(limit)) } else { Ok(()) }
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

/// The format that `Content-Type` names, if it is one of `accepted`: `application/json` and any `+json`, or NDJSON. A
/// charset other than UTF-8 is refused (RFC 8259 §8.1).
fn expect_media_type(headers: &HeaderMap, accepted: &[BatchFormat]) -> Result<BatchFormat, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Err(unsupported("missing", accepted)) };
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let is_json =
        media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    let format = if is_json { Some(BatchFormat::JsonArray) } else { None };
    let format = format.or_else(|| NDJSON.contains(&media_type).then_some(BatchFormat::Ndjson));
    let charset = parts.find_map(|parameter| parameter.strip_prefix("charset="));
    let is_utf8 = charset.is_none_or(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    format.filter(|format| is_utf8 && accepted.contains(format)).ok_or_else(|| unsupported(&quoted(&text), accepted))
}

/// Names every media type that is taken at this path: in the text, in `Accept` (RFC 9110 §12.5.1) and in `Accept-Post`
/// (Linked Data Platform 1.0 §7.1), where clients look for it.
fn unsupported(found: &str, accepted: &[BatchFormat]) -> Problem {
    let (names, header) = if accepted.contains(&BatchFormat::Ndjson) {
        (
            "application/json (a list of carts) or application/x-ndjson (one cart a line)",
            "application/json, application/x-ndjson",
        )
    } else {
        ("application/json", "application/json")
    };
    let detail = format!("Content-Type is {found}; expected {names}, in UTF-8");
    let value = HeaderValue::from_static(header);
    Problem::new(ProblemKind::UNSUPPORTED_MEDIA_TYPE, detail)
        .header(header::ACCEPT, value.clone())
        .header(HeaderName::from_static("accept-post"), value)
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
    utf8_text(bytes)
        .map(str::to_owned)
        .map_err(|error| Problem::new(ProblemKind::UNSUPPORTED_MEDIA_TYPE, format!("the body is {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_in_utf_8_with_or_without_a_bom() {
        assert_eq!(utf8(&Bytes::from_static(b"\xEF\xBB\xBF{}")).unwrap(), "{}");
        for other in [b"\xFF\xFE{\0".as_slice(), b"{\0}\0", b"\0{", b"{\"a\":\"\xE4\"}"] {
            assert!(utf8(&Bytes::copy_from_slice(other)).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_content_type_that_is_not_taken_gets_a_list_of_those_that_are() {
        const CART: &[BatchFormat] = &[BatchFormat::JsonArray];
        const BATCH: &[BatchFormat] = &[BatchFormat::JsonArray, BatchFormat::Ndjson];
        let with =
            |value: &'static str| HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
        for fine in ["application/json", "Application/JSON; charset=UTF-8", "application/vnd.sap+json"] {
            assert_eq!(expect_media_type(&with(fine), CART).unwrap(), BatchFormat::JsonArray, "{fine}");
            assert_eq!(expect_media_type(&with(fine), BATCH).unwrap(), BatchFormat::JsonArray, "{fine}");
        }
        for ndjson in ["application/x-ndjson", "Application/JSONL;charset=utf-8", "application/ndjson", NDJSON[3]] {
            assert_eq!(expect_media_type(&with(ndjson), BATCH).unwrap(), BatchFormat::Ndjson, "{ndjson}");
            assert!(expect_media_type(&with(ndjson), CART).is_err(), "{ndjson}");
        }
        for other in ["text/plain", "application/x-ndjson; charset=iso-8859-1", "application/json;charset=latin1", ""] {
            let named = |accepted: &[BatchFormat], expected: &str, header: &str| {
                let problem = expect_media_type(&with(other), accepted).unwrap_err();
                assert!(problem.detail().contains(expected), "{other}: {}", problem.detail());
                let headers: Vec<_> =
                    problem.headers().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
                assert_eq!(headers, [("accept", header), ("accept-post", header)], "{other}");
            };
            named(CART, "expected application/json, in UTF-8", "application/json");
            named(
                BATCH,
                "or application/x-ndjson (one cart a line), in UTF-8",
                "application/json, application/x-ndjson",
            );
        }
        assert!(expect_media_type(&HeaderMap::new(), CART).unwrap_err().detail().contains("Content-Type is missing"));
    }
}

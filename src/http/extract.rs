//! What handlers take from a request: the caller and its permission, the body's text, preferences, propagated_headers.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::debug;

use super::ApiState;
use super::client_certificate::{Peer, certificate_of};
use super::coding::ContentEncoding;
use super::error::COME_AGAIN_SOON;
use super::frame::RequestId;
use super::problem::{Problem, ProblemKind};
use crate::auth::{AuthError, Caller, Permission};
use crate::message::quoted;
use crate::order::PropagatedHeaders;
use crate::telemetry::STEP;

/// How long a batch waits until others have arrived.
const BATCH_WAITS: Duration = Duration::from_secs(10);

/// A cart of some dozen items: parsed and mapped faster than a thread is woken.
const SMALL_CART: usize = 32 * 1024;

/// Longest header value that travels on to 11VMS; a SAP passport has some 500 characters.
pub const MAX_PROPAGATED_HEADER: usize = 4096;

/// A place among the requests under way: too much at once is refused before its body is read. It is taken once the token is
/// verified, so that nobody without one can hold it, and given back with the handler's work, also if the caller hangs up.
#[derive(Debug)]
struct InFlightPermit {
    _held: OwnedSemaphorePermit,
}

impl InFlightPermit {
    fn take(places: &Arc<Semaphore>) -> Result<Self, Problem> {
        Arc::clone(places).try_acquire_owned().map(|held| Self { _held: held }).map_err(|_| {
            let detail = "as many requests as the service takes are under way";
            Problem::new(ProblemKind::OVERLOADED, detail).retry_after(COME_AGAIN_SOON)
        })
    }
}

/// A caller that may bring carts, in its place.
#[derive(Debug)]
pub struct CartSender {
    _permit: InFlightPermit,
}

/// A caller that may read orders, in its place beside those that bring carts: people are needed most when callers crowd.
#[derive(Debug)]
pub struct OrderReader {
    _permit: InFlightPermit,
}

/// A caller that may settle orders by hand, in its place; as which it is remembered.
#[derive(Debug)]
pub struct Operator {
    pub name: String,
    _permit: InFlightPermit,
}

/// A verified caller in its place, whatever it may do.
#[derive(Debug)]
pub struct AuthenticatedCaller {
    pub caller: Arc<Caller>,
    _permit: InFlightPermit,
}

impl FromRequestParts<Arc<ApiState>> for AuthenticatedCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        Ok(Self { caller: caller(parts, api).await?, _permit: InFlightPermit::take(&api.queries)? })
    }
}

impl FromRequestParts<Arc<ApiState>> for CartSender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        caller(parts, api).await?.require(Permission::Write, api.tokens.scopes())?;
        Ok(Self { _permit: InFlightPermit::take(&api.in_flight)? })
    }
}

impl FromRequestParts<Arc<ApiState>> for OrderReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        caller(parts, api).await?.require(Permission::Read, api.tokens.scopes())?;
        Ok(Self { _permit: InFlightPermit::take(&api.queries)? })
    }
}

impl FromRequestParts<Arc<ApiState>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        let caller = caller(parts, api).await?;
        caller.require(Permission::Operate, api.tokens.scopes())?;
        Ok(Self { name: caller.name(), _permit: InFlightPermit::take(&api.queries)? })
    }
}

/// Who asks, within its rate.
async fn caller(parts: &Parts, api: &ApiState) -> Result<Arc<Caller>, Problem> {
    let token = bearer(&parts.headers)?;
    let peer = parts.extensions.get::<Peer>();
    let certificate = peer.and_then(|peer| certificate_of(&parts.headers, peer, api.server.proxy.as_ref()));
    let caller = api.tokens.verify(token, certificate.as_ref()).await?;
    debug!(target: STEP, client = caller.client, "token verified");
    api.rates.count(&caller.client).map_err(|wait| {
        let detail = format!("the client {} is over its rate", quoted(&caller.client));
        Problem::new(ProblemKind::RATE_LIMITED, detail).retry_after(wait)
    })?;
    Ok(caller)
}

/// The token of `Authorization: Bearer` (RFC 6750 §2.1). Two headers, or another scheme, are no token.
fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Invalid("there is more than one Authorization header"));
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => Ok(token.trim()),
        _ => Err(AuthError::Missing),
    }
}

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

/// How the carts of a batch stand one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON array.
    Array,
    /// One cart a line.
    Lines,
}

/// The body of a batch, and how its carts stand in it.
#[derive(Debug)]
pub struct BatchText {
    pub text: String,
    pub form: Form,
    /// Held until it is mapped.
    pub place: OwnedSemaphorePermit,
}

impl FromRequest<Arc<ApiState>> for BatchText {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<ApiState>) -> Result<Self, Problem> {
        const NDJSON: [&str; 4] =
            ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        let form = if NDJSON.iter().any(|name| name.eq_ignore_ascii_case(media_type)) {
            Form::Lines
        } else {
            expect_json(request.headers())?;
            Form::Array
        };
        // Until then nothing of it is read.
        let place = Arc::clone(&api.batches).acquire_owned();
        let Ok(Ok(place)) = tokio::time::timeout(BATCH_WAITS, place).await else {
            let problem = Problem::new(ProblemKind::OVERLOADED, "as many batches as the service takes arrive just now");
            return Err(problem.retry_after(COME_AGAIN_SOON));
        };
        let limits = &api.server.limits;
        let text = read(request, limits.batch_body, limits.batch_body, limits.body_time).await?;
        Ok(Self { text, form, place })
    }
}

/// A body of at most `packed` bytes that becomes at most `unpacked` bytes of text, and arrives within `time`: one that
/// trickles in (slow-loris) is given up.
async fn read(request: Request, packed: usize, unpacked: usize, time: Duration) -> Result<String, Problem> {
    let coding = ContentEncoding::of(request.headers())?;
    let limit = if coding == ContentEncoding::Identity { packed.min(unpacked) } else { packed };
    let read = Limited::new(request.into_body(), limit).collect();
    let late = |_| Problem::new(ProblemKind::REQUEST_TIMEOUT, format!("the body did not arrive within {time:?}"));
    let body = tokio::time::timeout(time, read).await.map_err(late)?;
    let bytes = body.map_err(|error| unreadable(error.as_ref(), limit))?.to_bytes();
    if coding == ContentEncoding::Identity {
        return utf8(&bytes);
    }
    let failed = |_| Problem::new(ProblemKind::INTERNAL_ERROR, "The service failed while it worked on this request.");
    tokio::task::spawn_blocking(move || utf8(&coding.decode(bytes, unpacked)?)).await.map_err(failed)?
}

/// Works on a cart. A large one takes milliseconds, for which the event loop has other callers.
///
/// # Errors
/// Those of the work; [`ProblemKind::INTERNAL_ERROR`] if it panics.
pub async fn run_blocking_if_large<T: Send + 'static>(
    text: String,
    work: impl FnOnce(&str) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    if text.len() <= SMALL_CART {
        return work(&text);
    }
    let failed = |_| Problem::new(ProblemKind::INTERNAL_ERROR, "The service failed while it worked on this request.");
    tokio::task::spawn_blocking(move || work(&text)).await.map_err(failed)?
}

/// `application/json`, or any `+json`; a charset other than UTF-8 is not taken (RFC 8259 §8.1).
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
            return Problem::new(ProblemKind::TOO_LARGE, format!("the body is larger than {limit} bytes"));
        }
        cause = error.source();
    }
    Problem::new(ProblemKind::MALFORMED_JSON, "the body broke off")
}

fn utf8(bytes: &[u8]) -> Result<String, Problem> {
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

/// `Prefer` (RFC 7240); what is not understood is ignored, as the RFC wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// How long the caller wants to wait at most.
    pub wait: Option<Duration>,
    /// The caller does not want to wait at all.
    pub respond_async: bool,
}

impl Preferences {
    /// Reads every `Prefer` header.
    pub fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let mut preferences = Self { wait: None, respond_async: false };
        // Behind a semicolon stand parameters of a preference, of which ours have none.
        let names = values.flat_map(|value| value.split(',')).filter_map(|text| text.split(';').next());
        for preference in names.map(|text| text.trim().to_ascii_lowercase()) {
            match preference.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))) {
                None if preference == "respond-async" => preferences.respond_async = true,
                // Of a preference that is given twice, the first counts (RFC 7240 §2).
                Some(("wait", seconds)) if preferences.wait.is_none() => {
                    preferences.wait = seconds.parse().ok().map(Duration::from_secs);
                }
                _ => {}
            }
        }
        preferences
    }

    /// How long to wait, given the service's own deadline, which can only be shortened.
    pub fn deadline(self, own: Duration) -> Duration {
        if self.respond_async { Duration::ZERO } else { self.wait.map_or(own, |wait| wait.min(own)) }
    }

    /// `Preference-Applied`, for an answer that came early because of them.
    pub fn applied(self, own: Duration) -> Option<(HeaderName, HeaderValue)> {
        let value = match (self.respond_async, self.wait) {
            (true, _) => HeaderValue::from_static("respond-async"),
            (false, Some(wait)) if wait > own => return None,
            (false, Some(wait)) => HeaderValue::from_str(&format!("wait={}", wait.as_secs())).ok()?,
            (false, None) => return None,
        };
        Some((HeaderName::from_static("preference-applied"), value))
    }
}

/// The headers that travel on to 11VMS.
pub fn propagated_headers(headers: &HeaderMap, request_id: &RequestId) -> PropagatedHeaders {
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        (value.len() <= MAX_PROPAGATED_HEADER).then(|| value.to_owned())
    };
    PropagatedHeaders {
        traceparent: text("traceparent"),
        sap_passport: text("sap-passport"),
        request_id: Some(request_id.0.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn preferences_are_read_and_nonsense_is_ignored() {
        let prefer = |text: &str| Preferences::of(&headers(&[("prefer", text)]));
        assert_eq!(prefer("wait=5").deadline(Duration::from_secs(50)), Duration::from_secs(5));
        assert_eq!(prefer("wait=500").deadline(Duration::from_secs(50)), Duration::from_secs(50));
        assert_eq!(prefer("respond-async, wait=10").deadline(Duration::from_secs(50)), Duration::ZERO);
        assert_eq!(
            prefer("wait=5, wait=7; foo=1, bar; wait=9").deadline(Duration::from_secs(50)),
            Duration::from_secs(5)
        );
        assert_eq!(prefer("wait=soon, foo").deadline(Duration::from_secs(50)), Duration::from_secs(50));
    }

    #[test]
    fn only_one_bearer_token_is_a_token() {
        assert_eq!(bearer(&headers(&[("authorization", "bearer abc")])), Ok("abc"));
        for other in ["Basic abc", "Bearer", "Bearer ", "abc"] {
            assert_eq!(bearer(&headers(&[("authorization", other)])), Err(AuthError::Missing), "{other}");
        }
    }

    #[test]
    fn json_comes_in_utf_8_with_or_without_a_bom() {
        assert_eq!(utf8(b"\xEF\xBB\xBF{}").unwrap(), "{}");
        for other in [b"\xFF\xFE{\0".as_slice(), b"{\0}\0", b"\0{", b"{\"a\":\"\xE4\"}"] {
            assert!(utf8(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn content_types_other_than_json_are_refused() {
        for fine in ["application/json", "Application/JSON; charset=UTF-8", "application/vnd.sap+json"] {
            assert!(expect_json(&headers(&[("content-type", fine)])).is_ok(), "{fine}");
        }
        for other in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=iso-8859-1"] {
            assert!(expect_json(&headers(&[("content-type", other)])).is_err(), "{other}");
        }
        assert!(expect_json(&HeaderMap::new()).is_err());
    }
}

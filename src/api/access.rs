//! Who calls, what the token permits, and whether there is a permit for the request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, warn};

use super::state::ApiState;
use crate::auth::{AuthError, Caller, Permission};
use crate::edge::{Peer, certificate_of};
use crate::message::quoted;
use crate::order::{OrderId, Requester};
use crate::problem::{Problem, ProblemKind, RETRY_SOON, RequestContext};
use crate::telemetry::STEP;
use crate::trace::{self, SpanKind};

/// A permit for a request under way. It is taken after the token was verified, so that nobody without one can hold it,
/// and before the body is read. It is given back when the handler's work ends, also if the caller hangs up.
#[derive(Debug)]
struct InFlightPermit {
    _held: OwnedSemaphorePermit,
}

impl InFlightPermit {
    fn take(permits: &Arc<Semaphore>) -> Result<Self, Problem> {
        Arc::clone(permits).try_acquire_owned().map(|held| Self { _held: held }).map_err(|_| {
            let detail = "as many requests as the service takes are under way";
            Problem::new(ProblemKind::OVERLOADED, detail).retry_after(RETRY_SOON)
        })
    }
}

/// A caller that may bring carts.
#[derive(Debug)]
pub struct CartSender {
    /// The sender, for the order's audit trail.
    pub requester: Requester,
    _permit: InFlightPermit,
}

/// A caller that may read orders. Its permit is not one of those for carts: people are needed most when callers crowd.
#[derive(Debug)]
pub struct OrderReader {
    _permit: InFlightPermit,
}

/// A caller that may settle orders by hand.
#[derive(Debug)]
pub struct Operator {
    /// Who it is, for the order's audit trail.
    pub requester: Requester,
    _permit: InFlightPermit,
}

/// A caller with a verified token, whatever it permits.
#[derive(Debug)]
pub struct AuthenticatedCaller {
    /// The bearer of the token.
    pub caller: Arc<Caller>,
    _permit: InFlightPermit,
}

impl FromRequestParts<Arc<ApiState>> for AuthenticatedCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        Ok(Self { caller: authenticate(parts, api).await?, _permit: InFlightPermit::take(&api.queries)? })
    }
}

impl FromRequestParts<Arc<ApiState>> for CartSender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        let caller = authenticate(parts, api).await?;
        caller.require(Permission::Write)?;
        Ok(Self { requester: requester(parts, &caller), _permit: InFlightPermit::take(&api.in_flight)? })
    }
}

impl FromRequestParts<Arc<ApiState>> for OrderReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        authenticate(parts, api).await?.require(Permission::Read)?;
        Ok(Self { _permit: InFlightPermit::take(&api.queries)? })
    }
}

impl FromRequestParts<Arc<ApiState>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<ApiState>) -> Result<Self, Problem> {
        let caller = authenticate(parts, api).await?;
        caller.require(Permission::Operate)?;
        Ok(Self { requester: requester(parts, &caller), _permit: InFlightPermit::take(&api.queries)? })
    }
}

/// The order that a path names, by any spelling of its id.
#[derive(Debug)]
pub struct OrderPath(pub OrderId);

impl<S: Send + Sync> FromRequestParts<S> for OrderPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(spelling) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| {
            Problem::new(ProblemKind::INVALID_PARAMETER, "the order's id can't be read; expected percent-encoded UTF-8")
        })?;
        let id = OrderId::of(&spelling);
        RequestContext::current().note_order(id.as_str());
        Ok(Self(id))
    }
}

/// Verifies the token, and counts the request against its client's rate.
async fn authenticate(parts: &Parts, api: &ApiState) -> Result<Arc<Caller>, Problem> {
    let mut span = trace::child("verify token", SpanKind::Internal);
    let verified = span.enclose(verify(parts, api)).await;
    if let Err(error) = &verified {
        span.fail(error.kind());
        log_issuers(error);
    }
    drop(span);
    api.metrics.tokens.count(&verified);
    let caller = verified?;
    RequestContext::current().note_client(&caller.client_id);
    debug!(target: STEP, { oauth2.client_id = caller.client_id }, "token verified");
    api.rates.count(&caller.client_id).map_err(|wait| {
        let detail = format!("the client {} is over its rate", quoted(&caller.client_id));
        Problem::new(ProblemKind::RATE_LIMITED, detail).retry_after(wait)
    })?;
    Ok(caller)
}

/// The names of both issuers help the operator, and are no business of a caller that nobody knows.
fn log_issuers(error: &AuthError) {
    if let AuthError::OtherIssuer { found, accepted } = error {
        warn!(
            http.request.id = RequestContext::current().id.as_str(),
            oauth2.issuer = found,
            oauth2.accepted_issuers = accepted,
            "a token of another issuer was refused"
        );
    }
}

/// The caller as the audit trail names it.
fn requester(parts: &Parts, caller: &Caller) -> Requester {
    Requester {
        name: caller.name(),
        client: Some(caller.client_id.clone()).filter(|client| !client.is_empty()),
        address: parts.extensions.get::<Peer>().map(|peer| peer.address),
        request_id: Some(RequestContext::current().id.to_string()),
    }
}

async fn verify(parts: &Parts, api: &ApiState) -> Result<Arc<Caller>, AuthError> {
    let token = bearer(&parts.headers)?;
    let peer = parts.extensions.get::<Peer>();
    let certificate = peer.and_then(|peer| certificate_of(&parts.headers, peer, api.server.proxy.as_ref()));
    api.tokens.verify(token, certificate.as_ref()).await
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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_one_bearer_token_is_a_token() {
        let headers =
            |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())]);
        assert_eq!(bearer(&headers("bearer abc")), Ok("abc"));
        for other in ["Basic abc", "Bearer", "Bearer ", "abc"] {
            assert_eq!(bearer(&headers(other)), Err(AuthError::Missing), "{other}");
        }
    }
}

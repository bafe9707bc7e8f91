//! One request to the token endpoint: what is asked with, who asks, and what the answer says.

use std::time::Duration;

use jiff::Timestamp;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::http::{self, Method, Request, Response};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest,
    HttpResponse, RequestTokenError, Scope, StandardErrorResponse, StandardRevocableToken, StandardTokenResponse,
    TokenResponse as _, TokenUrl,
};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{TokenError, assertion};
use crate::config::{ClientAuth, Credentials, Grant, SigningKey, TargetOAuth2};
use crate::outbound::{basic, chain, read_limited};

/// Largest token answer; real ones have some 2 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// RFC 7523 §2.2
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// RFC 7523 §2.1
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What the token endpoint gave.
#[derive(Debug)]
pub struct Granted {
    /// `access_token`
    pub value: SecretString,
    /// `expires_in`, where it says so.
    pub expires_in: Option<Duration>,
    /// Where the token is to be used, if elsewhere than at `target.base_url`.
    pub instance: Option<Url>,
}

/// What Salesforce adds to an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Instance {
    instance_url: Option<String>,
}

impl ExtraTokenFields for Instance {}

type Answer = StandardTokenResponse<Instance, BasicTokenType>;

type Configured = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Asks for a token. Secrets and keys are read anew, so that a rotated file is used at once.
///
/// # Errors
/// [`TokenError`]
pub async fn token(settings: &TargetOAuth2, http: Client, now: Timestamp) -> Result<Granted, TokenError> {
    let http = Transport(http);
    let answer = match &settings.grant {
        Grant::ClientCredentials => client_credentials(settings, &http, now).await?,
        Grant::JwtBearer { subject, key } => jwt_bearer(settings, subject, key, &http, now).await?,
    };
    if *answer.token_type() != BasicTokenType::Bearer {
        return Err(TokenError::Endpoint("answered with a token that is no bearer token".to_owned()));
    }
    Ok(Granted {
        value: SecretString::from(answer.access_token().secret().clone()),
        expires_in: answer.expires_in(),
        instance: instance(settings, answer.extra_fields())?,
    })
}

/// RFC 6749 §4.4
async fn client_credentials(settings: &TargetOAuth2, http: &Transport, now: Timestamp) -> Result<Answer, TokenError> {
    let (client, more) = client(settings, now)?;
    let mut request = client.exchange_client_credentials();
    for scope in &settings.scopes {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    for (name, value) in more {
        request = request.add_extra_param(name, value);
    }
    if let Some(audience) = &settings.audience {
        request = request.add_extra_param("audience", audience.clone());
    }
    request.request_async(http).await.map_err(|error| TokenError::Endpoint(shown(&error)))
}

type Parameters = Vec<(&'static str, String)>;

/// The client, and the parameters by which it proves who it is.
fn client(settings: &TargetOAuth2, now: Timestamp) -> Result<(Configured, Parameters), TokenError> {
    let url = TokenUrl::new(settings.token_url.to_string()).map_err(|error| TokenError::Endpoint(error.to_string()))?;
    let client = oauth2::Client::new(ClientId::new(settings.client_id.clone())).set_token_uri(url);
    Ok(match &settings.credentials {
        Credentials::Secret(secret, sent) => {
            let secret = secret.read().map_err(TokenError::Secret)?;
            let sent = match sent {
                ClientAuth::Basic => AuthType::BasicAuth,
                ClientAuth::Post => AuthType::RequestBody,
            };
            let secret = ClientSecret::new(secret.expose_secret().to_owned());
            (client.set_client_secret(secret).set_auth_type(sent), Vec::new())
        }
        Credentials::PrivateKeyJwt(key) => {
            let assertion = assertion::sign(key, &settings.client_id, &settings.client_id, now)?;
            let more = vec![
                ("client_assertion_type", ASSERTION_TYPE.to_owned()),
                ("client_assertion", assertion.expose_secret().to_owned()),
            ];
            (client.set_auth_type(AuthType::RequestBody), more)
        }
        // The handshake has said it.
        Credentials::Mtls(_) | Credentials::None => (client.set_auth_type(AuthType::RequestBody), Vec::new()),
    })
}

/// RFC 7523 §2.1, for which `oauth2` has no request of its own.
async fn jwt_bearer(
    settings: &TargetOAuth2,
    subject: &str,
    key: &SigningKey,
    http: &Transport,
    now: Timestamp,
) -> Result<Answer, TokenError> {
    let request = jwt_bearer_request(settings, subject, key, now)?;
    let answer =
        http.call(request).await.map_err(|error| TokenError::Endpoint(format!("can't be reached: {error}")))?;
    if answer.status().is_success() {
        return serde_json::from_slice(answer.body())
            .map_err(|error| TokenError::Endpoint(format!("gave an answer that can't be read: {error}")));
    }
    match serde_json::from_slice::<BasicErrorResponse>(answer.body()) {
        Ok(refusal) => Err(TokenError::Endpoint(refused(&refusal))),
        Err(_) => Err(TokenError::Endpoint(format!("answered {}", answer.status().as_u16()))),
    }
}

fn jwt_bearer_request(
    settings: &TargetOAuth2,
    subject: &str,
    key: &SigningKey,
    now: Timestamp,
) -> Result<HttpRequest, TokenError> {
    let assertion = assertion::sign(key, &settings.client_id, subject, now)?;
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", JWT_BEARER).append_pair("assertion", assertion.expose_secret());
    if !settings.scopes.is_empty() {
        form.append_pair("scope", &settings.scopes.join(" "));
    }
    if let Some(audience) = &settings.audience {
        form.append_pair("audience", audience);
    }
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(settings.token_url.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &settings.credentials {
        Credentials::Secret(secret, ClientAuth::Basic) => {
            let secret = secret.read().map_err(TokenError::Secret)?;
            request = request.header(AUTHORIZATION, basic(&settings.client_id, &secret).expose_secret());
        }
        Credentials::Secret(secret, ClientAuth::Post) => {
            let secret = secret.read().map_err(TokenError::Secret)?;
            form.append_pair("client_id", &settings.client_id).append_pair("client_secret", secret.expose_secret());
        }
        Credentials::PrivateKeyJwt(key) => {
            let assertion = assertion::sign(key, &settings.client_id, &settings.client_id, now)?;
            form.append_pair("client_assertion_type", ASSERTION_TYPE);
            form.append_pair("client_assertion", assertion.expose_secret());
        }
        Credentials::Mtls(_) => {
            form.append_pair("client_id", &settings.client_id);
        }
        Credentials::None => {}
    }
    request.body(form.finish().into_bytes()).map_err(|error| TokenError::Endpoint(format!("can't be asked: {error}")))
}

/// Where the token is to be used. Only hosts that the settings name get it.
fn instance(settings: &TargetOAuth2, extra: &Instance) -> Result<Option<Url>, TokenError> {
    let Some(text) = extra.instance_url.as_ref().filter(|_| !settings.instance_hosts.is_empty()) else {
        return Ok(None);
    };
    let refuse = || {
        let told =
            "named an instance_url that target.oauth2.instance_hosts does not allow, or that is less safe than itself";
        TokenError::Endpoint(told.to_owned())
    };
    let url: Url = text.parse().map_err(|_| refuse())?;
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let fits = |pattern: &String| *pattern == host || (pattern.starts_with('.') && host.ends_with(pattern.as_str()));
    let safe = url.scheme() == "https" || url.scheme() == settings.token_url.scheme();
    if safe && settings.instance_hosts.iter().any(fits) { Ok(Some(url)) } else { Err(refuse()) }
}

/// What went wrong, without anything that was sent.
fn shown(error: &RequestTokenError<TransportError, BasicErrorResponse>) -> String {
    match error {
        RequestTokenError::ServerResponse(refusal) => refused(refusal),
        RequestTokenError::Request(error) => format!("can't be reached: {error}"),
        RequestTokenError::Parse(error, _) => format!("gave an answer that can't be read: {error}"),
        RequestTokenError::Other(error) => format!("gave an unexpected answer: {error}"),
    }
}

/// Only the code: a description may repeat what was sent.
fn refused(refusal: &BasicErrorResponse) -> String {
    let refusal: &StandardErrorResponse<_> = refusal;
    format!("refused: {}", refusal.error().as_ref())
}

/// `oauth2`'s view of reqwest 0.13.
struct Transport(Client);

#[derive(Debug, Error)]
enum TransportError {
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Response(#[from] http::Error),
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + Sync + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let failed = |error: reqwest::Error| TransportError::Request(chain(&error));
            let request = request.try_into().map_err(failed)?;
            let answer = self.0.execute(request).await.map_err(failed)?;
            let mut response = Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                response = response.header(name, value);
            }
            let body = read_limited(answer, MAX_ANSWER_BYTES).await.map_err(TransportError::Request)?;
            Ok(response.body(body)?)
        })
    }
}

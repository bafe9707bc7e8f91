//! One request to the token endpoint: grant, client authentication, response.

use std::time::Duration;

use jiff::Timestamp;
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{ExtraTokenFields, StandardErrorResponse, StandardTokenResponse, TokenResponse as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded::Serializer;

use super::assertion;
use super::error::TokenError;
use crate::config::{Credentials, Grant, TargetOAuth2};
use crate::outbound::{add_client_credentials, error_chain, read_limited};

/// Largest token response, in bytes; real ones have some 2 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// RFC 7523 §2.2
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// RFC 7523 §2.1
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A token that the endpoint issued.
#[derive(Debug)]
pub struct IssuedToken {
    /// `access_token`
    pub value: SecretString,
    /// `expires_in`, if the response has it.
    pub expires_in: Option<Duration>,
    /// Where the token is valid, if not at the host of `target.base_url`.
    pub instance_url: Option<Url>,
}

/// The member that Salesforce adds to a token response.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SalesforceFields {
    instance_url: Option<String>,
}

impl ExtraTokenFields for SalesforceFields {}

type Response = StandardTokenResponse<SalesforceFields, BasicTokenType>;

/// Requests a token. Secrets and keys are read for each request, so that a rotated file is used at once.
///
/// # Errors
/// [`TokenError`]
pub async fn request_token(settings: &TargetOAuth2, http: &Client, now: Timestamp) -> Result<IssuedToken, TokenError> {
    let response = send(request(settings, http, now)?).await?;
    if *response.token_type() != BasicTokenType::Bearer {
        return Err(TokenError::Endpoint("answered with a token that is no bearer token".to_owned()));
    }
    Ok(IssuedToken {
        value: SecretString::from(response.access_token().secret().clone()),
        expires_in: response.expires_in(),
        instance_url: allowed_instance_url(settings, response.extra_fields())?,
    })
}

fn request(settings: &TargetOAuth2, http: &Client, now: Timestamp) -> Result<RequestBuilder, TokenError> {
    let mut form = Serializer::new(String::new());
    match &settings.grant {
        Grant::ClientCredentials => {
            form.append_pair("grant_type", "client_credentials");
        }
        Grant::JwtBearer { subject, key } => {
            let assertion = assertion::sign(key, &settings.client_id, subject, now)?;
            form.append_pair("grant_type", JWT_BEARER).append_pair("assertion", assertion.expose_secret());
        }
    }
    if !settings.scopes.is_empty() {
        form.append_pair("scope", &settings.scopes.join(" "));
    }
    if let Some(audience) = &settings.audience {
        form.append_pair("audience", audience);
    }
    let request = http.post(settings.token_url.clone()).header(ACCEPT, "application/json");
    let request = authenticate_client(settings, request, &mut form, now)?;
    Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
}

/// Adds the client's id and its proof.
fn authenticate_client(
    settings: &TargetOAuth2,
    request: RequestBuilder,
    form: &mut Serializer<'_, String>,
    now: Timestamp,
) -> Result<RequestBuilder, TokenError> {
    let client_id = settings.client_id.as_str();
    match &settings.credentials {
        Credentials::Secret(secret, method) => {
            let secret = secret.read().map_err(TokenError::Secret)?;
            return Ok(add_client_credentials(request, form, client_id, &secret, *method));
        }
        Credentials::PrivateKeyJwt(key) => {
            let assertion = assertion::sign(key, client_id, client_id, now)?;
            form.append_pair("client_id", client_id).append_pair("client_assertion_type", ASSERTION_TYPE);
            form.append_pair("client_assertion", assertion.expose_secret());
        }
        // The TLS handshake is the proof (RFC 8705 §2).
        Credentials::Mtls(_) => {
            form.append_pair("client_id", client_id);
        }
        // The assertion of the grant names the client.
        Credentials::None => {}
    }
    Ok(request)
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks for tokens for 11VMS")]
async fn send(request: RequestBuilder) -> Result<Response, TokenError> {
    let failed = |problem: String| TokenError::Endpoint(problem);
    let answer = request.send().await.map_err(|error| failed(format!("can't be reached: {}", error_chain(&error))))?;
    let status = answer.status();
    let body = read_limited(answer, MAX_ANSWER_BYTES).await.map_err(failed)?;
    if status.is_success() {
        return serde_json::from_slice(&body)
            .map_err(|error| failed(format!("gave an answer that can't be read: {error}")));
    }
    // Only the code: a description may repeat what was sent.
    let refusal = serde_json::from_slice::<BasicErrorResponse>(&body);
    Err(failed(refusal.map_or_else(
        |_| format!("answered {}", status.as_u16()),
        |refusal: StandardErrorResponse<_>| format!("refused: {}", refusal.error().as_ref()),
    )))
}

/// The instance that the token is for. No token is sent to a host that the settings don't name.
fn allowed_instance_url(settings: &TargetOAuth2, extra: &SalesforceFields) -> Result<Option<Url>, TokenError> {
    let Some(text) = extra.instance_url.as_ref().filter(|_| !settings.instance_hosts.is_empty()) else {
        return Ok(None);
    };
    let refused = || {
        let problem =
            "named an instance_url that target.oauth2.instance_hosts does not allow, or that is less safe than itself";
        TokenError::Endpoint(problem.to_owned())
    };
    let url: Url = text.parse().map_err(|_| refused())?;
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let is_allowed =
        |pattern: &String| *pattern == host || (pattern.starts_with('.') && host.ends_with(pattern.as_str()));
    let is_safe = url.scheme() == "https" || url.scheme() == settings.token_url.scheme();
    if is_safe && settings.instance_hosts.iter().any(is_allowed) { Ok(Some(url)) } else { Err(refused()) }
}

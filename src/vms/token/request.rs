//! One request to the token endpoint: grant, client authentication, response.

use std::time::Duration;

use jiff::Timestamp;
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{ExtraTokenFields, StandardTokenResponse, TokenResponse as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded::Serializer;

use super::assertion::Signer;
use super::error::TokenError;
use crate::config::{Credentials, Grant, TargetOAuth2};
use crate::outbound::{AnswerBody, Operation, Outbound, add_client_credentials};

/// Largest token response, in bytes; real ones have some 2 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Error codes of RFC 6749 §5.2, RFC 8707, RFC 9449 and OpenID Connect, and those of Salesforce, Entra ID and SAP's servers.
const KNOWN_CODES: [&str; 30] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "invalid_resource",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "slow_down",
    "unauthorized",
    "invalid_token",
    "insufficient_scope",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "interaction_required",
    "login_required",
    "consent_required",
    "invalid_client_id",
    "invalid_client_credentials",
    "invalid_app_access",
    "inactive_user",
    "inactive_org",
    "rate_limit_exceeded",
    "app_not_found",
    "unsupported_response_type",
    "unknown_error",
    "too_many_requests",
];

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

/// Requests a token. Secrets are read for each request, so that a rotated file is used at once.
///
/// # Errors
/// [`TokenError`]
pub async fn request_token(
    settings: &TargetOAuth2,
    signer: Option<&Signer>,
    http: &Outbound,
    now: Timestamp,
) -> Result<IssuedToken, TokenError> {
    let request = request(settings, signer, &http.client(), now)?;
    let response = send(http, request).await?;
    if *response.token_type() != BasicTokenType::Bearer {
        return Err(TokenError::Endpoint("answered with a token that is no bearer token".to_owned()));
    }
    Ok(IssuedToken {
        value: SecretString::from(response.access_token().secret().clone()),
        expires_in: response.expires_in(),
        instance_url: allowed_instance_url(settings, response.extra_fields())?,
    })
}

fn request(
    settings: &TargetOAuth2,
    signer: Option<&Signer>,
    http: &Client,
    now: Timestamp,
) -> Result<RequestBuilder, TokenError> {
    let sign = |subject: &str| match signer {
        Some(signer) => signer.sign(&settings.client_id, subject, now),
        None => Err(TokenError::Secret("target.oauth2.private_key is missing".to_owned())),
    };
    let mut form = Serializer::new(String::new());
    match &settings.grant {
        Grant::ClientCredentials => {
            form.append_pair("grant_type", "client_credentials");
        }
        Grant::JwtBearer { subject, .. } => {
            let assertion = sign(subject)?;
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
    let request = authenticate_client(settings, request, &mut form, sign)?;
    Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
}

/// Adds the client's id and its proof.
fn authenticate_client(
    settings: &TargetOAuth2,
    request: RequestBuilder,
    form: &mut Serializer<'_, String>,
    sign: impl Fn(&str) -> Result<SecretString, TokenError>,
) -> Result<RequestBuilder, TokenError> {
    let client_id = settings.client_id.as_str();
    match &settings.credentials {
        Credentials::Secret(secret, method) => {
            let secret = secret.read().map_err(TokenError::Secret)?;
            return Ok(add_client_credentials(request, form, client_id, &secret, *method));
        }
        Credentials::PrivateKeyJwt(_) => {
            let assertion = sign(client_id)?;
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

#[expect(clippy::disallowed_methods, reason = "the one place that asks for tokens to be sent")]
async fn send(http: &Outbound, request: RequestBuilder) -> Result<Response, TokenError> {
    let failed = |problem: String| TokenError::Endpoint(problem);
    let mut call = http.begin_call(Operation::Token);
    let answer = request.send().await.map_err(|error| failed(format!("can't be reached: {}", http.explain(&error))))?;
    let status = answer.status();
    call.is_answered(status.as_u16());
    if let Some(problem) = http.refused_by_proxy(&answer) {
        return Err(failed(format!("can't be reached: {problem}")));
    }
    let body = AnswerBody::read(answer, MAX_ANSWER_BYTES).await;
    if status.is_success() {
        let expected = "a token response (RFC 6749 §5.1)";
        return body.json(expected).map_err(|problem| failed(format!("gave an answer that can't be read: {problem}")));
    }
    let refusal = body.json::<BasicErrorResponse>("an error response");
    Err(failed(refusal.map_or_else(
        |_| format!("answered {}", status.as_u16()),
        |refusal| format!("refused: {}", known_code(refusal.error().as_ref())),
    )))
}

/// An error code, if it is a known one. Anything else of the answer may repeat what was sent.
fn known_code(code: &str) -> &str {
    if KNOWN_CODES.contains(&code) { code } else { "with a code of its own, which is not shown" }
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

//! One request to the token endpoint: grant, client authentication, parameters.

use std::time::Duration;

use jiff::Timestamp;
use oauth2::TokenResponse as _;
use reqwest::RequestBuilder;
use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use url::form_urlencoded::Serializer;

use super::answer::{TokenResponse, read_token_answer};
use super::error::TokenError;
use crate::config::{Grant, TargetOAuth2};
use crate::outbound::{AnswerBody, AuthenticatingClient, Echo, Operation, Outbound, Signer, requested_pause};

/// Largest token response, in bytes; real ones have some 2 KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// RFC 7523 §2.1
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A token that the endpoint issued.
#[derive(Debug)]
pub struct IssuedToken {
    /// `access_token`
    pub value: SecretString,
    /// `expires_in`, or a cautious lifetime.
    pub lifetime: Duration,
    /// Where the token is valid, if not at the host of `target.base_url`.
    pub instance_url: Option<Url>,
}

/// A client of one token endpoint.
#[derive(Debug)]
pub struct TokenEndpoint {
    settings: TargetOAuth2,
    client: AuthenticatingClient,
    /// Signs the assertion that is the grant.
    grant_signer: Option<Signer>,
}

impl TokenEndpoint {
    /// Sends nothing yet.
    pub fn new(settings: TargetOAuth2) -> Self {
        let client = AuthenticatingClient::new(settings.client_id.clone(), settings.credentials.clone());
        let grant_signer = match &settings.grant {
            Grant::ClientCredentials => None,
            Grant::JwtBearer { key, .. } => Some(Signer::new(key.clone())),
        };
        Self { settings, client, grant_signer }
    }

    /// Where it is.
    pub const fn url(&self) -> &Url {
        &self.settings.token_url
    }

    /// Requests a token. Secrets are read for each request, so that a rotated file is used at once.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn request_token(&self, http: &Outbound, now: Timestamp) -> Result<IssuedToken, TokenError> {
        let mut sent = Echo::default();
        let request = self.request(http, now, &mut sent)?;
        let response = self.send(http, request, now, &sent).await?;
        Ok(IssuedToken {
            value: SecretString::from(response.access_token().secret().clone()),
            lifetime: response.expires_in().unwrap_or_default(),
            instance_url: self.allowed_instance_url(response.extra_fields().instance_url.as_deref())?,
        })
    }

    /// The request; its secrets are added to `sent`.
    fn request(&self, http: &Outbound, now: Timestamp, sent: &mut Echo) -> Result<RequestBuilder, TokenError> {
        let settings = &self.settings;
        let mut form = Serializer::new(String::new());
        match (&settings.grant, &self.grant_signer) {
            (Grant::JwtBearer { subject, .. }, Some(signer)) => {
                let assertion = signer.sign(&settings.client_id, subject, now).map_err(TokenError::Secret)?;
                sent.add(assertion.expose_secret());
                form.append_pair("grant_type", JWT_BEARER).append_pair("assertion", assertion.expose_secret());
            }
            _ => {
                form.append_pair("grant_type", "client_credentials");
            }
        }
        if !settings.scopes.is_empty() {
            form.append_pair("scope", &settings.scopes.join(" "));
        }
        if let Some(audience) = &settings.audience {
            form.append_pair("audience", audience);
        }
        for parameter in &settings.parameters {
            sent.add(parameter.value.expose_secret());
            form.append_pair(&parameter.name, parameter.value.expose_secret());
        }
        let request = http.client().post(settings.token_url.clone()).header(ACCEPT, "application/json");
        self.client.authenticate(request, form, now, sent).map_err(TokenError::Secret)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks for tokens to be sent")]
    async fn send(
        &self,
        http: &Outbound,
        request: RequestBuilder,
        now: Timestamp,
        sent: &Echo,
    ) -> Result<TokenResponse, TokenError> {
        let unreachable = |problem: String| TokenError::Endpoint(format!("can't be reached: {problem}"));
        let mut call = http.begin_call(Operation::Token);
        let answer = request.send().await.map_err(|error| unreachable(http.explain(&error)))?;
        let status = answer.status().as_u16();
        call.is_answered(status);
        if let Some(problem) = http.refused_by_proxy(&answer) {
            return Err(unreachable(problem));
        }
        let pause = requested_pause(status, answer.headers(), now);
        let body = AnswerBody::read(answer, MAX_ANSWER_BYTES).await;
        read_token_answer(status, &body, sent).map_err(|problem| match pause {
            Some(wait) => TokenError::Throttled { problem, wait },
            None => TokenError::Endpoint(problem),
        })
    }

    /// The instance that the token is for. No token is sent to a host that the settings don't name.
    fn allowed_instance_url(&self, instance_url: Option<&str>) -> Result<Option<Url>, TokenError> {
        let (settings, Some(text)) = (&self.settings, instance_url) else { return Ok(None) };
        if settings.instance_hosts.is_empty() {
            return Ok(None);
        }
        let refused = || {
            let problem = "named an instance_url that target.oauth2.instance_hosts does not allow, or that is less safe than itself";
            TokenError::Endpoint(problem.to_owned())
        };
        let url: Url = text.parse().map_err(|_| refused())?;
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let is_allowed =
            |pattern: &String| *pattern == host || (pattern.starts_with('.') && host.ends_with(pattern.as_str()));
        let is_safe = url.scheme() == "https" || url.scheme() == settings.token_url.scheme();
        if is_safe && settings.instance_hosts.iter().any(is_allowed) { Ok(Some(url)) } else { Err(refused()) }
    }
}

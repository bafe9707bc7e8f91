//! The issuer's introspection endpoint (RFC 7662 §2).

use std::sync::Arc;

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::auth::claims::Claims;
use crate::config::Introspection;
use crate::outbound::{AnswerBody, Operation, Outbound, add_client_credentials};

/// Largest answer, in bytes; real ones have some KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The issuer's answer (RFC 7662 §2.2).
#[derive(Debug, Deserialize)]
pub struct IntrospectionResponse {
    /// Whether the token is valid for the issuer.
    pub active: bool,
    /// What else the issuer states about the token.
    #[serde(flatten)]
    pub claims: Claims,
}

/// The endpoint, and the credentials for it.
#[derive(Debug)]
pub struct IntrospectionEndpoint {
    settings: Introspection,
    http: Arc<Outbound>,
}

impl IntrospectionEndpoint {
    /// Sends nothing yet.
    pub const fn new(settings: Introspection, http: Arc<Outbound>) -> Self {
        Self { settings, http }
    }

    /// Asks about one token.
    ///
    /// # Errors
    /// The reason for which there is no answer, with the URL.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the issuer about tokens")]
    pub async fn introspect(&self, token: &str) -> Result<IntrospectionResponse, String> {
        let (url, request) = (&self.settings.url, self.request(token)?);
        let mut call = self.http.begin_call(Operation::Introspection);
        let answer = request.send().await.map_err(|error| format!("{url}: {}", self.http.explain(&error)))?;
        call.is_answered(answer.status().as_u16());
        if let Some(problem) = self.http.refused_by_proxy(&answer) {
            return Err(format!("{url}: {problem}"));
        }
        if !answer.status().is_success() {
            return Err(format!("{url} answered {}", answer.status().as_u16()));
        }
        let body = AnswerBody::read(answer, MAX_ANSWER_BYTES).await;
        body.json("an introspection response (RFC 7662)").map_err(|problem| format!("{url} answered, {problem}"))
    }

    /// RFC 7662 §2.1
    fn request(&self, token: &str) -> Result<RequestBuilder, String> {
        let Introspection { url, client_id, client_secret, auth, .. } = &self.settings;
        // Read for each request, so that a rotated secret file is used at once.
        let secret = client_secret.read()?;
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let request =
            add_client_credentials(self.http.client().post(url.clone()), &mut form, client_id, &secret, *auth);
        let request = request.header(ACCEPT, "application/json");
        Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish()))
    }
}

//! One push to Cloud ALM: a token, and a fresh one if it is refused.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::CloudAlm as Settings;
use crate::outbound::{
    AnswerBody, CertificateSettings, ClientSettings, Echo, Outbound, OutboundError, longest_retry_after,
};
use crate::telemetry::export::{Pushed, words};
use crate::vms::token::TokenSource;

/// For a connection, across the Internet.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For a whole push.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A name that moves is followed, as for 11VMS.
const MAX_CONNECTION_AGE: Duration = Duration::from_mins(5);

/// Largest answer that is read, in bytes: it may say what was not taken.
const MAX_ANSWER: usize = 64 * 1024;

/// A client of Cloud ALM.
#[derive(Debug)]
pub struct Client {
    base_url: Url,
    service_id: String,
    http: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    tokens: Arc<TokenSource>,
}

impl Client {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn try_new(settings: Settings, clock: &Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let certificates =
            CertificateSettings { setting_names: "telemetry.cloud_alm.ca".into(), ca: settings.ca, identity: None };
        let client = ClientSettings {
            certificates,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            max_connection_age: MAX_CONNECTION_AGE,
            forward_proxy: settings.forward_proxy,
        };
        let http = Arc::new(Outbound::try_new(client, Arc::clone(clock))?);
        // The conditions of the service are about tokens for 11VMS.
        let own = Conditions::default();
        let tokens = TokenSource::new(settings.oauth2, Arc::clone(&http), Arc::clone(clock), own);
        let (base_url, service_id) = (settings.base_url, settings.service_id);
        Ok(Self { base_url, service_id, http, clock: Arc::clone(clock), tokens })
    }

    /// Cloud ALM's name of the service.
    pub fn service_id(&self) -> &str {
        &self.service_id
    }

    /// Pushes, once; after a 401, the same payload once more with a fresh token.
    pub async fn push(&self, path: &str, payload: &[u8]) -> Pushed {
        let answer = match self.send(path, payload).await {
            Ok(Answer { status: 401, .. }) => self.send(path, payload).await,
            sent => sent,
        };
        match answer {
            Ok(answer) => answer.meaning(),
            Err(detail) => Pushed::failed(detail),
        }
    }

    /// Sends. A token that was refused is used no more.
    #[expect(clippy::disallowed_methods, reason = "the one place that calls Cloud ALM")]
    async fn send(&self, path: &str, payload: &[u8]) -> Result<Answer, String> {
        let token = self.tokens.get().await.map_err(|error| format!("no token: {error}"))?;
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let client = self.http.client();
        let request = client.post(url).bearer_auth(token.value.expose_secret());
        let request = request.header(CONTENT_TYPE, "application/json").body(payload.to_vec());
        let failed = |error: reqwest::Error| format!("no answer: {}", self.http.explain(&error));
        let request = request.build().map_err(failed)?;
        let echo = Echo::of(request.headers());
        let response = client.execute(request).await.map_err(failed)?;
        let status = response.status().as_u16();
        if status == 401 {
            self.tokens.discard(&token);
        }
        let retry_after = longest_retry_after(response.headers(), self.clock.now());
        let body = AnswerBody::read(response, MAX_ANSWER).await.value().ok().flatten();
        Ok(Answer { status, retry_after, body: body.unwrap_or_default(), echo })
    }
}

/// What was answered.
struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    body: Value,
    echo: Echo,
}

impl Answer {
    fn meaning(&self) -> Pushed {
        if !(200..=299).contains(&self.status) {
            return Pushed::of_status(self.status, format!("answered {}", self.status), self.retry_after);
        }
        let partial = self.body.get("partialSuccess").unwrap_or(&Value::Null);
        let number = |name: &str| partial.get(name).and_then(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
        match number("rejectedLogRecords").or_else(|| number("rejectedDataPoints")).filter(|count| *count > 0) {
            Some(rejected) => {
                let message = partial.get("errorMessage").and_then(Value::as_str).unwrap_or_default();
                Pushed::TakenInPart { rejected, detail: format!("refused a part: {}", words(message, &self.echo)) }
            }
            None => Pushed::Taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: Value) -> Answer {
        let mut token = HeaderValue::from_static("Bearer alm-token-1");
        token.set_sensitive(true);
        let echo = Echo::of(&HeaderMap::from_iter([(AUTHORIZATION, token)]));
        Answer { status, retry_after: Some(Duration::from_secs(7)), body, echo }
    }

    #[test]
    fn an_answer_is_taken_repeated_or_dropped_by_its_status() {
        let detail = |status: u16| format!("answered {status}");
        for status in [200, 202, 204] {
            assert_eq!(answer(status, Value::Null).meaning(), Pushed::Taken);
        }
        for status in [429, 503] {
            let retry_after = Some(Duration::from_secs(7));
            assert_eq!(answer(status, Value::Null).meaning(), Pushed::Failed { detail: detail(status), retry_after });
        }
        for status in [302, 400, 401, 413, 500] {
            assert_eq!(answer(status, Value::Null).meaning(), Pushed::Refused(detail(status)));
        }
    }

    #[test]
    fn what_was_not_taken_is_counted() {
        let in_part = |rejected, words: &str| {
            let detail = format!("refused a part: {words}");
            Pushed::TakenInPart { rejected, detail }
        };
        for (partial, expected) in [
            (json!({ "rejectedLogRecords": "3", "errorMessage": "of alm-token-1" }), in_part(3, "of ***")),
            (json!({ "rejectedDataPoints": 2 }), in_part(2, "")),
            (json!({ "rejectedLogRecords": 0, "errorMessage": "slow" }), Pushed::Taken),
            (json!({}), Pushed::Taken),
            (json!("?"), Pushed::Taken),
        ] {
            let body = json!({ "partialSuccess": partial });
            assert_eq!(answer(200, body).meaning(), expected, "{partial}");
        }
    }
}

//! The one place that sends requests to receivers of alerts, and what their answers mean in common.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};

use super::outlet::Delivery;
use crate::clock::Clock;
use crate::config::Alerts;
use crate::outbound::{AnswerBody, CertificateSettings, ClientSettings, Outbound, OutboundError, longest_retry_after};

/// For the TCP and TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For a whole request. Two of them, and the fetch of a token, take less than a message is claimed for.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A receiver that moves is followed.
const MAX_CONNECTION_AGE: Duration = Duration::from_mins(5);

/// Most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// Most characters of an answer that are shown.
const MAX_EXCERPT_CHARS: usize = 200;

/// The client for all receivers.
///
/// # Errors
/// If `alerts.ca` can't be used.
pub fn client(settings: &Alerts, clock: &Arc<dyn Clock>) -> Result<Arc<Outbound>, OutboundError> {
    let settings = ClientSettings {
        certificates: CertificateSettings {
            setting_names: "alerts.ca".into(),
            ca: settings.ca.clone(),
            identity: None,
        },
        connect_timeout: CONNECT_TIMEOUT,
        timeout: TIMEOUT,
        max_connection_age: MAX_CONNECTION_AGE,
        forward_proxy: settings.forward_proxy.clone(),
    };
    Ok(Arc::new(Outbound::try_new(settings, Arc::clone(clock))?))
}

/// The answer of a receiver.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    retry_after: Option<Duration>,
    excerpt: Option<String>,
}

impl Answer {
    /// A failure that a later delivery may not have.
    pub fn failed(self) -> Delivery {
        Delivery::Failed { detail: self.detail(), retry_after: self.retry_after }
    }

    /// A refusal of this message.
    pub fn refused(&self) -> Delivery {
        Delivery::Refused { detail: self.detail() }
    }

    fn detail(&self) -> String {
        let excerpt = self.excerpt.as_ref().map(|excerpt| format!(": {excerpt}")).unwrap_or_default();
        format!("answered {}{excerpt}", self.status.as_u16())
    }
}

/// Sends a request once. Of the answer nothing is shown that `secret` is a part of.
///
/// # Errors
/// The delivery that has failed, if there is no answer.
#[expect(clippy::disallowed_methods, reason = "the one place that sends alerts by HTTP")]
pub async fn send(
    http: &Outbound,
    request: RequestBuilder,
    clock: &dyn Clock,
    secret: Option<&str>,
) -> Result<Answer, Delivery> {
    let sent = request.send().await;
    let answer = sent.map_err(|error| Delivery::failed(format!("can't be reached: {}", http.explain(&error))))?;
    if let Some(problem) = http.refused_by_proxy(&answer) {
        return Err(Delivery::failed(format!("can't be reached: {problem}")));
    }
    let (status, retry_after) = (answer.status(), longest_retry_after(answer.headers(), clock.now()));
    let body = AnswerBody::read(answer, MAX_ANSWER_BYTES).await;
    let hide = |text: &str| {
        let text = secret.map_or_else(|| text.to_owned(), |secret| text.replace(secret, "[hidden]"));
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    Ok(Answer { status, retry_after, excerpt: body.excerpt(hide, MAX_EXCERPT_CHARS) })
}

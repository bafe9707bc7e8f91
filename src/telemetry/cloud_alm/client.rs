//! One push to Cloud ALM: a token, and a fresh one if it is refused.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::CloudAlm as Settings;
use crate::outbound::{CertificateSettings, ClientSettings, Outbound, OutboundError, error_chain};
use crate::vms::token::TokenSource;

/// The path of metrics.
const METRICS_PATH: &str = "/calm-metrics/v1/metrics";

/// The path of logs.
const LOGS_PATH: &str = "/calm-logs/v1/logs";

/// For a connection, across the Internet.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For a whole push.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A name that moves is followed, as for 11VMS.
const MAX_CONNECTION_AGE: Duration = Duration::from_mins(5);

/// How a push ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// Cloud ALM has it.
    Taken,
    /// The same payload may be taken later.
    Failed(String),
    /// It never will.
    Refused(String),
}

/// A client of Cloud ALM.
#[derive(Debug)]
pub struct Client {
    base_url: Url,
    http: Arc<Outbound>,
    tokens: Arc<TokenSource>,
}

impl Client {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn try_new(settings: Settings, clock: &Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let certificates =
            CertificateSettings { setting_names: "telemetry.cloud_alm.ca", ca: settings.ca, identity: None };
        let client = ClientSettings {
            certificates,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            max_connection_age: MAX_CONNECTION_AGE,
        };
        let http = Arc::new(Outbound::try_new(client, Arc::clone(clock))?);
        // The conditions of the service are about tokens for 11VMS.
        let own = Conditions::default();
        let tokens = TokenSource::new(settings.oauth2, Arc::clone(&http), Arc::clone(clock), own);
        Ok(Self { base_url: settings.base_url, http, tokens })
    }

    /// Pushes metrics, once.
    pub async fn push_metrics(&self, payload: &[u8]) -> Pushed {
        self.push(METRICS_PATH, payload).await
    }

    /// Pushes log records, once.
    pub async fn push_logs(&self, payload: &[u8]) -> Pushed {
        self.push(LOGS_PATH, payload).await
    }

    /// Pushes; after a 401, the same payload once more with a fresh token.
    async fn push(&self, path: &str, payload: &[u8]) -> Pushed {
        let status = match self.send(path, payload).await {
            Ok(401) => self.send(path, payload).await,
            sent => sent,
        };
        match status {
            Err(detail) => Pushed::Failed(detail),
            Ok(200..=299) => Pushed::Taken,
            // A setting or a permission that somebody may put right, a quota, an outage.
            Ok(status @ (401 | 403 | 404 | 408 | 429 | 500..=599)) => Pushed::Failed(format!("answered {status}")),
            Ok(status) => Pushed::Refused(format!("answered {status}")),
        }
    }

    /// Sends, and returns the status. A token that was refused is used no more.
    #[expect(clippy::disallowed_methods, reason = "the one place that calls Cloud ALM")]
    async fn send(&self, path: &str, payload: &[u8]) -> Result<u16, String> {
        let token = self.tokens.get().await.map_err(|error| format!("no token: {error}"))?;
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let request = self.http.client().post(url).bearer_auth(token.value.expose_secret());
        let request = request.header(CONTENT_TYPE, "application/json").body(payload.to_vec());
        let response = request.send().await.map_err(|error| format!("no answer: {}", error_chain(&error)))?;
        let status = response.status().as_u16();
        if status == 401 {
            self.tokens.discard(&token);
        }
        Ok(status)
    }
}

//! `[alerts.sap_alert_notification]`: SAP Alert Notification service, as its service key has it.

use url::Url;

use crate::config::oauth2_client::Credentials;
use crate::config::reader::Reader;
use crate::config::secret::{ClientAuth, Secret};
use crate::config::target::TargetOAuth2;
use crate::config::units;

/// `[alerts.sap_alert_notification]`
#[derive(Debug, Clone)]
pub struct SapAlertNotification {
    /// The service's URL, to which the path of its producer API is appended.
    pub url: Url,
    /// How the service authenticates there.
    pub credentials: SapCredentials,
}

/// How the service authenticates at SAP Alert Notification service.
#[derive(Debug, Clone)]
pub enum SapCredentials {
    /// Tokens of OAuth2 client credentials.
    OAuth2(Box<TargetOAuth2>),
    /// `Authorization: Basic` with each request.
    Basic {
        /// `client_id` of the service key.
        client_id: String,
        /// `client_secret` of the service key.
        client_secret: Secret,
    },
}

/// The values of `alerts.sap_alert_notification.auth`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    OAuth2,
    Basic,
}

impl SapAlertNotification {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        if !reader.has_section("alerts.sap_alert_notification") {
            return Some(None);
        }
        let url = reader.required("alerts.sap_alert_notification.url", units::URL, units::url);
        let methods = [("oauth2", Method::OAuth2), ("basic", Method::Basic)];
        let method = reader.choice("alerts.sap_alert_notification.auth", "oauth2", &methods);
        let token_url = match method {
            Some(Method::OAuth2) => {
                reader.required("alerts.sap_alert_notification.token_url", units::URL, units::url).map(Some)
            }
            _ => Some(None),
        };
        let why = "not used with alerts.sap_alert_notification.auth = \"basic\"; leave it out";
        reader.refuse_unread(&["alerts.sap_alert_notification.token_url"], why);
        let client_id = reader.required_text("alerts.sap_alert_notification.client_id", "the client's id");
        let client_secret = reader.required_secret("alerts.sap_alert_notification.client_secret");
        let (client_id, client_secret) = (client_id?, client_secret?);
        let credentials = match token_url? {
            Some(token_url) => {
                let credentials = Credentials::Secret(client_secret, ClientAuth::Basic);
                SapCredentials::OAuth2(Box::new(TargetOAuth2::client_credentials(token_url, client_id, credentials)))
            }
            None => SapCredentials::Basic { client_id, client_secret },
        };
        method?;
        Some(Some(Self { url: url?, credentials }))
    }
}

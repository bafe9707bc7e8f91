//! Warnings about URLs without TLS.

use tracing::warn;
use url::Url;

use crate::config::{SapCredentials, Settings};

/// Warns of each setting whose tokens, secrets or keys would travel unencrypted. URLs of the own host are fine.
pub fn warn_of_plain_text_urls(settings: &Settings) {
    let introspection = settings.auth.introspection.as_ref().map(|introspection| &introspection.url);
    let issuer = settings.auth.issuer.parse().ok();
    let collector = settings.telemetry.otlp.as_ref().filter(|otlp| !otlp.headers.is_empty());
    let urls = [
        ("target.base_url", Some(&settings.target.base_url)),
        ("target.oauth2.token_url", Some(&settings.target.oauth2.token_url)),
        ("auth.introspection.url", introspection),
        // A collector beside the service has no TLS; a key for it is a secret all the same.
        ("telemetry.otlp_endpoint", collector.map(|otlp| &otlp.endpoint)),
        ("telemetry.cloud_alm.base_url", settings.telemetry.cloud_alm.as_ref().map(|alm| &alm.base_url)),
        ("telemetry.cloud_alm.token_url", settings.telemetry.cloud_alm.as_ref().map(|alm| &alm.oauth2.token_url)),
        ("auth.jwks_url", settings.auth.jwks_url.as_ref()),
        // The issuer's metadata names its keys, unless auth.jwks_url does.
        ("auth.issuer", issuer.as_ref().filter(|_| settings.auth.jwks_url.is_none())),
    ];
    let alerts = &settings.alerts;
    let sap = alerts.sap_alert_notification.as_ref();
    let sap_token_url = sap.and_then(|sap| match &sap.credentials {
        SapCredentials::OAuth2(oauth2) => Some(&oauth2.token_url),
        SapCredentials::Basic { .. } => None,
    });
    let of_alerts = [
        ("alerts.sap_alert_notification.url", sap.map(|sap| &sap.url)),
        ("alerts.sap_alert_notification.token_url", sap_token_url),
        ("alerts.pagerduty.url", alerts.pagerduty.as_ref().map(|pagerduty| &pagerduty.url)),
        ("alerts.webhook.url", alerts.webhook.as_ref().map(|webhook| &webhook.url)),
    ];
    let is_local = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    for (setting, url) in urls.into_iter().chain(of_alerts) {
        if let Some(url) = url.filter(|url| url.scheme() == "http" && !is_local(url)) {
            warn!(
                setting.name = setting,
                url.full = %url,
                "the URL of a setting is without TLS: tokens and secrets can be read on the way, and keys replaced"
            );
        }
    }
}

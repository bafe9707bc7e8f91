//! Warnings about URLs without TLS.

use tracing::warn;
use url::Url;

use crate::config::{Auth, SapCredentials, Settings};

/// Warns of each setting whose tokens, secrets or keys would travel unencrypted. URLs of the own host are fine.
pub fn warn_of_plain_text_urls(settings: &Settings) {
    let collector = settings.telemetry.otlp.as_ref().filter(|otlp| !otlp.headers.is_empty());
    let urls = [
        ("target.base_url", Some(&settings.target.base_url)),
        ("target.oauth2.token_url", Some(&settings.target.oauth2.token_url)),
        // A collector beside the service has no TLS; a key for it is a secret all the same.
        ("telemetry.otlp_endpoint", collector.map(|otlp| &otlp.endpoint)),
        ("telemetry.cloud_alm.base_url", settings.telemetry.cloud_alm.as_ref().map(|alm| &alm.base_url)),
        ("telemetry.cloud_alm.token_url", settings.telemetry.cloud_alm.as_ref().map(|alm| &alm.oauth2.token_url)),
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
    let of_issuers = settings.auth.issuers().flat_map(urls_of_issuer);
    let owned = |(setting, url): (&'static str, Option<&Url>)| (setting, url.cloned());
    let is_local = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    for (setting, url) in urls.into_iter().chain(of_alerts).map(owned).chain(of_issuers) {
        if let Some(url) = url.filter(|url| url.scheme() == "http" && !is_local(url)) {
            warn!(
                setting.name = setting,
                url.full = %url,
                "the URL of a setting is without TLS: tokens and secrets can be read on the way, and keys replaced"
            );
        }
    }
}

/// The URLs of one issuer; its metadata names its keys, unless `jwks_url` does.
fn urls_of_issuer(issuer: &Auth) -> [(&'static str, Option<Url>); 3] {
    let metadata = issuer.issuer.parse().ok().filter(|_| issuer.jwks_url.is_none());
    let introspection = issuer.introspection.as_ref().map(|introspection| introspection.url.clone());
    [("auth.introspection.url", introspection), ("auth.jwks_url", issuer.jwks_url.clone()), ("auth.issuer", metadata)]
}

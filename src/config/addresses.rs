//! The addresses that the service asks by HTTP, each with the setting that names it.

use url::Url;

use super::alerts::SapCredentials;
use super::auth::Auth;
use super::settings::Settings;
use super::telemetry::OtlpProtocol;

/// An address that the service asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundAddress {
    /// The setting that names it.
    pub setting: String,
    /// The URL; a part of its path may be a secret.
    pub url: Url,
    /// Whether a forward proxy can be between: HTTP/2 without TLS can't be forwarded.
    pub can_be_forwarded: bool,
}

/// Every address, as far as a URL is set.
pub fn outbound_addresses(settings: &Settings) -> Vec<OutboundAddress> {
    let Settings { auth, target, alerts, telemetry, .. } = settings;
    let ans = alerts.sap_alert_notification.as_ref();
    let ans_token = ans.and_then(|ans| match &ans.credentials {
        SapCredentials::OAuth2(oauth2) => Some(&oauth2.token_url),
        SapCredentials::Basic { .. } => None,
    });
    let cloud_alm = telemetry.cloud_alm.as_ref();
    let by_http = [
        ("target.base_url", Some(&target.base_url)),
        ("target.oauth2.token_url", Some(&target.oauth2.token_url)),
        ("alerts.sap_alert_notification.url", ans.map(|ans| &ans.url)),
        ("alerts.sap_alert_notification.token_url", ans_token),
        ("alerts.pagerduty.url", alerts.pagerduty.as_ref().map(|pagerduty| &pagerduty.url)),
        ("alerts.webhook.url", alerts.webhook.as_ref().map(|webhook| &webhook.url)),
        ("telemetry.cloud_alm.base_url", cloud_alm.map(|cloud_alm| &cloud_alm.base_url)),
        ("telemetry.cloud_alm.token_url", cloud_alm.map(|cloud_alm| &cloud_alm.oauth2.token_url)),
    ];
    let address = |setting: &str, url: &Url, can_be_forwarded| OutboundAddress {
        setting: setting.to_owned(),
        url: url.clone(),
        can_be_forwarded,
    };
    let by_http = by_http.into_iter().filter_map(|(setting, url)| Some(address(setting, url?, true)));
    let collector = telemetry.otlp.as_ref().map(|otlp| {
        let can_be_forwarded = otlp.protocol == OtlpProtocol::Http || otlp.endpoint.scheme() == "https";
        address("telemetry.otlp_endpoint", &otlp.endpoint, can_be_forwarded)
    });
    let issuers = auth.sections().flat_map(|(section, issuer)| addresses_of(&section, issuer));
    by_http.chain(issuers).chain(collector).collect()
}

/// Those of one issuer.
fn addresses_of(section: &str, issuer: &Auth) -> Vec<OutboundAddress> {
    // Its metadata name the keys.
    let metadata: Option<Url> = if issuer.jwks_url.is_some() { None } else { issuer.issuer.parse().ok() };
    let introspection = issuer.introspection.as_ref().map(|introspection| introspection.url.clone());
    let urls =
        [("issuer", metadata), ("jwks_url", issuer.jwks_url.clone()), ("introspection.url", introspection)].into_iter();
    let address = |(key, url): (&str, Option<Url>)| {
        Some(OutboundAddress { setting: format!("{section}.{key}"), url: url?, can_be_forwarded: true })
    };
    urls.filter_map(address).collect()
}

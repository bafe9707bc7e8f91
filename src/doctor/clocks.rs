//! The clock of this host against those of the others, which their answers show (`Date`, RFC 9110 §6.6.1).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::DATE;
use url::Url;

use super::finding::Finding;
use super::limit::within_limit;
use crate::clock::{Clock, after, between};
use crate::config::Settings;
use crate::outbound::{CertificateSettings, ClientSettings, Outbound, OutboundError};

/// The largest difference without a warning. Hosts with NTP differ by less than a second, `Date` has whole seconds, and an
/// answer may take some.
const MAX_OFFSET: Duration = Duration::from_secs(5);

/// Asks the issuer, the token endpoint and 11VMS for their time, without a token.
pub async fn examine_clocks(settings: &Settings, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    let target = &settings.target;
    let client = |setting_names: Cow<'static, str>, timeout: Duration, ca, identity| {
        let connect_timeout = timeout.min(target.connect_timeout);
        let certificates = CertificateSettings { setting_names, ca, identity };
        let max_connection_age = target.max_connection_age;
        let forward_proxy = target.forward_proxy.clone();
        let settings = ClientSettings { certificates, connect_timeout, timeout, max_connection_age, forward_proxy };
        Outbound::try_new(settings, Arc::clone(clock))
    };
    // A file that can't be used is a finding of the certificates.
    let to_issuers = settings
        .auth
        .sections()
        .map(|(section, issuer)| {
            let url = issuer.jwks_url.clone().or_else(|| issuer.issuer.parse().ok());
            Ok((url, client(format!("{section}.ca").into(), issuer.timeout, issuer.ca.clone(), None)?))
        })
        .collect::<Result<Vec<(Option<Url>, Outbound)>, OutboundError>>();
    let identity = target.oauth2.identity().cloned();
    let (Ok(to_issuers), Ok(to_target)) =
        (to_issuers, client("target.ca".into(), target.timeout, target.ca.clone(), identity))
    else {
        return Vec::new();
    };
    let (issuers, token, vms) = tokio::join!(
        offsets_of_issuers(&to_issuers, &**clock),
        offset_of("the token endpoint", &to_target, Some(&target.oauth2.token_url), &**clock),
        offset_of("11VMS", &to_target, Some(&target.base_url), &**clock),
    );
    let findings: Vec<Finding> = issuers.into_iter().chain([token, vms].into_iter().flatten()).collect();
    if findings.is_empty() {
        let cure = "cure what failed above, and ask again; until then, compare this host's time by hand";
        return vec![Finding::warn("clock: nobody has told the time", cure)];
    }
    findings
}

async fn offsets_of_issuers(issuers: &[(Option<Url>, Outbound)], clock: &dyn Clock) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (url, client) in issuers {
        let name = match (issuers.len(), url) {
            (2.., Some(url)) => format!("the issuer at {url}"),
            _ => "the issuer".to_owned(),
        };
        findings.extend(offset_of(&name, client, url.as_ref(), clock).await);
    }
    findings
}

/// The finding about one side's clock; `None` if it does not answer, which is another finding, or has no `Date`.
async fn offset_of(name: &str, client: &Outbound, url: Option<&Url>, clock: &dyn Clock) -> Option<Finding> {
    let (url, asked_at) = (url?, clock.now());
    let date = within_limit(date_of(client, url)).await.ok()??;
    let answered_at = clock.now();
    // Half of the way there and back, and half of the second that `Date` cuts off.
    let now = after(asked_at, between(asked_at, answered_at) / 2);
    Some(offset(name, after(date, Duration::from_millis(500)), now))
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the others for their time")]
async fn date_of(client: &Outbound, url: &Url) -> Result<Option<Timestamp>, String> {
    let answer = client.client().head(url.clone()).send().await.map_err(|error| client.explain(&error))?;
    let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
    Ok(date.and_then(|date| Timestamp::try_from(httpdate::parse_http_date(date).ok()?).ok()))
}

/// The finding about a clock that shows `theirs` where this host's shows `ours`.
pub fn offset(name: &str, theirs: Timestamp, ours: Timestamp) -> Finding {
    let (offset, direction) =
        if ours > theirs { (between(theirs, ours), "ahead of") } else { (between(ours, theirs), "behind") };
    if offset <= MAX_OFFSET {
        return Finding::ok(format!("clock: as the clock of {name}, within {} s", MAX_OFFSET.as_secs()));
    }
    Finding::warn(
        format!("clock: {} s {direction} the clock of {name}", offset.as_secs()),
        "synchronise both hosts (NTP); beyond auth.leeway tokens are refused, and retries come early or late",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_clock_that_differs_by_more_than_some_seconds_is_told_with_its_direction() {
        let ours = Timestamp::from_second(1_000_000).unwrap();
        let theirs = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        for seconds in [-5, 0, 5] {
            assert_eq!(offset("x", theirs(seconds), ours).status, Status::Ok, "{seconds}");
        }
        for (seconds, text) in
            [(-6, "clock: 6 s ahead of the clock of x"), (3600, "clock: 3600 s behind the clock of x")]
        {
            let found = offset("x", theirs(seconds), ours);
            assert_eq!((found.status, found.text.as_str()), (Status::Warn, text));
        }
    }
}

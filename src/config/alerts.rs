//! `[alerts]`: who is told what needs a person, and how.

mod pagerduty;
mod sap_alert_notification;
mod smtp;
mod webhook;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::file::SettingsText;
use super::mistakes::Mistakes;
use super::outbound::ForwardProxy;
use super::reader::Reader;
use super::units;
pub use pagerduty::PagerDuty;
pub use sap_alert_notification::{SapAlertNotification, SapCredentials};
pub use smtp::{MailServer, MailTls, Smtp};
pub use webhook::{Webhook, signing_key};

/// PagerDuty shows the source in one column, and it is a part of every dedup key.
const MAX_SOURCE_CHARS: usize = 60;

/// `[alerts]`: the channels, and what they have in common.
#[derive(Debug, Clone)]
pub struct Alerts {
    /// The name of this installation: what tells its alerts from those of another one. Replicas have the same.
    pub source: String,
    /// The page whose headings are the names of the alerts; each alert links to its own.
    pub runbook_url: Option<Url>,
    /// A failure that comes back within this time continues its incident.
    pub cool_down: Duration,
    /// Certificates in PEM that may sign those of the receivers, in addition to those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The proxy between the service and those that are reached by HTTP.
    pub forward_proxy: ForwardProxy,
    /// SAP Alert Notification service.
    pub sap_alert_notification: Option<SapAlertNotification>,
    /// PagerDuty.
    pub pagerduty: Option<PagerDuty>,
    /// Mail.
    pub smtp: Option<Smtp>,
    /// A receiver of signed HTTP requests.
    pub webhook: Option<Webhook>,
}

impl Alerts {
    /// Reads this section alone, which is all that a test of the channels needs.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        Reader::parse(&SettingsText::load(file, environment)?, environment)?.finish(|reader| {
            reader.ignore_other_sections("alerts");
            Self::from_reader(reader)
        })
    }

    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let expected = "a short name of this installation, at most 60 letters, digits, dots, dashes and underscores";
        let source = reader.value_or("alerts.source", "purchase-order-webhook", expected, |text| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            let is_short = (1..=MAX_SOURCE_CHARS).contains(&text.len());
            (is_short && text.chars().all(is_plain)).then(|| text.to_owned())
        });
        let runbook_url = reader.optional("alerts.runbook_url", units::URL, units::url);
        let cool_down = reader.positive_duration("alerts.cool_down", "1m");
        let ca = reader.trusted_file("alerts.ca");
        let forward_proxy = ForwardProxy::from_reader(reader);
        let sap_alert_notification = SapAlertNotification::from_reader(reader);
        let pagerduty = PagerDuty::from_reader(reader);
        let smtp = Smtp::from_reader(reader);
        let webhook = Webhook::from_reader(reader);
        Some(Self {
            source: source?,
            runbook_url: runbook_url?,
            cool_down: cool_down?,
            ca: ca?,
            forward_proxy: forward_proxy?,
            sap_alert_notification: sap_alert_notification?,
            pagerduty: pagerduty?,
            smtp: smtp?,
            webhook: webhook?,
        })
    }
}

#[cfg(test)]
mod tests;

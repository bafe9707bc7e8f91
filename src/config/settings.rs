//! All sections together, and the order in which they are read.

use std::collections::BTreeMap;
use std::path::Path;

use super::alerts::Alerts;
use super::auth::Auth;
use super::file::SettingsText;
use super::ledger::Ledger;
use super::mapping::Mapping;
use super::mistakes::Mistakes;
use super::pages::Pages;
use super::reader::Reader;
use super::retry::read_retry_policy;
use super::server::Server;
use super::target::{Target, UnknownOutcomeRules};
use super::telemetry::Telemetry;
use crate::mapping::IdField;
use crate::order::retry::RetryPolicy;

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[auth]`
    pub auth: Auth,
    /// `[target]`
    pub target: Target,
    /// `[retry]`, and the keys of `[target]` that decide about attempts with an unknown outcome
    pub retry: RetryPolicy,
    /// `[ledger]`
    pub ledger: Ledger,
    /// `[mapping]`
    pub mapping: Mapping,
    /// `[pages]`
    pub pages: Pages,
    /// `[alerts]`
    pub alerts: Alerts,
    /// `[telemetry]`
    pub telemetry: Telemetry,
}

impl Settings {
    /// Reads the file that `--config`, the environment or the default names, overridden by the environment.
    ///
    /// # Errors
    /// Every mistake: unknown keys, missing ones, values that can't be read.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        Reader::parse(&SettingsText::load(file, environment)?, environment)?.finish(Self::from_reader)
    }

    /// Reads settings from text; `label` names it in mistakes.
    ///
    /// # Errors
    /// Every mistake.
    pub fn parse(label: &str, text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let text = SettingsText::of(label.to_owned(), text);
        Reader::parse(&text, environment)?.finish(Self::from_reader)
    }

    /// Reads every section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let server = Server::from_reader(reader);
        let auth = Auth::from_reader(reader);
        let unknown_outcomes = UnknownOutcomeRules::from_reader(reader);
        let retry = read_retry_policy(reader, unknown_outcomes);
        let largest_cart = server.as_ref().map_or(0, |server| server.limits.max_body.max(server.limits.unpacked_body));
        let target = Target::from_reader(reader, retry.as_ref(), largest_cart);
        let ledger = Ledger::from_reader(reader);
        let id_field = target.as_ref().map_or(IdField::Nowhere, Target::id_field);
        let mapping = Mapping::from_reader(reader, id_field);
        let pages = Pages::from_reader(reader);
        let alerts = Alerts::from_reader(reader);
        let telemetry = Telemetry::from_reader(reader);
        Some(Self {
            server: server?,
            auth: auth?,
            target: target?,
            retry: retry?,
            ledger: ledger?,
            mapping: mapping?,
            pages: pages?,
            alerts: alerts?,
            telemetry: telemetry?,
        })
    }
}

//! Who did what to an order: sent its cart, had it tried again, settled it by hand. Pure.
//!
//! The entries are kept in the order's record, and so as long as the order; a ledger also has them as a list of all orders.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Order;

/// Entries of each kind that an order keeps: more than any person or sender makes, and a bound on the record.
const MAX_ENTRIES_KEPT: usize = 50;

/// Who asks for something, as the service knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requester {
    /// Who, as the token says.
    pub name: String,
    /// The token's client.
    pub client: Option<String>,
    /// The other end of the connection: the gateway, where one is in between.
    pub address: Option<IpAddr>,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// A requester of whom only the name is known.
impl<T: Into<String>> From<T> for Requester {
    fn from(name: T) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Sent the cart: the order began.
    Sent,
    /// Sent the cart of a refused or parked order again: it is tried anew.
    SentAgain,
    /// Had it tried again.
    Replayed,
    /// Said under which number it exists.
    Resolved,
    /// Said that there will be no order.
    Cancelled,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 5] = [Self::Sent, Self::SentAgain, Self::Replayed, Self::Resolved, Self::Cancelled];

    /// The action's name in the API and in ledgers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::SentAgain => "sent-again",
            Self::Replayed => "replayed",
            Self::Resolved => "resolved",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads an action's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// One thing that somebody did to an order. Serialized names never change: they are in records that exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who, as the token says.
    pub by: String,
    /// What.
    pub action: Action,
    /// The number, or the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// With which client; absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// From where; absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// With which request; absent in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl AuditEntry {
    /// Something that was done.
    pub fn new(action: Action, by: Requester, detail: Option<String>, at: Timestamp) -> Self {
        let Requester { name, client, address, request_id } = by;
        Self { at, by: name, action, detail, client, address, request_id }
    }
}

impl Order {
    /// Everything that was done to the order, as far as it is kept, oldest first.
    pub fn audit_trail(&self) -> Vec<&AuditEntry> {
        let mut trail: Vec<&AuditEntry> = self.submissions.iter().chain(&self.interventions).collect();
        trail.sort_by_key(|entry| entry.at);
        trail
    }

    /// What a change has added to the trail: each change adds one entry at most.
    pub fn audited_since(&self, before: Option<&Self>) -> Option<&AuditEntry> {
        let is_new = |entry: &&AuditEntry, known: Option<&AuditEntry>| known != Some(*entry);
        let submission = self.submissions.last();
        let submission = submission.filter(|entry| is_new(entry, before.and_then(|order| order.submissions.last())));
        let intervention = self.interventions.last();
        submission
            .or_else(|| intervention.filter(|entry| is_new(entry, before.and_then(|order| order.interventions.last()))))
    }

    pub(super) fn record_submission(&mut self, action: Action, by: Requester, now: Timestamp) {
        keep(&mut self.submissions, AuditEntry::new(action, by, None, now));
    }

    pub(super) fn record_intervention(
        &mut self,
        action: Action,
        by: Requester,
        detail: Option<String>,
        now: Timestamp,
    ) {
        keep(&mut self.interventions, AuditEntry::new(action, by, detail, now));
    }
}

fn keep(entries: &mut Vec<AuditEntry>, entry: AuditEntry) {
    if entries.len() == MAX_ENTRIES_KEPT {
        entries.remove(0);
    }
    // Most orders have one entry, and thousands of them may be open.
    entries.reserve_exact(1);
    entries.push(entry);
}

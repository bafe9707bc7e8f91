//! An alert, as every channel gets it: what happened, how bad it is, and where it says what to do. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::condition::ConditionKind;
use crate::ledger::outbox::{Kind, Message, Phase, message_id, order_incident};
use crate::order::{OrderEvent, OrderEventKind};

/// Longest summary, in characters: PagerDuty takes 1,024, a mail's subject shows less.
const MAX_SUMMARY_CHARS: usize = 700;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// No order is created, or no cart is accepted.
    Critical,
    /// One order needs a person.
    Error,
    /// It will be worse later.
    Warning,
    /// Nobody has to do anything.
    Info,
}

/// The name of an alert that says that alerts arrive.
pub const TEST: &str = "test";

/// What the payloads do not say: the installation, and where its runbook is.
#[derive(Debug, Clone)]
pub struct Context {
    /// `alerts.source`
    pub source: String,
    /// `alerts.runbook_url`
    pub runbook_url: Option<Url>,
}

/// The phase of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its incident begins.
    Begun,
    /// Its incident is over.
    Ended,
    /// There is no incident: nobody has to do anything.
    Change,
}

impl Status {
    /// The status for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Ended => "ended",
            Self::Change => "change",
        }
    }
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Stays the same, however often it is delivered.
    pub id: String,
    /// The id of the alert with which its incident began.
    pub first_id: String,
    /// `order-parked`, `target-unavailable` …
    pub name: String,
    /// The phase.
    pub status: Status,
    /// How bad it is.
    pub severity: Severity,
    /// The same for all alerts of an incident, and for all replicas.
    pub incident: String,
    /// What it is about: an order's id, an issuer, a setting; may be empty.
    pub object: String,
    /// One line that can be read alone.
    pub summary: String,
    /// What more is known, by name.
    pub facts: Vec<(&'static str, String)>,
    /// When it happened.
    pub at: Timestamp,
    /// The heading of the runbook that says what to do.
    pub link: Option<String>,
    /// The installation.
    pub source: String,
}

/// The begin or the end of a failure that is no order's, as the outbox keeps it. Serialized names never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionEvent {
    /// The name of the condition.
    pub name: String,
    /// Which one of several.
    pub object: String,
    /// Since when it has failed.
    pub since: Timestamp,
    /// The mark of the incident.
    pub begun_at: Timestamp,
    /// Why, for operators.
    pub detail: String,
    /// When it was over; nothing, while it is failing.
    pub ended_at: Option<Timestamp>,
}

/// A change that nobody has to do anything about, as the outbox keeps it. Serialized names never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeEvent {
    /// The name of the change.
    pub name: String,
    /// What happened, in one line.
    pub summary: String,
    /// When.
    pub at: Timestamp,
}

impl Alert {
    /// Reads a message.
    ///
    /// # Errors
    /// If its payload is none of this version.
    pub fn read(message: &Message, context: &Context) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| format!("its payload can't be read: {error}");
        let alert = match message.kind {
            Kind::OrderAlert => Self::of_order(&serde_json::from_str(&message.payload).map_err(wrong)?, context),
            Kind::ConditionAlert => {
                Self::of_condition(&serde_json::from_str(&message.payload).map_err(wrong)?, &message.subject, context)
            }
            Kind::Change => Self::of_change(&serde_json::from_str(&message.payload).map_err(wrong)?, context),
        };
        // What the ledger has is what was sent before, whatever this version would make of it.
        Ok(Self { id: message.id.clone(), ..alert })
    }

    fn of_order(event: &OrderEvent, context: &Context) -> Self {
        let (subject, mark, phase) = order_incident(event);
        let cart = match event.cart_number.as_str() {
            "" => format!("The order {}", event.order_id),
            number => format!("The order of shopping cart {number}"),
        };
        let by = event.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let summary = match event.kind {
            OrderEventKind::Parked => {
                let known =
                    if event.in_doubt { "whether it exists in 11VMS is unknown" } else { "it does not exist in 11VMS" };
                let tries = if event.attempts == 1 { "attempt" } else { "attempts" };
                format!("{cart} is parked after {} {tries}, and needs a person; {known}", event.attempts)
            }
            OrderEventKind::Replayed => {
                format!("{cart} is not parked any more: it was replayed{by}, and is tried again")
            }
            OrderEventKind::SentAgain => format!("{cart} is not parked any more: its cart was sent again"),
            OrderEventKind::Resolved => format!("{cart} is not parked any more: its purchase order was named{by}"),
            OrderEventKind::Cancelled => format!("{cart} is not parked any more: it was cancelled{by}"),
        };
        let mut facts = vec![
            ("orderId", event.order_id.to_string()),
            ("cartNumber", event.cart_number.clone()),
            ("state", event.state.name().to_owned()),
            ("attempts", event.attempts.to_string()),
        ];
        facts.extend(event.http_status.map(|status| ("lastHttpStatus", status.to_string())));
        let base = Self::base("order-parked", &subject, (mark, phase), context);
        Self {
            object: event.order_id.to_string(),
            summary: plain(&summary),
            facts: stated(facts),
            at: event.at,
            ..base
        }
    }

    fn of_condition(event: &ConditionEvent, subject: &str, context: &Context) -> Self {
        let phase = if event.ended_at.is_some() { Phase::End } else { Phase::Begin };
        let base = Self::base(&event.name, subject, (event.begun_at.as_millisecond(), phase), context);
        let what = wording(&event.name);
        let object = if event.object.is_empty() { String::new() } else { format!(" ({})", event.object) };
        let summary = match phase {
            Phase::Begin if event.name == TEST => event.detail.clone(),
            Phase::Begin => format!("{}{object} since {}: {}", what.failing, whole_seconds(event.since), event.detail),
            Phase::End => format!("{}{object}; it had failed since {}", what.over, whole_seconds(event.since)),
        };
        let facts = vec![
            ("object", event.object.clone()),
            ("since", whole_seconds(event.since)),
            ("detail", event.detail.clone()),
        ];
        let at = event.ended_at.unwrap_or(event.begun_at);
        Self { object: event.object.clone(), summary: plain(&summary), facts: stated(facts), at, ..base }
    }

    fn of_change(event: &ChangeEvent, context: &Context) -> Self {
        let base = Self::base(&event.name, &event.name, (event.at.as_millisecond(), Phase::Begin), context);
        let (status, severity) = (Status::Change, Severity::Info);
        Self { status, severity, summary: plain(&event.summary), at: event.at, ..base }
    }

    /// What follows from name, incident and phase.
    fn base(name: &str, subject: &str, (mark, phase): (i64, Phase), context: &Context) -> Self {
        let (status, severity) = match phase {
            Phase::Begin => (Status::Begun, severity(name)),
            Phase::End => (Status::Ended, Severity::Info),
        };
        Self {
            id: message_id(subject, mark, phase),
            first_id: message_id(subject, mark, Phase::Begin),
            name: name.to_owned(),
            status,
            severity,
            incident: format!("{}/{subject}", context.source),
            object: String::new(),
            summary: String::new(),
            facts: Vec::new(),
            at: Timestamp::default(),
            link: link(context, name),
            source: context.source.clone(),
        }
    }

    /// The time in whole seconds, RFC 3339.
    pub fn time(&self) -> String {
        whole_seconds(self.at)
    }
}

fn link(context: &Context, name: &str) -> Option<String> {
    context.runbook_url.as_ref().map(|url| format!("{url}#{name}"))
}

fn severity(name: &str) -> Severity {
    match ConditionKind::ALL.into_iter().find(|kind| kind.name() == name) {
        Some(
            ConditionKind::TargetUnavailable
            | ConditionKind::TargetTokenUnavailable
            | ConditionKind::IssuerUnavailable
            | ConditionKind::LedgerUnavailable,
        ) => Severity::Critical,
        Some(ConditionKind::MappingRefused | ConditionKind::CertificateExpiring) => Severity::Warning,
        None if name == TEST => Severity::Info,
        None => Severity::Error,
    }
}

/// What is said of a condition while it is failing, and when it is over.
struct Wording {
    failing: &'static str,
    over: &'static str,
}

fn wording(name: &str) -> Wording {
    let (failing, over) = match ConditionKind::ALL.into_iter().find(|kind| kind.name() == name) {
        Some(ConditionKind::TargetUnavailable) => {
            ("11VMS is unavailable, and no order is created", "11VMS creates orders again")
        }
        Some(ConditionKind::TargetTokenUnavailable) => {
            ("No token for 11VMS can be fetched, and no order is created", "Tokens for 11VMS can be fetched again")
        }
        Some(ConditionKind::IssuerUnavailable) => {
            ("The issuer of callers' tokens is unavailable, and carts may be refused", "The issuer is available again")
        }
        Some(ConditionKind::MappingRefused) => {
            ("A changed mapping is refused, and the one before stays in use", "The mapping's folder is in use again")
        }
        Some(ConditionKind::LedgerUnavailable) => {
            ("The ledger is unavailable, and no cart is accepted", "The ledger works again")
        }
        Some(ConditionKind::CertificateExpiring) => {
            ("A certificate has expired, or is about to", "The certificate is replaced")
        }
        None => ("Something is failing", "It works again"),
    };
    Wording { failing, over }
}

fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// Without what would break a header or a line, and not longer than receivers show.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SUMMARY_CHARS).collect()
}

fn stated(facts: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    facts.into_iter().filter(|(_, fact)| !fact.is_empty()).map(|(name, fact)| (name, plain(&fact))).collect()
}

//! The vocabulary of an order's life: states, attempts, outcomes, doubts. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an order stands. `accepted → forwarding ⇄ retrying → created | rejected | parked`; `cancelled` by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In the ledger; nothing was sent yet.
    Accepted,
    /// An attempt is under way: 11VMS may have the order.
    Forwarding,
    /// Waiting for its next attempt, whose time is stored.
    Retrying,
    /// Exists in 11VMS.
    Created,
    /// Refused by 11VMS.
    Rejected,
    /// All attempts are used up; a person has to look.
    Parked,
    /// Settled by hand without an order.
    Cancelled,
}

impl State {
    /// Every state, in the order of life.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Forwarding,
        Self::Retrying,
        Self::Created,
        Self::Rejected,
        Self::Parked,
        Self::Cancelled,
    ];

    /// The state's name in the API and the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Forwarding => "forwarding",
            Self::Retrying => "retrying",
            Self::Created => "created",
            Self::Rejected => "rejected",
            Self::Parked => "parked",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a state's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// True while the service itself will still do something.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Accepted | Self::Forwarding | Self::Retrying)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 11VMS created the order, or said that it has it.
    Created,
    /// The look-up found the order of an earlier attempt.
    Found,
    /// 11VMS refused it.
    Rejected,
    /// Certainly not done: safe to send again.
    NotDone,
    /// It may exist in 11VMS: asked for before anything is sent again.
    Unknown,
    /// The service stopped during the attempt; the same as unknown.
    Interrupted,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Found, Self::Rejected, Self::NotDone, Self::Unknown, Self::Interrupted];

    /// The outcome's name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Found => "found",
            Self::Rejected => "rejected",
            Self::NotDone => "not-done",
            Self::Unknown => "unknown",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One attempt to create the order in 11VMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counted from 1 over the order's whole life.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// 11VMS's status, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// What happened, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether it ended with a look-up that got no answer, before anything was sent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub look_up_lost: bool,
    /// Whether 11VMS answered that it has the order, but neither that answer nor the look-up after it had the number; and no
    /// person has replayed the order since.
    #[serde(default, skip_serializing_if = "is_false")]
    pub was_acknowledged: bool,
}

impl Attempt {
    /// Whether the attempt says nothing about the order: its process stopped, or the look-up before it got no answer.
    pub(super) fn is_no_evidence(&self) -> bool {
        self.look_up_lost || self.outcome == Some(Outcome::Interrupted)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Whether 11VMS may already have an order under this id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// It has none.
    #[default]
    None,
    /// It may have this one.
    ThisContent,
    /// It may have one of an earlier, different cart under the same id.
    EarlierContent,
}

impl Doubt {
    pub(super) const fn after_unknown_outcome(self) -> Self {
        match self {
            Self::None => Self::ThisContent,
            doubt => doubt,
        }
    }
}

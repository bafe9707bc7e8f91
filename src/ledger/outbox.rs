//! The outbox: what others should hear, stored until it is delivered. What an order's change causes is stored in the
//! transaction of the change.
//!
//! Owns the messages, the incidents that have begun, and the trait that `deliveries` knows. Each backend has the statements.
//! Knows nothing of the receivers but their names.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use super::LedgerError;
use crate::clock::after;
use crate::digest::sha256_hex;
use crate::order::{OrderEvent, OrderEventKind};

/// The longest stored wait of a message: a time that is farther away was stored by a clock that was ahead, and has come. So
/// no clock that was wrong holds a message up for longer.
pub const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// How long a claimed message belongs to the process that delivers it: longer than any delivery, a token's fetch included.
pub const CLAIM: Duration = Duration::from_mins(2);

/// A receiver of messages. Its name is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// SAP Alert Notification service.
    SapAlertNotification,
    /// PagerDuty.
    PagerDuty,
    /// Mail.
    Smtp,
    /// A receiver of signed HTTP requests.
    Webhook,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::SapAlertNotification, Self::PagerDuty, Self::Smtp, Self::Webhook];

    /// The channel's name in settings, ledgers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SapAlertNotification => "sap_alert_notification",
            Self::PagerDuty => "pagerduty",
            Self::Smtp => "smtp",
            Self::Webhook => "webhook",
        }
    }
}

/// What a message is about, and so how its payload is read. Its name is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An [`OrderEvent`] that begins or ends the incident of a parked order.
    OrderAlert,
    /// The begin or the end of a failure that is no order's.
    ConditionAlert,
    /// A change that nobody has to do anything about.
    Change,
}

impl Kind {
    const ALL: [Self; 3] = [Self::OrderAlert, Self::ConditionAlert, Self::Change];

    /// The kind's name in ledgers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderAlert => "order-alert",
            Self::ConditionAlert => "condition-alert",
            Self::Change => "change",
        }
    }

    /// Reads a kind's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A message for one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Stays the same, however often the message is delivered.
    pub id: String,
    /// The receiver.
    pub channel: Channel,
    /// How the payload is read.
    pub kind: Kind,
    /// What the message is about: of one subject, messages are delivered one after the other, in the order of their causes.
    pub subject: String,
    /// JSON.
    pub payload: String,
    /// When its cause happened.
    pub created_at: Timestamp,
}

/// A message that waits for its delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its position in the outbox.
    pub sequence: i64,
    /// Deliveries that have failed.
    pub attempts: u32,
    /// The message itself.
    pub message: Message,
}

/// An incident that has begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What is failing; at most one incident of a subject is open.
    pub subject: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last seen failing, by any replica.
    pub seen_at: Timestamp,
    /// The condition as it was at the begin, JSON.
    pub payload: String,
}

/// What becomes of a message after a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// It was delivered, or never can be.
    Remove,
    /// It is delivered again at this time.
    Retry(Timestamp),
}

/// A write to the outbox.
#[derive(Debug, Clone)]
pub enum OutboxWrite {
    /// Stores messages; one with a known id is left out.
    Enqueue(Vec<Message>),
    /// Claims the next message of a channel that is due, for the length of [`CLAIM`].
    Claim(Channel, Timestamp),
    /// Concludes a delivery.
    Conclude(i64, Conclusion),
    /// Begins an incident with its messages, or notes that it is still seen.
    Begin(Incident, Vec<Message>),
    /// Ends an incident with its messages, unless it was seen after this time.
    End(String, Timestamp, Vec<Message>),
    /// Of each channel, removes all but so many of the newest messages, and all from before this time.
    Tidy(usize, Timestamp),
}

/// The result of a write to the outbox.
#[derive(Debug)]
pub enum OutboxWritten {
    /// It was made.
    Done,
    /// The claimed message, if there is one.
    Claimed(Option<Box<Pending>>),
    /// Whether the incident has begun, or ended, by this write.
    Changed(bool),
    /// The messages that were removed, by the name of their channel.
    Removed(Vec<(String, u64)>),
}

/// Who hears of the changes of orders, and the bell that rings when a message was stored.
#[derive(Debug, Clone, Default)]
pub struct Recipients {
    /// The channels of alerts.
    pub alerts: Vec<Channel>,
    /// Rings after each commit with a message.
    pub bell: Arc<watch::Sender<()>>,
}

impl Recipients {
    /// The messages of an order's events: one for each channel, so that a dead one delays no other.
    pub fn messages(&self, events: &[OrderEvent]) -> Vec<Message> {
        events.iter().flat_map(|event| self.alerts.iter().map(|channel| order_alert(event, *channel))).collect()
    }

    /// Lets the deliveries look at once: messages were committed.
    pub fn ring(&self) {
        self.bell.send_replace(());
    }
}

impl OutboxWrite {
    /// Whether it stores messages.
    pub const fn has_messages(&self) -> bool {
        match self {
            Self::Enqueue(messages) | Self::Begin(_, messages) | Self::End(_, _, messages) => !messages.is_empty(),
            Self::Claim(..) | Self::Conclude(..) | Self::Tidy(..) => false,
        }
    }
}

/// The two messages of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It begins.
    Begin,
    /// It is over.
    End,
}

/// The id of a message of an incident: a token without dots or blanks, as every receiver takes it. `mark` tells the incident
/// from the earlier ones of its subject.
pub fn message_id(subject: &str, mark: i64, phase: Phase) -> String {
    // 128 bits tell any number of messages apart.
    const HEX_DIGITS: usize = 32;
    let phase = match phase {
        Phase::Begin => "begin",
        Phase::End => "end",
    };
    let mut id = sha256_hex(format!("{subject}\n{mark}\n{phase}").as_bytes());
    id.truncate(HEX_DIGITS);
    id
}

/// The subject and the mark of a parked order's incident, and the phase that an event is. The event that follows the begin
/// is its end, because every change raises the revision by one.
pub fn order_incident(event: &OrderEvent) -> (String, i64, Phase) {
    let revision = i64::try_from(event.revision).unwrap_or(i64::MAX);
    let subject = format!("order-parked/{}", event.order_id);
    match event.kind {
        OrderEventKind::Parked => (subject, revision, Phase::Begin),
        OrderEventKind::Replayed | OrderEventKind::SentAgain | OrderEventKind::Resolved | OrderEventKind::Cancelled => {
            (subject, revision - 1, Phase::End)
        }
    }
}

fn order_alert(event: &OrderEvent, channel: Channel) -> Message {
    let (subject, mark, phase) = order_incident(event);
    Message {
        id: message_id(&subject, mark, phase),
        channel,
        kind: Kind::OrderAlert,
        subject,
        // A struct of texts and numbers has no reason to fail; an alert without details is better than none.
        payload: serde_json::to_string(event).unwrap_or_default(),
        created_at: event.at,
    }
}

/// The latest time that a message may wait for; one with a later time is due.
pub fn latest_wait(now: Timestamp) -> Timestamp {
    after(now, LONGEST_WAIT)
}

/// The outbox of a ledger. A write that failed may have been made all the same; the same write again is safe.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Makes a write.
    async fn write(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError>;
    /// The next message of a channel that is due, the oldest first. One that waits holds up those of its own subject only.
    /// In a shared ledger, it belongs to this process for the length of [`CLAIM`]; in an exclusive one, each channel has
    /// to be asked by one task at a time.
    async fn next(&self, channel: Channel, now: Timestamp) -> Result<Option<Pending>, LedgerError>;
    /// The incidents that have begun and not ended.
    async fn incidents(&self) -> Result<Vec<Incident>, LedgerError>;
    /// The number of messages that wait, by the name of their channel.
    async fn pending(&self) -> Result<Vec<(String, u64)>, LedgerError>;
}

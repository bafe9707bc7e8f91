//! Changes that nobody has to do anything about, and that explain what happens after them: PagerDuty shows them beside its
//! incidents, and pages nobody. A change that could not be stored is not told: it is a log line as well.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::alert::ChangeEvent;
use crate::clock::Clock;
use crate::ledger::outbox::{Channel, Kind, Message, Outbox, OutboxWrite, Phase, Recipients, message_id};

/// Between two looks.
const POLL: Duration = Duration::from_secs(5);

/// A value whose changes are told.
pub struct WatchedValue {
    /// The name of the change, such as `mapping-exchanged`.
    pub name: &'static str,
    /// The value; `None` as long as there is none, which is no change.
    pub read: Box<dyn Fn() -> Option<String> + Send + Sync>,
    /// What is told, given the value before and the value now.
    pub summary: fn(&str, &str) -> String,
}

impl fmt::Debug for WatchedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Watches values until the task ends.
pub async fn watch_changes(
    values: Vec<WatchedValue>,
    outbox: Arc<dyn Outbox>,
    recipients: Recipients,
    clock: Arc<dyn Clock>,
) {
    let mut known: Vec<Option<String>> = values.iter().map(|value| (value.read)()).collect();
    loop {
        clock.sleep(POLL).await;
        for (value, known) in values.iter().zip(&mut known) {
            let Some(now) = (value.read)() else { continue };
            let before = known.replace(now.clone());
            let Some(before) = before.filter(|before| *before != now) else { continue };
            let messages = messages(value.name, (value.summary)(&before, &now), &recipients, clock.now());
            if let Err(error) = outbox.write(OutboxWrite::Enqueue(messages)).await {
                warn!(error.message = %error, "a change is not told: the outbox can't be used");
            }
        }
    }
}

fn messages(name: &str, summary: String, recipients: &Recipients, now: Timestamp) -> Vec<Message> {
    let event = ChangeEvent { name: name.to_owned(), summary, at: now };
    let message = |channel: &Channel| Message {
        id: message_id(name, now.as_millisecond(), Phase::Begin),
        channel: *channel,
        kind: Kind::Change,
        subject: name.to_owned(),
        payload: serde_json::to_string(&event).unwrap_or_default(),
        created_at: now,
    };
    // The others have no place for what is no alert.
    recipients.alerts.iter().filter(|channel| **channel == Channel::PagerDuty).map(message).collect()
}

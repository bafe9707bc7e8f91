//! Incidents of what is failing: each begins once and ends once, however often and in how many replicas it is noticed.
//!
//! What is open is in the ledger, so that a restart ends what it finds well again, and replicas know of each other. While the
//! ledger is unavailable, memory takes its place, and the ledger gets it later.

mod book;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use self::book::{Book, Failure, Step};
use super::alert::ConditionEvent;
use super::ledger_link::{LedgerLink, Outboxes};
use super::memory_outbox::MemoryOutbox;
use crate::clock::Clock;
use crate::condition::{Condition, ConditionKind, Conditions};
use crate::ledger::LedgerError;
use crate::ledger::outbox::{
    Channel, Incident, Kind, Message, Outbox, OutboxWrite, OutboxWritten, Phase, Recipients, message_id,
};

/// Between two looks while something is failing, or an incident is open.
const TICK: Duration = Duration::from_secs(1);

/// Between two looks while all is well: another replica may have left an incident behind.
const REST: Duration = Duration::from_secs(30);

/// Turns what is failing into incidents.
#[derive(Debug)]
pub struct IncidentWatch {
    conditions: Conditions,
    ledger: Arc<dyn Outbox>,
    memory: Arc<MemoryOutbox>,
    recipients: Recipients,
    clock: Arc<dyn Clock>,
    book: Book,
    reads: LedgerLink<Vec<Incident>>,
    writes: LedgerLink<OutboxWritten>,
    ledger_is_out: bool,
}

impl IncidentWatch {
    /// A watch; nobody is told of anything unless [`IncidentWatch::run`] runs.
    pub fn new(
        conditions: Conditions,
        outboxes: Outboxes,
        recipients: Recipients,
        clock: Arc<dyn Clock>,
        cool_down: Duration,
    ) -> Self {
        let Outboxes { ledger, memory, questions } = outboxes;
        Self {
            conditions,
            ledger,
            memory,
            recipients,
            book: Book::new(cool_down),
            reads: LedgerLink::new(Arc::clone(&clock), questions.clone()),
            writes: LedgerLink::new(Arc::clone(&clock), questions),
            clock,
            ledger_is_out: false,
        }
    }

    /// Watches until the task ends.
    pub async fn run(mut self) {
        let mut changes = self.conditions.subscribe();
        loop {
            self.reconcile().await;
            let is_quiet = self.book.is_empty() && self.memory.is_empty();
            let rest = self.clock.sleep(if is_quiet { REST } else { TICK });
            tokio::select! {
                biased;
                Ok(()) = changes.changed() => {}
                () = rest => {}
            }
        }
    }

    async fn reconcile(&mut self) {
        self.move_to_ledger().await;
        self.book.observe(failures(self.conditions.current()), self.clock.moment());
        if self.book.is_to_be_read(self.clock.moment()) {
            self.read_incidents().await;
        }
        for step in self.book.due(self.clock.moment()) {
            match step {
                Step::Begin(failure) => self.begin(&failure).await,
                Step::Renew(incident) => self.renew(incident).await,
                Step::End(incident) => self.end(incident).await,
            }
        }
    }

    /// The incidents that any replica has begun. Without an answer, those that are known stay.
    async fn read_incidents(&mut self) {
        let ledger = Arc::clone(&self.ledger);
        let stored = self.reads.ask(async move { ledger.incidents().await }).await;
        let Some(mut stored) = self.report_ledger(stored) else { return };
        stored.extend(self.memory.incidents().await.unwrap_or_default());
        self.book.read(stored, self.clock.moment());
    }

    async fn begin(&mut self, failure: &Failure) {
        let now = self.now();
        let event = ConditionEvent {
            name: failure.kind.name().to_owned(),
            object: failure.object.clone(),
            since: failure.since,
            begun_at: now,
            detail: failure.detail.clone(),
            ended_at: None,
        };
        let incident =
            Incident { subject: failure.subject.clone(), begun_at: now, seen_at: now, payload: text_of(&event) };
        let messages = self.messages(&incident, &event, Phase::Begin);
        self.store(OutboxWrite::Begin(incident.clone(), messages)).await;
        self.book.begun(incident, self.clock.moment());
    }

    async fn renew(&mut self, incident: Incident) {
        let renewed = Incident { seen_at: self.now().max(incident.seen_at), ..incident };
        self.store(OutboxWrite::Begin(renewed.clone(), Vec::new())).await;
        self.book.begun(renewed, self.clock.moment());
    }

    async fn end(&mut self, incident: Incident) {
        let now = self.now();
        // What an earlier version has written, and this one can't read, ends without details.
        let begun = serde_json::from_str(&incident.payload).unwrap_or_else(|_| ConditionEvent {
            name: incident.subject.clone(),
            object: String::new(),
            since: incident.begun_at,
            begun_at: incident.begun_at,
            detail: String::new(),
            ended_at: None,
        });
        let event = ConditionEvent { ended_at: Some(now), begun_at: incident.begun_at, ..begun };
        let messages = self.messages(&incident, &event, Phase::End);
        let written = self.store(OutboxWrite::End(incident.subject.clone(), incident.seen_at, messages)).await;
        self.book.ended(&incident.subject, matches!(written, OutboxWritten::Changed(true)), self.clock.moment());
    }

    fn messages(&self, incident: &Incident, event: &ConditionEvent, phase: Phase) -> Vec<Message> {
        let message = |channel: &Channel| Message {
            id: message_id(&incident.subject, incident.begun_at.as_millisecond(), phase),
            channel: *channel,
            kind: Kind::ConditionAlert,
            subject: incident.subject.clone(),
            payload: text_of(event),
            created_at: self.now(),
        };
        self.recipients.alerts.iter().map(message).collect()
    }

    /// Writes to the ledger; to memory, while the ledger is unavailable, or has not got everything of memory yet: of one
    /// subject, the begin must not be behind the end.
    async fn store(&mut self, write: OutboxWrite) -> OutboxWritten {
        if self.memory.is_empty() {
            let (ledger, write) = (Arc::clone(&self.ledger), write.clone());
            let stored = self.writes.ask(async move { ledger.write(write).await }).await;
            if let Some(written) = self.report_ledger(stored) {
                return written;
            }
        }
        let written = self.memory.write(write).await.unwrap_or(OutboxWritten::Done);
        self.recipients.ring();
        written
    }

    /// Moves what memory has into the ledger, once it is available.
    async fn move_to_ledger(&mut self) {
        if self.memory.is_empty() {
            return;
        }
        let incidents = self.memory.incidents().await.unwrap_or_default();
        let messages = self.memory.waiting();
        let begins = incidents.iter().map(|incident| OutboxWrite::Begin(incident.clone(), Vec::new()));
        let writes: Vec<_> = begins.chain([OutboxWrite::Enqueue(messages.clone())]).collect();
        for write in writes {
            let ledger = Arc::clone(&self.ledger);
            let stored = self.writes.ask(async move { ledger.write(write).await }).await;
            if self.report_ledger(stored).is_none() {
                return;
            }
        }
        self.memory.forget(&messages, &incidents);
    }

    /// The time in whole milliseconds, as ledgers store it.
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// The ledger reports its outages itself; this is what follows for alerts.
    fn report_ledger<T>(&mut self, result: Result<T, LedgerError>) -> Option<T> {
        match result {
            Ok(found) => {
                self.ledger_is_out = false;
                Some(found)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.ledger_is_out, true) {
                    warn!(
                        error.message = %error,
                        "the outbox can't be used: alerts about failures are delivered from memory, and stored later"
                    );
                }
                None
            }
        }
    }
}

fn text_of(event: &ConditionEvent) -> String {
    // Texts and times have no reason to fail; an alert without details is better than none.
    serde_json::to_string(event).unwrap_or_default()
}

/// What is failing, one for each incident: a ledger that can be neither read nor written is one failure.
fn failures(conditions: Vec<Condition>) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for Condition { kind, subject, since, detail } in conditions {
        let object = if kind == ConditionKind::LedgerUnavailable { String::new() } else { subject };
        let name = kind.name();
        let subject = if object.is_empty() { name.to_owned() } else { format!("{name}/{object}") };
        if failures.iter().all(|known| known.subject != subject) {
            failures.push(Failure { kind, subject, object, since, detail });
        }
    }
    failures
}

#[cfg(test)]
mod tests;

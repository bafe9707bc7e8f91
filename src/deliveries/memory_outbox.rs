//! The outbox for the time in which the ledger is unavailable: what is failing then must be heard all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ledger::LedgerError;
use crate::ledger::outbox::{
    Channel, Conclusion, Incident, Message, Outbox, OutboxWrite, OutboxWritten, Pending, latest_wait,
};

/// Most messages: conditions are few, and a ledger is back before they change so often.
const MAX_MESSAGES: usize = 1_000;

/// A message, and when it is due.
#[derive(Debug)]
struct Held {
    pending: Pending,
    next_attempt_at: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    last_sequence: i64,
    messages: BTreeMap<i64, Held>,
    /// Messages that are being delivered.
    claimed: BTreeSet<i64>,
    incidents: BTreeMap<String, Incident>,
}

/// An outbox in memory. Each channel has to be asked by one task at a time.
#[derive(Debug, Default)]
pub struct MemoryOutbox {
    state: Mutex<State>,
}

impl MemoryOutbox {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        let state = self.state();
        state.messages.is_empty() && state.incidents.is_empty()
    }

    /// The messages that nobody is delivering.
    pub fn waiting(&self) -> Vec<Message> {
        let state = self.state();
        let waiting = state.messages.iter().filter(|(sequence, _)| !state.claimed.contains(*sequence));
        waiting.map(|(_, held)| held.pending.message.clone()).collect()
    }

    /// Forgets messages and incidents that the ledger has now.
    pub fn forget(&self, moved: &[Message], incidents: &[Incident]) {
        let mut state = self.state();
        let ids: BTreeSet<_> = moved.iter().map(|message| (message.channel, message.id.as_str())).collect();
        state.messages.retain(|_, held| {
            let message = &held.pending.message;
            !ids.contains(&(message.channel, message.id.as_str()))
        });
        for incident in incidents {
            state.incidents.remove(&incident.subject);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enqueue(&mut self, messages: &[Message]) {
        for message in messages {
            let is_known = |held: &Held| {
                let known = &held.pending.message;
                known.channel == message.channel && known.id == message.id
            };
            if self.messages.values().any(is_known) {
                continue;
            }
            if self.messages.len() >= MAX_MESSAGES {
                self.messages.pop_first();
            }
            self.last_sequence += 1;
            let pending = Pending { sequence: self.last_sequence, attempts: 0, message: message.clone() };
            self.messages.insert(self.last_sequence, Held { pending, next_attempt_at: Timestamp::MIN });
        }
    }

    fn conclude(&mut self, sequence: i64, conclusion: Conclusion) {
        self.claimed.remove(&sequence);
        match conclusion {
            Conclusion::Remove => drop(self.messages.remove(&sequence)),
            Conclusion::Retry(at) => {
                if let Some(held) = self.messages.get_mut(&sequence) {
                    held.pending.attempts += 1;
                    held.next_attempt_at = at;
                }
            }
        }
    }

    fn begin(&mut self, incident: &Incident, messages: &[Message]) -> bool {
        if let Some(known) = self.incidents.get_mut(&incident.subject) {
            known.seen_at = incident.seen_at;
            return false;
        }
        self.incidents.insert(incident.subject.clone(), incident.clone());
        self.enqueue(messages);
        true
    }

    fn end(&mut self, subject: &str, seen_before: Timestamp, messages: &[Message]) -> bool {
        let is_quiet = self.incidents.get(subject).is_some_and(|incident| incident.seen_at <= seen_before);
        if is_quiet {
            self.incidents.remove(subject);
            self.enqueue(messages);
        }
        is_quiet
    }

    fn next(&mut self, channel: Channel, now: Timestamp) -> Option<Pending> {
        let mut held_up = BTreeSet::new();
        let mut found = None;
        for (sequence, held) in &self.messages {
            let message = &held.pending.message;
            let is_due = held.next_attempt_at <= now || held.next_attempt_at > latest_wait(now);
            let is_first = message.channel == channel && held_up.insert(message.subject.as_str());
            if is_first && is_due && !self.claimed.contains(sequence) {
                found = Some(held.pending.clone());
                break;
            }
        }
        self.claimed.extend(found.as_ref().map(|pending| pending.sequence));
        found
    }
}

#[async_trait]
impl Outbox for MemoryOutbox {
    async fn write(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError> {
        let mut state = self.state();
        Ok(match &write {
            OutboxWrite::Enqueue(messages) => {
                state.enqueue(messages);
                OutboxWritten::Done
            }
            OutboxWrite::Claim(channel, now) => OutboxWritten::Claimed(state.next(*channel, *now).map(Box::new)),
            OutboxWrite::Conclude(sequence, conclusion) => {
                state.conclude(*sequence, *conclusion);
                OutboxWritten::Done
            }
            OutboxWrite::Begin(incident, messages) => OutboxWritten::Changed(state.begin(incident, messages)),
            OutboxWrite::End(subject, seen_before, messages) => {
                OutboxWritten::Changed(state.end(subject, *seen_before, messages))
            }
            // It is bounded by itself.
            OutboxWrite::Tidy(..) => OutboxWritten::Removed(Vec::new()),
        })
    }

    async fn next(&self, channel: Channel, now: Timestamp) -> Result<Option<Pending>, LedgerError> {
        Ok(self.state().next(channel, now))
    }

    async fn incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        Ok(self.state().incidents.values().cloned().collect())
    }

    async fn pending(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        let state = self.state();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for held in state.messages.values() {
            *counts.entry(held.pending.message.channel.name()).or_default() += 1;
        }
        Ok(counts.into_iter().map(|(channel, count)| (channel.to_owned(), count)).collect())
    }
}

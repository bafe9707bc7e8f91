//! The outbox of the simulated world, and the receiver of its messages: a delivery may fail, arrive although it failed, or end
//! with its process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use purchase_order_webhook::clock::{Clock, after};
use purchase_order_webhook::deliveries::{ChannelLoop, Delivery, Outboxes, Outlet};
use purchase_order_webhook::ledger::outbox::{
    Channel, Conclusion, Incident, Message, Outbox, OutboxWrite, OutboxWritten, Pending, Recipients, latest_wait,
};
use purchase_order_webhook::ledger::{LedgerError, Sharing};
use purchase_order_webhook::order::OrderEvent;
use rand::Rng as _;
use tokio::sync::{oneshot, watch};
use tokio_util::task::TaskTracker;

use crate::broken::Defect;
use crate::ledger::{Access, SimulatedLedger};
use crate::world::{Events, ProcessRunId, SharedWorld, World};

/// As in production, a claim outlasts a delivery; here, deliveries take less than a second.
const CLAIM: Duration = Duration::from_secs(10);

/// A stored message.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    pending: Pending,
    next_attempt_at: Timestamp,
    claimed_until: Option<Timestamp>,
}

impl World {
    /// Stores what others should hear of a committed group of changes.
    pub fn store_events(&mut self, events: &[OrderEvent], process: ProcessRunId) {
        if self.events == Events::Ignored {
            return;
        }
        let recipients = Recipients { alerts: vec![Channel::Webhook], ..Recipients::default() };
        for message in recipients.messages(events) {
            self.record(&format!("outbox: {} {}", message.subject, message.id));
            self.invariants.expect_told(&message);
            if self.events == Events::StoredApart {
                let time = self.time_within(0, 2_000);
                self.schedule_write(time, process, move |world| world.store_message(message));
            } else {
                self.store_message(message);
            }
        }
    }

    fn store_message(&mut self, message: Message) {
        if self.outbox.iter().any(|row| row.pending.message.id == message.id) {
            return;
        }
        let sequence = i64::try_from(self.next_number()).unwrap();
        let pending = Pending { sequence, attempts: 0, message };
        self.outbox.push(OutboxRow { pending, next_attempt_at: Timestamp::MIN, claimed_until: None });
    }

    /// The next message that is due; `claims` if it then belongs to the process that asked.
    fn next_message(&mut self, now: Timestamp, claims: bool, defect: Option<Defect>) -> Option<Pending> {
        let (mut subjects, mut found) = (Vec::new(), None);
        for (at, row) in self.outbox.iter().enumerate() {
            let subject = &row.pending.message.subject;
            let is_first = !subjects.contains(&subject) || defect == Some(Defect::EventsOvertake);
            subjects.push(subject);
            let is_due = row.next_attempt_at <= now || row.next_attempt_at > latest_wait(now);
            let is_free = !claims || row.claimed_until.is_none_or(|until| until < self.now);
            if is_first && is_due && is_free {
                found = Some(at);
                break;
            }
        }
        let at = found?;
        let pending = self.outbox[at].pending.clone();
        if defect == Some(Defect::EventForgotten) {
            self.outbox.remove(at);
        } else if claims {
            self.outbox[at].claimed_until = Some(after(self.now, CLAIM));
        }
        Some(pending)
    }

    fn conclude_message(&mut self, sequence: i64, conclusion: Conclusion) {
        match conclusion {
            Conclusion::Remove => self.outbox.retain(|row| row.pending.sequence != sequence),
            Conclusion::Retry(at) => {
                for row in self.outbox.iter_mut().filter(|row| row.pending.sequence == sequence) {
                    row.pending.attempts += 1;
                    row.next_attempt_at = at;
                    row.claimed_until = None;
                }
            }
        }
    }

    /// The messages of a backup are all that the ledger knows of now.
    pub fn expect_outbox_alone(&mut self) {
        let messages: Vec<Message> = self.outbox.iter().map(|row| row.pending.message.clone()).collect();
        self.invariants.forget_told();
        for message in messages {
            self.invariants.expect_told(&message);
        }
    }
}

#[async_trait]
impl Outbox for SimulatedLedger {
    async fn write(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError> {
        self.run(Access::Write, move |world| {
            if let OutboxWrite::Conclude(sequence, conclusion) = write {
                world.conclude_message(sequence, conclusion);
            }
            OutboxWritten::Done
        })
        .await
    }

    async fn next(&self, _: Channel, now: Timestamp) -> Result<Option<Pending>, LedgerError> {
        let (claims, defect) = (self.sharing == Sharing::Shared, self.defect);
        let access = if claims { Access::Write } else { Access::Read };
        self.run(access, move |world| world.next_message(now, claims, defect)).await
    }

    async fn incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        Ok(Vec::new())
    }

    async fn pending(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        Ok(Vec::new())
    }
}

/// The receiver, as one process reaches it.
#[derive(Debug)]
struct SimulatedReceiver {
    world: SharedWorld,
    process: ProcessRunId,
}

#[async_trait]
impl Outlet for SimulatedReceiver {
    fn channel(&self) -> Channel {
        Channel::Webhook
    }

    async fn deliver(&self, message: &Message) -> Delivery {
        let (answer, answered) = oneshot::channel();
        {
            let mut world = self.world.lock();
            let (fails, arrives) = (world.fault_occurs(30), world.random.random_bool(0.5));
            let (time, process, message) = (world.time_within(0, 100), self.process, message.clone());
            world.schedule(time, process, move |world| {
                if !fails || arrives {
                    world.record(&format!("told: {} {}", message.subject, message.id));
                    world.note_told(&message);
                }
                let delivery = if fails { Delivery::failed("simulated") } else { Delivery::Delivered };
                let answered_at = world.time_within(0, 100);
                world.schedule(answered_at, process, move |_| drop(answer.send(delivery)));
            });
        }
        answered.await.unwrap_or_else(|_| Delivery::failed("simulated"))
    }
}

/// The deliveries of one process.
pub fn deliveries(ledger: SimulatedLedger, clock: Arc<dyn Clock>) -> ChannelLoop {
    let receiver = SimulatedReceiver { world: ledger.world.clone(), process: ledger.process };
    // Nothing rings: the loop looks by itself, as for what another replica has stored.
    let bell = watch::Sender::new(()).subscribe();
    let outboxes = Outboxes { ledger: Arc::new(ledger), memory: Arc::default(), questions: TaskTracker::new() };
    ChannelLoop::new(Arc::new(receiver), outboxes, clock, bell, Arc::new(()))
}

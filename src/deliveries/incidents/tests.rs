//! Incidents with and without a ledger, on a clock that is moved by hand.

use std::sync::Mutex;

use async_trait::async_trait;
use tokio_util::task::TaskTracker;

use super::*;
use crate::clock::ManualClock;
use crate::ledger::outbox::Pending;

/// A ledger that can be made to fail.
#[derive(Debug, Default)]
struct FailingLedger {
    outbox: MemoryOutbox,
    is_out: Mutex<bool>,
}

impl FailingLedger {
    fn check(&self) -> Result<(), LedgerError> {
        if *self.is_out.lock().unwrap() { Err(LedgerError::unavailable("disk full")) } else { Ok(()) }
    }
}

#[async_trait]
impl Outbox for FailingLedger {
    async fn write(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError> {
        self.check()?;
        self.outbox.write(write).await
    }

    async fn next(&self, channel: Channel, now: Timestamp) -> Result<Option<Pending>, LedgerError> {
        self.check()?;
        self.outbox.next(channel, now).await
    }

    async fn incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        self.check()?;
        self.outbox.incidents().await
    }

    async fn pending(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        self.outbox.pending().await
    }
}

struct Setup {
    watch: IncidentWatch,
    conditions: Conditions,
    ledger: Arc<FailingLedger>,
    memory: Arc<MemoryOutbox>,
    clock: Arc<ManualClock>,
}

impl Setup {
    fn new() -> Self {
        Self::with_ledger(Arc::default())
    }

    fn with_ledger(ledger: Arc<FailingLedger>) -> Self {
        let (conditions, memory, clock) = (Conditions::default(), Arc::default(), Arc::<ManualClock>::default());
        let recipients = Recipients { alerts: vec![Channel::PagerDuty], ..Recipients::default() };
        let watch = IncidentWatch::new(
            conditions.clone(),
            Outboxes {
                ledger: Arc::<FailingLedger>::clone(&ledger),
                memory: Arc::clone(&memory),
                questions: TaskTracker::new(),
            },
            recipients,
            Arc::<ManualClock>::clone(&clock),
            Duration::from_mins(1),
        );
        Self { watch, conditions, ledger, memory, clock }
    }

    fn raise(&self, kind: ConditionKind, subject: &str) {
        self.conditions.raise(kind, subject, "down", self.clock.now());
    }

    /// Looks once a second.
    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.watch.reconcile().await;
            self.clock.advance(Duration::from_secs(1));
        }
        self.watch.reconcile().await;
    }
}

/// Takes every message of an outbox: its subject, and whether it is an end.
async fn taken(outbox: &MemoryOutbox, clock: &ManualClock) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    while let Some(pending) = outbox.next(Channel::PagerDuty, clock.now()).await.unwrap() {
        let event: ConditionEvent = serde_json::from_str(&pending.message.payload).unwrap();
        found.push((pending.message.subject, event.ended_at.is_some()));
        outbox.write(OutboxWrite::Conclude(pending.sequence, crate::ledger::outbox::Conclusion::Remove)).await.unwrap();
    }
    found
}

fn messages(expected: &[(&str, bool)]) -> Vec<(String, bool)> {
    expected.iter().map(|(subject, is_end)| ((*subject).to_owned(), *is_end)).collect()
}

#[tokio::test]
async fn each_subject_has_an_incident_of_its_own_and_a_ledger_has_one() {
    let mut setup = Setup::new();
    setup.raise(ConditionKind::CertificateExpiring, "target.ca");
    setup.raise(ConditionKind::CertificateExpiring, "auth.ca");
    setup.raise(ConditionKind::LedgerUnavailable, "read");
    setup.raise(ConditionKind::LedgerUnavailable, "write");
    setup.pass(10).await;
    let mut found = taken(&setup.ledger.outbox, &setup.clock).await;
    found.sort();
    let names = ["certificate-expiring/auth.ca", "certificate-expiring/target.ca", "ledger-unavailable"];
    assert_eq!(found, messages(&names.map(|name| (name, false))));
    // One half of the ledger works: the incident goes on.
    setup.conditions.clear(ConditionKind::LedgerUnavailable, "read");
    setup.conditions.clear(ConditionKind::CertificateExpiring, "auth.ca");
    setup.pass(90).await;
    assert_eq!(taken(&setup.ledger.outbox, &setup.clock).await, messages(&[("certificate-expiring/auth.ca", true)]));
}

#[tokio::test]
async fn the_end_of_an_incident_is_told_after_a_restart_too() {
    let mut setup = Setup::new();
    setup.raise(ConditionKind::TargetUnavailable, "");
    setup.pass(2).await;
    assert_eq!(taken(&setup.ledger.outbox, &setup.clock).await, messages(&[("target-unavailable", false)]));
    let mut next = Setup::with_ledger(Arc::clone(&setup.ledger));
    next.pass(50).await;
    assert_eq!(taken(&next.ledger.outbox, &next.clock).await, messages(&[]), "it may still be failing");
    next.pass(30).await;
    assert_eq!(taken(&next.ledger.outbox, &next.clock).await, messages(&[("target-unavailable", true)]));
    assert_eq!(next.ledger.incidents().await.unwrap(), []);
}

#[tokio::test]
async fn while_the_ledger_is_out_alerts_are_in_memory_and_the_ledger_gets_them_later() {
    let mut setup = Setup::new();
    *setup.ledger.is_out.lock().unwrap() = true;
    setup.raise(ConditionKind::LedgerUnavailable, "write");
    setup.pass(10).await;
    assert_eq!(taken(&setup.memory, &setup.clock).await, messages(&[("ledger-unavailable", false)]));
    setup.raise(ConditionKind::TargetUnavailable, "");
    setup.pass(5).await;
    // Nobody could deliver that one before the ledger is back.
    *setup.ledger.is_out.lock().unwrap() = false;
    setup.conditions.clear(ConditionKind::LedgerUnavailable, "write");
    setup.pass(1).await;
    assert!(setup.memory.is_empty());
    assert_eq!(taken(&setup.ledger.outbox, &setup.clock).await, messages(&[("target-unavailable", false)]));
    let mut open: Vec<_> = setup.ledger.incidents().await.unwrap().into_iter().map(|one| one.subject).collect();
    open.sort();
    assert_eq!(open, ["ledger-unavailable", "target-unavailable"]);
    setup.pass(80).await;
    assert_eq!(taken(&setup.ledger.outbox, &setup.clock).await, messages(&[("ledger-unavailable", true)]));
}

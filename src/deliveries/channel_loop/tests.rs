//! One channel on a clock that is moved by hand, with an outbox in memory as its ledger.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use tokio_util::task::TaskTracker;

use super::*;
use crate::clock::ManualClock;
use crate::ledger::outbox::{Channel, Incident, Kind};

/// A receiver that answers as it is told, and takes everything else.
#[derive(Debug, Default)]
struct Receiver {
    answers: Mutex<VecDeque<Delivery>>,
    /// The ids of all deliveries, and the seconds since the start.
    seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Outlet for Receiver {
    fn channel(&self) -> Channel {
        Channel::Webhook
    }

    async fn deliver(&self, message: &Message) -> Delivery {
        self.seen.lock().unwrap().push(message.id.clone());
        self.answers.lock().unwrap().pop_front().unwrap_or(Delivery::Delivered)
    }
}

/// A ledger that can be made to fail.
#[derive(Debug, Default)]
struct FailingLedger {
    outbox: MemoryOutbox,
    writes_fail: Mutex<bool>,
}

#[async_trait]
impl Outbox for FailingLedger {
    async fn write(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError> {
        if *self.writes_fail.lock().unwrap() {
            return Err(LedgerError::unavailable("disk full"));
        }
        self.outbox.write(write).await
    }

    async fn next(&self, channel: Channel, now: jiff::Timestamp) -> Result<Option<Pending>, LedgerError> {
        self.outbox.next(channel, now).await
    }

    async fn incidents(&self) -> Result<Vec<Incident>, LedgerError> {
        self.outbox.incidents().await
    }

    async fn pending(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        self.outbox.pending().await
    }
}

#[derive(Debug, Default)]
struct Counts(Mutex<Vec<(&'static str, u64)>>);

impl DeliveryObserver for Counts {
    fn concluded(&self, _: Channel, result: DeliveryResult, count: u64) {
        self.0.lock().unwrap().push((result.name(), count));
    }

    fn pending(&self, _: Channel, _: u64) {}
}

struct Setup {
    deliveries: ChannelLoop,
    receiver: Arc<Receiver>,
    ledger: Arc<FailingLedger>,
    memory: Arc<MemoryOutbox>,
    clock: Arc<ManualClock>,
    counts: Arc<Counts>,
    _bell: watch::Sender<()>,
}

impl Setup {
    async fn new(messages: &[(&str, &str)], answers: Vec<Delivery>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let receiver = Arc::new(Receiver { answers: Mutex::new(answers.into()), ..Receiver::default() });
        let (ledger, memory, counts) = (Arc::<FailingLedger>::default(), Arc::default(), Arc::<Counts>::default());
        let bell = watch::Sender::new(());
        let deliveries = ChannelLoop::new(
            Arc::<Receiver>::clone(&receiver),
            Outboxes {
                ledger: Arc::<FailingLedger>::clone(&ledger),
                memory: Arc::clone(&memory),
                questions: TaskTracker::new(),
            },
            Arc::<ManualClock>::clone(&clock),
            bell.subscribe(),
            Arc::<Counts>::clone(&counts),
        );
        let message = |(id, subject): &(&str, &str)| message(id, subject, clock.now());
        ledger.write(OutboxWrite::Enqueue(messages.iter().map(message).collect())).await.unwrap();
        Self { deliveries, receiver, ledger, memory, clock, counts, _bell: bell }
    }

    /// Lets the loop do what can be done, and returns the ids of the deliveries.
    async fn turns(&mut self) -> Vec<String> {
        while self.deliveries.deliver_next().await == Progress::Made {}
        std::mem::take(&mut *self.receiver.seen.lock().unwrap())
    }

    async fn turns_after(&mut self, seconds: u64) -> Vec<String> {
        self.clock.advance(Duration::from_secs(seconds));
        self.turns().await
    }
}

fn message(id: &str, subject: &str, now: jiff::Timestamp) -> Message {
    let (id, subject, payload) = (id.to_owned(), subject.to_owned(), String::new());
    Message { id, channel: Channel::Webhook, kind: Kind::OrderAlert, subject, payload, created_at: now }
}

fn failed() -> Delivery {
    Delivery::failed("down")
}

#[tokio::test]
async fn messages_are_delivered_once_and_a_failure_holds_up_only_its_own_subject() {
    let messages = [("1", "a"), ("2", "a"), ("3", "b")];
    let mut setup = Setup::new(&messages, vec![failed()]).await;
    assert_eq!(setup.turns().await, ["1", "3"]);
    assert_eq!(setup.turns().await, [""; 0]);
    assert_eq!(setup.turns_after(1).await, ["1", "2"]);
    assert_eq!(setup.turns_after(10_000).await, [""; 0]);
    let counts = setup.counts.0.lock().unwrap().clone();
    assert_eq!(counts, [("failed", 1), ("delivered", 1), ("delivered", 1), ("delivered", 1)]);
}

#[tokio::test]
async fn a_receiver_that_is_down_is_probed_and_a_wait_that_it_asks_for_is_kept() {
    let messages = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")];
    let mut setup = Setup::new(&messages, vec![failed(), failed(), failed(), failed()]).await;
    assert_eq!(setup.turns().await, ["1", "2", "3"], "three failures in a row open the breaker");
    assert_eq!(setup.turns_after(1).await, [""; 0]);
    assert_eq!(setup.turns_after(1).await, ["1"], "one probes");
    assert_eq!(setup.turns_after(3).await, [""; 0], "twice the pause");
    assert_eq!(setup.turns_after(1).await, ["1", "2", "3", "4"]);
    let asked = Delivery::Failed { detail: "429".into(), retry_after: Some(Duration::from_secs(100)) };
    let mut setup = Setup::new(&messages, vec![asked]).await;
    assert_eq!(setup.turns().await, ["1"]);
    assert_eq!(setup.turns_after(99).await, [""; 0], "nothing is sent before");
    assert_eq!(setup.turns_after(1).await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn what_is_refused_or_fails_for_a_day_is_dropped_and_counted() {
    let mut setup = Setup::new(&[("1", "a"), ("2", "a")], vec![Delivery::refused("400")]).await;
    assert_eq!(setup.turns().await, ["1", "2"]);
    assert_eq!(setup.counts.0.lock().unwrap().clone(), [("dropped", 1), ("delivered", 1)]);
    let mut setup = Setup::new(&[("1", "a")], vec![failed(), failed()]).await;
    assert_eq!(setup.turns().await, ["1"]);
    assert_eq!(setup.turns_after(24 * 3_600 - 1).await, ["1"], "still within the day");
    setup.receiver.answers.lock().unwrap().push_back(failed());
    assert_eq!(setup.turns_after(1_000).await, ["1"]);
    assert_eq!(setup.turns_after(100_000).await, [""; 0]);
    let counts = setup.counts.0.lock().unwrap().clone();
    assert_eq!(counts, [("failed", 1), ("failed", 1), ("dropped", 1)]);
}

#[tokio::test]
async fn a_delivery_that_can_not_be_noted_is_not_made_again_and_again() {
    let mut setup = Setup::new(&[("1", "a"), ("2", "b")], Vec::new()).await;
    *setup.ledger.writes_fail.lock().unwrap() = true;
    assert_eq!(setup.turns().await, ["1"]);
    assert_eq!(setup.turns_after(10).await, [""; 0]);
    *setup.ledger.writes_fail.lock().unwrap() = false;
    assert_eq!(setup.turns().await, ["2"]);
    assert_eq!(setup.ledger.pending().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_in_memory_comes_first_and_needs_no_ledger() {
    let mut setup = Setup::new(&[("1", "a")], Vec::new()).await;
    let now = setup.clock.now();
    setup.memory.write(OutboxWrite::Enqueue(vec![message("0", "ledger", now)])).await.unwrap();
    *setup.ledger.writes_fail.lock().unwrap() = true;
    assert_eq!(setup.turns().await, ["0", "1"]);
    assert!(setup.memory.is_empty());
}

#[test]
fn waits_double_up_to_a_limit() {
    let seconds: Vec<u64> = [0, 1, 2, 8, 9, 40, u32::MAX].map(|failures| retry_delay(failures).as_secs()).into();
    assert_eq!(seconds, [1, 2, 4, 256, 300, 300, 300]);
}

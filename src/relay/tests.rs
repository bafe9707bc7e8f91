//! The relay's own failure paths, with a ledger and an 11VMS that fail on demand.

mod acknowledged;
mod clocks;
mod ledgers;
mod look_ups;
mod restored;

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use async_trait::async_trait;
use serde_json::json;

use super::retrying_ledger::LEDGER_RETRY_DELAY;
use super::*;
use crate::clock::{Clock, ManualClock};
use crate::ledger::{Claimed, Filter, Ledger, Sharing, Stored};
use crate::order::breaker::BreakerPolicy;
use crate::order::retry::RetryPolicy;
use crate::order::vms_response::{CallOutcome, ResponseRules, VmsResponse};
use crate::order::{PropagatedHeaders, admit};
use crate::vms::Vms;

/// Longer than the time between two sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// A ledger in memory whose next writes may fail.
#[derive(Debug, Default)]
struct FakeLedger {
    orders: Mutex<HashMap<OrderId, Order>>,
    /// For each write to come: whether it fails.
    failures: Mutex<VecDeque<Failure>>,
    /// What reads show in place of the orders, as those of a standby that lags behind.
    lagging: Mutex<Option<HashMap<OrderId, Order>>>,
    /// No sweep finds an order, as if each belonged to a replica.
    leased: AtomicBool,
    /// The records that the ledger can't hold.
    refuses: Mutex<Option<fn(&Order) -> bool>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Failure {
    None,
    /// Nothing was written.
    Refused,
    /// It was written, and the answer was lost.
    Ambiguous,
}

impl FakeLedger {
    fn order(&self) -> Order {
        self.orders.lock().unwrap().values().next().unwrap().clone()
    }

    fn put(&self, order: Order) {
        self.orders.lock().unwrap().insert(order.id.clone(), order);
    }

    /// From now on reads show the present.
    fn freeze_reads(&self) {
        let present = self.orders.lock().unwrap().clone();
        *self.lagging.lock().unwrap() = Some(present);
    }

    fn thaw_reads(&self) {
        *self.lagging.lock().unwrap() = None;
    }

    fn orders_are_leased(&self) {
        self.leased.store(true, Relaxed);
    }

    fn refuse(&self, which: fn(&Order) -> bool) {
        *self.refuses.lock().unwrap() = Some(which);
    }

    fn known(&self, id: &OrderId) -> Option<Order> {
        self.orders.lock().unwrap().get(id).cloned()
    }

    fn fail_next(&self, failures: &[Failure]) {
        self.failures.lock().unwrap().extend(failures);
    }

    fn write(&self, order: Order) -> Result<(), LedgerError> {
        if self.refuses.lock().unwrap().is_some_and(|refuses| refuses(&order)) {
            return Err(LedgerError::Unwritable("a character that it does not know".into()));
        }
        let failure = self.failures.lock().unwrap().pop_front().unwrap_or(Failure::None);
        if failure != Failure::Refused {
            self.put(order);
        }
        if failure == Failure::None { Ok(()) } else { Err(LedgerError::Unavailable("disk full".into())) }
    }
}

fn claimed(order: &Order) -> Claimed {
    Claimed { id: order.id.clone(), received_at: order.received_at, state: order.state, revision: order.revision }
}

#[async_trait]
impl Ledger for FakeLedger {
    fn sharing(&self) -> Sharing {
        Sharing::Exclusive
    }

    async fn admit(&self, candidate: Candidate, now: Timestamp, grace: Duration) -> Result<Admission, LedgerError> {
        let known = self.known(&candidate.id);
        let admission = admit(known, candidate, now, grace);
        if let Admission::Started(order) | Admission::Restarted(order) = &admission {
            self.write(order.clone())?;
        }
        Ok(admission)
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        let known = self.known(&order.id);
        if known.is_some_and(|known| known.revision + 1 != order.revision && known != order) {
            return Ok(Stored::Superseded);
        }
        self.write(order).map(|()| Stored::Committed)
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        let lagging = self.lagging.lock().unwrap();
        Ok(lagging.as_ref().map_or_else(|| self.known(id), |orders| orders.get(id).cloned()))
    }

    async fn list(&self, _: Filter) -> Result<Vec<Order>, LedgerError> {
        Ok(Vec::new())
    }

    async fn release(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn claim(&self, now: Timestamp, _: usize) -> Result<Vec<Claimed>, LedgerError> {
        if self.leased.load(Relaxed) {
            return Ok(Vec::new());
        }
        let due = |order: &&Order| order.state.is_open() && order.next_attempt_at.is_none_or(|at| at <= now);
        Ok(self.orders.lock().unwrap().values().filter(due).map(claimed).collect())
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        let orders = self.orders.lock().unwrap();
        Ok(orders.values().filter_map(|order| order.next_attempt_at).filter(|at| *at > now).min())
    }

    async fn due_after(&self, time: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        let orders = self.orders.lock().unwrap();
        let late = orders.values().filter(|order| order.next_attempt_at.is_some_and(|at| at > time));
        Ok(late.take(limit).map(claimed).collect())
    }

    async fn purge(&self, _: Timestamp, _: Duration) -> Result<usize, LedgerError> {
        Ok(0)
    }
}

/// What happens to a POST.
#[derive(Debug, Clone, Copy)]
enum Post {
    Creates,
    /// The order is created, and the answer is lost.
    IsLost,
    /// The order is created, and the answer does not have its number.
    IsUnnumbered,
    Refuses,
    /// 429.
    IsBusy,
    Panics,
    Hangs,
}

/// An 11VMS that creates an order for every POST, and finds those that it created.
#[derive(Debug, Default)]
struct FakeVms {
    /// For each look-up to come: whether it gets no answer.
    lost_look_ups: Mutex<VecDeque<CallOutcome>>,
    /// So many look-ups get no answer, and no end.
    hanging_look_ups: AtomicUsize,
    script: Mutex<VecDeque<Post>>,
    calls: Mutex<Vec<&'static str>>,
    created: Mutex<usize>,
}

#[async_trait]
impl Vms for FakeVms {
    async fn create(&self, _: &Order) -> CallOutcome {
        self.calls.lock().unwrap().push("POST");
        let answered = |status, body| {
            CallOutcome::Answered(VmsResponse {
                status,
                body: Some(body),
                defect: None,
                location: None,
                retry_after: None,
                list_headers: Vec::new(),
            })
        };
        let post = self.script.lock().unwrap().pop_front().unwrap_or(Post::Creates);
        match post {
            Post::Creates => {
                *self.created.lock().unwrap() += 1;
                answered(201, json!({ "poNumber": "45" }))
            }
            Post::IsLost => {
                *self.created.lock().unwrap() += 1;
                CallOutcome::Lost("no answer".into())
            }
            Post::IsUnnumbered => {
                *self.created.lock().unwrap() += 1;
                answered(201, json!({}))
            }
            Post::IsBusy => answered(429, json!({})),
            Post::Refuses => answered(422, json!({ "message": "no" })),
            Post::Panics => panic!("a defect on the way to 11VMS"),
            Post::Hangs => std::future::pending().await,
        }
    }

    async fn look_up(&self, order: &Order) -> CallOutcome {
        self.calls.lock().unwrap().push("GET");
        if self.hanging_look_ups.fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1)).is_ok() {
            return std::future::pending().await;
        }
        if let Some(lost) = self.lost_look_ups.lock().unwrap().pop_front() {
            return lost;
        }
        let found = vec![json!({ "poNumber": "45", "externalId": order.id }); *self.created.lock().unwrap()];
        CallOutcome::Answered(VmsResponse {
            status: 200,
            body: Some(json!({ "purchaseOrders": found })),
            defect: None,
            location: None,
            retry_after: None,
            list_headers: Vec::new(),
        })
    }
}

struct Stack {
    relay: Arc<Relay>,
    ledger: Arc<FakeLedger>,
    vms: Arc<FakeVms>,
    clock: Arc<ManualClock>,
}

/// A relay that runs, with one request to 11VMS at a time.
fn stack(script: &[Post]) -> Stack {
    stack_with(script, |_| {})
}

/// The same, with other dependencies.
fn stack_with(script: &[Post], change: impl Fn(&mut Dependencies)) -> Stack {
    let vms = Arc::new(FakeVms::default());
    vms.script.lock().unwrap().extend(script);
    run(Arc::new(FakeLedger::default()), vms, Arc::new(ManualClock::default()), change)
}

fn run(
    ledger: Arc<FakeLedger>,
    vms: Arc<FakeVms>,
    clock: Arc<ManualClock>,
    change: impl Fn(&mut Dependencies),
) -> Stack {
    let mut dependencies = Dependencies {
        ledger: Arc::clone(&ledger) as Arc<dyn Ledger>,
        vms: Arc::clone(&vms) as Arc<dyn Vms>,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        policy: RetryPolicy::usual(),
        response_rules: ResponseRules::default(),
        max_concurrency: 1,
        breaker: BreakerPolicy { failures: 3, pause: Duration::from_secs(5), longest_pause: Duration::from_mins(1) },
        attempt_limit: Duration::from_mins(10),
        jitter: JitterSource(Arc::new(|| 0.0)),
        restored: None,
    };
    change(&mut dependencies);
    let relay = Relay::new(dependencies);
    tokio::spawn(Arc::clone(&relay).run());
    Stack { relay, ledger, vms, clock }
}

fn candidate(number: &str) -> Candidate {
    Candidate {
        id: OrderId::of(number),
        cart_number: number.to_owned(),
        fingerprint: "f".into(),
        body: json!({ "externalId": number }).to_string(),
        mapping_version: "v".into(),
        propagated_headers: PropagatedHeaders::default(),
    }
}

impl Stack {
    /// The process ends, and another one takes its place.
    async fn restart(self, change: impl Fn(&mut Dependencies)) -> Self {
        self.relay.stop(Duration::ZERO).await;
        let next = run(self.ledger, self.vms, self.clock, change);
        next.settle().await;
        next
    }

    /// Lets time pass in steps, as the sweeps need it.
    async fn pass_slowly(&self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.pass(Duration::from_secs(1)).await;
        }
    }

    fn submit(&self, number: &str) -> tokio::task::JoinHandle<Result<SubmitOutcome, LedgerError>> {
        let relay = Arc::clone(&self.relay);
        let candidate = candidate(number);
        tokio::spawn(async move { relay.submit(candidate, Duration::from_hours(1)).await })
    }

    fn calls(&self) -> Vec<&'static str> {
        self.vms.calls.lock().unwrap().clone()
    }

    /// Lets every task that can go on go on.
    async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.settle().await;
    }
}

#[tokio::test]
async fn a_cart_that_can_not_be_recorded_is_not_sent() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::Refused]);
    assert!(stack.submit("1").await.unwrap().is_err());
    stack.pass(SWEEP_INTERVAL).await;
    assert_eq!(stack.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn an_attempt_that_can_not_be_recorded_sends_nothing_and_is_made_later() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::None, Failure::Refused]);
    let caller = stack.submit("1");
    stack.settle().await;
    assert_eq!(stack.calls(), Vec::<&str>::new());
    assert_eq!(stack.ledger.order().state, State::Accepted);
    stack.pass(SWEEP_INTERVAL).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"]);
}

#[tokio::test]
async fn an_attempt_of_which_it_is_not_known_whether_it_was_recorded_is_recorded_again_and_then_made() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::None, Failure::Ambiguous]);
    let caller = stack.submit("1");
    stack.settle().await;
    assert_eq!((stack.ledger.order().state, stack.calls().len()), (State::Forwarding, 0));
    stack.pass(SWEEP_INTERVAL).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"], "one attempt, whose begin was written twice");
    assert_eq!(stack.ledger.order().attempts.len(), 1);
}

#[tokio::test]
async fn nobody_is_told_an_outcome_that_is_not_recorded() {
    let stack = stack(&[]);
    stack.ledger.fail_next(&[Failure::None, Failure::None, Failure::Refused, Failure::Refused]);
    let caller = stack.submit("1");
    stack.settle().await;
    assert_eq!(stack.calls(), ["POST"]);
    assert!(!caller.is_finished(), "11VMS has created the order, the ledger does not know it yet");
    stack.pass(LEDGER_RETRY_DELAY).await;
    assert!(!caller.is_finished());
    stack.pass(LEDGER_RETRY_DELAY).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST"], "kept, not sent again");
}

#[tokio::test]
async fn an_outcome_that_was_recorded_after_all_does_not_overwrite_a_newer_life() {
    let stack = stack(&[Post::Refuses, Post::Creates]);
    stack.ledger.fail_next(&[Failure::None, Failure::None, Failure::Ambiguous]);
    let first = stack.submit("1");
    stack.settle().await;
    assert_eq!(stack.ledger.order().state, State::Rejected);
    let second = stack.submit("1");
    stack.settle().await;
    stack.pass(LEDGER_RETRY_DELAY).await;
    assert!(matches!(second.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.ledger.order().state, State::Created);
    assert!(matches!(first.await.unwrap().unwrap(), SubmitOutcome::Created(_)), "the newest outcome is everybody's");
    assert_eq!(stack.calls(), ["POST", "POST"]);
}

#[tokio::test]
async fn an_attempt_that_panics_is_looked_up_and_harms_no_other() {
    let stack = stack(&[Post::Panics]);
    let caller = stack.submit("1");
    stack.settle().await;
    assert!(matches!(stack.submit("2").await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    stack.pass(SWEEP_INTERVAL).await;
    stack.pass(Duration::from_secs(30)).await;
    assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Created(_)));
    assert_eq!(stack.calls(), ["POST", "POST", "GET"], "the fake finds the other order's number");
}

#[tokio::test]
async fn who_waits_for_its_turn_when_the_service_stops_is_not_sent() {
    let stack = stack(&[Post::Hangs]);
    let (first, second) = (stack.submit("1"), stack.submit("2"));
    stack.settle().await;
    let relay = Arc::clone(&stack.relay);
    let stop = tokio::spawn(async move { relay.stop(Duration::from_secs(10)).await });
    stack.settle().await;
    assert!(!first.is_finished() && !second.is_finished(), "an attempt is under way");
    stack.pass(Duration::from_secs(10)).await;
    stop.await.unwrap();
    assert!(matches!(first.await.unwrap().unwrap(), SubmitOutcome::Open(order) if order.state == State::Forwarding));
    assert!(matches!(second.await.unwrap().unwrap(), SubmitOutcome::Open(order) if order.state == State::Accepted));
    assert_eq!(stack.calls(), ["POST"]);
}

#[tokio::test]
async fn a_cart_that_arrives_during_the_stop_is_recorded_and_left_for_the_next_start() {
    let stack = stack(&[]);
    stack.relay.stop(Duration::ZERO).await;
    assert!(matches!(stack.submit("1").await.unwrap().unwrap(), SubmitOutcome::Open(_)));
    assert_eq!(stack.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn callers_of_one_order_share_its_outcome_and_one_of_them_created_it() {
    let stack = stack(&[]);
    let callers: Vec<_> = (0..10).map(|_| stack.submit("1")).collect();
    let mut created = 0;
    for caller in callers {
        match caller.await.unwrap().unwrap() {
            SubmitOutcome::Created(_) => created += 1,
            SubmitOutcome::Replayed(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((created, stack.calls()), (1, vec!["POST"]));
    assert!(!stack.relay.dispatcher.knows(&OrderId::of("1")));
}

#[tokio::test]
async fn nobody_is_waited_for_when_everybody_has_gone() {
    let stack = stack(&[Post::Hangs]);
    let caller = stack.submit("1");
    stack.settle().await;
    caller.abort();
    stack.settle().await;
    assert!(stack.relay.waiters.is_empty());
}

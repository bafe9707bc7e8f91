//! A ledger, an 11VMS and a relay between them, for tests.

mod vms;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

use async_trait::async_trait;

use super::*;
use crate::clock::Clock;
use crate::ledger::{Claimed, Filter, Ledger, Sharing, Stored};
use crate::order::breaker::BreakerPolicy;
use crate::order::{Admission, PropagatedHeaders, Requester, Terms, admit};
use crate::relay::dispatcher::Dispatch;
use crate::telemetry::OrderLog;
use crate::vms::Vms;
pub use vms::{FakeVms, Post, deferred};

pub type Condition = fn(&Order) -> bool;

/// A ledger in memory whose next writes may fail.
#[derive(Debug, Default)]
pub struct FakeLedger {
    pub orders: Mutex<HashMap<OrderId, Order>>,
    /// For each write to come: whether it fails.
    pub failures: Mutex<VecDeque<Failure>>,
    /// What reads show in place of the orders, as those of a standby that lags behind.
    pub lagging: Mutex<Option<HashMap<OrderId, Order>>>,
    /// No sweep finds an order, as if each belonged to a replica.
    pub leased: AtomicBool,
    /// Whether replicas share it.
    pub is_shared: AtomicBool,
    /// The clock of the host, which sleeps now and then.
    pub clock: OnceLock<Arc<ManualClock>>,
    /// The reads of one order.
    pub reads: AtomicUsize,
    /// The writes.
    pub writes: AtomicUsize,
    /// The records that the ledger can't hold.
    pub refuses: Mutex<Option<Condition>>,
    /// While it is set, an admission waits for one of its permits.
    pub gate: OnceLock<Semaphore>,
    /// The admissions that have begun.
    pub admissions: AtomicUsize,
    /// Leases that are given back get no answer.
    pub release_hangs: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Failure {
    None,
    /// Nothing was written.
    Refused,
    /// It was written, and the answer was lost.
    Ambiguous,
    /// It was written, and the host slept for an hour meanwhile.
    HostSleeps,
}

/// A host sleeps: its monotonic clock stands still, its wall clock is put right after it.
fn sleep_an_hour(clock: &OnceLock<Arc<ManualClock>>) {
    clock.get().unwrap().step(jiff::SignedDuration::from_hours(1));
}

impl FakeLedger {
    pub fn order(&self) -> Order {
        self.orders.lock().unwrap().values().next().unwrap().clone()
    }

    pub fn put(&self, order: Order) {
        self.orders.lock().unwrap().insert(order.id.clone(), order);
    }

    /// From now on reads show the present.
    pub fn freeze_reads(&self) {
        let present = self.orders.lock().unwrap().clone();
        *self.lagging.lock().unwrap() = Some(present);
    }

    pub fn thaw_reads(&self) {
        *self.lagging.lock().unwrap() = None;
    }

    pub fn orders_are_leased(&self) {
        self.leased.store(true, Relaxed);
    }

    pub fn refuse(&self, which: Condition) {
        *self.refuses.lock().unwrap() = Some(which);
    }

    pub fn known(&self, id: &OrderId) -> Option<Order> {
        self.orders.lock().unwrap().get(id).cloned()
    }

    pub fn fail_next(&self, failures: &[Failure]) {
        self.failures.lock().unwrap().extend(failures);
    }

    pub fn write(&self, order: Order) -> Result<(), LedgerError> {
        self.writes.fetch_add(1, Relaxed);
        if self.refuses.lock().unwrap().is_some_and(|refuses| refuses(&order)) {
            return Err(LedgerError::Unwritable("a character that it does not know".into()));
        }
        let failure = self.failures.lock().unwrap().pop_front().unwrap_or(Failure::None);
        if failure != Failure::Refused {
            self.put(order);
        }
        if failure == Failure::HostSleeps {
            sleep_an_hour(&self.clock);
            return Ok(());
        }
        if failure == Failure::None { Ok(()) } else { Err(LedgerError::Unavailable("disk full".into())) }
    }
}

pub fn claimed(order: &Order) -> Claimed {
    Claimed { id: order.id.clone(), received_at: order.received_at, state: order.state, revision: order.revision }
}

#[async_trait]
impl Ledger for FakeLedger {
    fn sharing(&self) -> Sharing {
        if self.is_shared.load(Relaxed) { Sharing::Shared } else { Sharing::Exclusive }
    }

    async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
        self.admissions.fetch_add(1, Relaxed);
        if let Some(gate) = self.gate.get() {
            gate.acquire().await.unwrap().forget();
        }
        let known = self.known(&candidate.id);
        let admission = admit(known, candidate, terms);
        if let Admission::Started(order) | Admission::Restarted(order) = &admission {
            self.write(order.clone())?;
        }
        Ok(admission)
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        let known = self.known(&order.id);
        if known.is_none_or(|known| known.revision + 1 != order.revision && known != order) {
            return Ok(Stored::Superseded);
        }
        self.write(order).map(|()| Stored::Committed)
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        self.reads.fetch_add(1, Relaxed);
        let lagging = self.lagging.lock().unwrap();
        Ok(lagging.as_ref().map_or_else(|| self.known(id), |orders| orders.get(id).cloned()))
    }

    async fn list(&self, _: Filter) -> Result<Vec<Order>, LedgerError> {
        Ok(self.orders.lock().unwrap().values().cloned().collect())
    }

    async fn release(&self) -> Result<(), LedgerError> {
        if self.release_hangs.load(Relaxed) {
            std::future::pending::<()>().await;
        }
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

/// A clock of which every other look at the wall clock shows an hour less, while it is unsteady.
#[derive(Debug)]
pub struct UnsteadyClock {
    clock: Arc<ManualClock>,
    pub is_unsteady: AtomicBool,
    looks: AtomicUsize,
}

impl UnsteadyClock {
    /// `first` is 0 if the second look shows less, 1 if the first one does.
    pub fn new(clock: Arc<ManualClock>, first: usize) -> Self {
        Self { clock, is_unsteady: AtomicBool::new(true), looks: AtomicUsize::new(first) }
    }
}

#[async_trait]
impl Clock for UnsteadyClock {
    fn now(&self) -> Timestamp {
        let is_back = self.is_unsteady.load(Relaxed) && self.looks.fetch_add(1, Relaxed) % 2 == 1;
        let step = if is_back { Duration::from_hours(1) } else { Duration::ZERO };
        self.clock.now() - step
    }

    fn moment(&self) -> Moment {
        self.clock.moment()
    }

    async fn sleep_until(&self, moment: Moment) {
        self.clock.sleep_until(moment).await;
    }
}

pub struct Stack {
    pub relay: Arc<Relay>,
    pub ledger: Arc<FakeLedger>,
    pub vms: Arc<FakeVms>,
    pub clock: Arc<ManualClock>,
}

/// A relay that runs, with one request to 11VMS at a time.
pub fn stack(script: &[Post]) -> Stack {
    stack_with(script, |_| {})
}

/// The same, with other dependencies.
pub fn stack_with(script: &[Post], change: impl Fn(&mut Dependencies)) -> Stack {
    let vms = Arc::new(FakeVms::default());
    vms.script.lock().unwrap().extend(script);
    run(Arc::new(FakeLedger::default()), vms, Arc::new(ManualClock::default()), change)
}

pub fn run(
    ledger: Arc<FakeLedger>,
    vms: Arc<FakeVms>,
    clock: Arc<ManualClock>,
    change: impl Fn(&mut Dependencies),
) -> Stack {
    for host in [&ledger.clock, &vms.clock] {
        host.get_or_init(|| Arc::clone(&clock));
    }
    let mut dependencies = Dependencies {
        ledger: Arc::clone(&ledger) as Arc<dyn Ledger>,
        vms: Arc::clone(&vms) as Arc<dyn Vms>,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        policy: RetryPolicy::usual(),
        response_rules: ResponseRules::default(),
        concurrency: Concurrency { permits: 1, ahead: 0 },
        breaker: BreakerPolicy { failures: 3, pause: Duration::from_secs(5), longest_pause: Duration::from_mins(1) },
        attempt_limit: Duration::from_mins(10),
        jitter: JitterSource(Arc::new(|| 0.0)),
        observers: observer::Observers::new(vec![Arc::new(OrderLog)]),
        tracer: trace::Tracer::off(),
        restored: None,
    };
    change(&mut dependencies);
    let relay = Relay::new(dependencies);
    tokio::spawn(Arc::clone(&relay).run());
    Stack { relay, ledger, vms, clock }
}

pub fn candidate(number: &str) -> Candidate {
    Candidate {
        id: OrderId::of(number),
        cart_number: number.to_owned(),
        fingerprint: "f".into(),
        body: json!({ "externalId": number }).to_string(),
        mapping_version: "v".into(),
        warnings: Vec::new(),
        propagated_headers: PropagatedHeaders::default(),
        requester: Requester::default(),
        cart: None,
    }
}

impl Stack {
    /// The process ends, and another one takes its place.
    pub async fn restart(self, change: impl Fn(&mut Dependencies)) -> Self {
        self.relay.stop(Duration::ZERO).await;
        let next = run(self.ledger, self.vms, self.clock, change);
        next.settle().await;
        next
    }

    /// Lets time pass in steps, as the sweeps need it.
    pub async fn pass_slowly(&self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.pass(Duration::from_secs(1)).await;
        }
    }

    pub fn submit(&self, number: &str) -> tokio::task::JoinHandle<Result<SubmitOutcome, LedgerError>> {
        let relay = Arc::clone(&self.relay);
        let candidate = candidate(number);
        tokio::spawn(async move { relay.submit(candidate, Duration::from_hours(1)).await })
    }

    /// Takes the only permit, as an order does that is being sent: until it is given back, carts are recorded and wait.
    pub async fn take_permit(&self) -> Dispatch {
        self.settle().await;
        self.relay.dispatcher.try_reserve(&OrderId::of("another")).unwrap()
    }

    /// Submits a cart whose order waits for its attempt, which begins by a write of its own.
    pub async fn submit_and_wait(&self, number: &str) -> tokio::task::JoinHandle<Result<SubmitOutcome, LedgerError>> {
        let permit = self.take_permit().await;
        let caller = self.submit(number);
        self.settle().await;
        drop(permit);
        caller
    }

    pub fn calls(&self) -> Vec<&'static str> {
        self.vms.calls.lock().unwrap().clone()
    }

    /// Lets every task that can go on go on.
    pub async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.settle().await;
    }
}

//! One seed: who does what and when, and how it ends.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use purchase_order_webhook::ledger::Sharing;
use purchase_order_webhook::order::breaker::BreakerPolicy;
use purchase_order_webhook::order::retry::{DuplicateGuard, RetryPolicy};
use purchase_order_webhook::order::vms_response::ResponseRules;
use purchase_order_webhook::order::{Candidate, OrderId, Outcome, PropagatedHeaders, Resolution, Resolved, State};
use purchase_order_webhook::relay::{Dependencies, JitterSource, Relay, SubmitOutcome};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{AbortHandle, yield_now};

use crate::broken::Defect;
use crate::ledger::SimulatedLedger;
use crate::vms::SimulatedVms;
use crate::world::{GRACE, ProcessRunId, Shared, SimulatedClock};

pub const INITIAL_DELAY: Duration = Duration::from_secs(1);
pub const MAX_DELAY: Duration = Duration::from_secs(10);

/// Shorter than the slowest look-up and the slowest request together, so that attempts are cut off.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);

/// Things go wrong for so long; then it is calm.
const ROUGH: Duration = Duration::from_mins(1);

/// After things have gone wrong for the last time, everything is settled within this: a lease, a sweep, and all attempts
/// with their waits and graces.
const HORIZON: Duration = Duration::from_secs(150);

/// A caller's answer comes so much after its deadline at most: the cart has five seconds to be recorded, and a last look
/// at the order has one.
const LATE: Duration = Duration::from_millis(6_500);

/// More steps than the tasks of one event ever need to come to rest.
const STEPS: usize = 8;

/// What happens from outside.
#[derive(Debug, Clone, Copy)]
enum Action {
    /// A cart is sent; the caller may hang up, and may send it again after an answer that is not good.
    Submit {
        cart: usize,
        version: usize,
        wait: Duration,
        hangs_up_after: Option<Duration>,
    },
    HangUp(usize),
    /// A replica dies, and another one takes its place.
    Crash {
        replica: usize,
    },
    /// A replica is told to stop, and dies soon after.
    Stop {
        replica: usize,
    },
    Start {
        replica: usize,
    },
    LedgerFails {
        until: Timestamp,
    },
    Replay {
        cart: usize,
    },
    Resolve {
        cart: usize,
    },
    StopFaults,
}

/// One life of one replica: what dies with it.
struct ProcessRun {
    id: ProcessRunId,
    runtime: Runtime,
    relay: Arc<Relay>,
}

/// How much happened.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    carts: u64,
    crashes: u64,
    created: u64,
    rejected: u64,
    parked: u64,
    cancelled: u64,
    attempts: u64,
    unknown: u64,
    interrupted: u64,
    found: u64,
    replayed: u64,
}

impl Figures {
    pub const fn named(&self) -> [(&'static str, u64); 11] {
        [
            ("carts", self.carts),
            ("crashes", self.crashes),
            ("created", self.created),
            ("rejected", self.rejected),
            ("parked", self.parked),
            ("cancelled", self.cancelled),
            ("attempts", self.attempts),
            ("unknown outcomes", self.unknown),
            ("interrupted attempts", self.interrupted),
            ("found by look-up", self.found),
            ("tried again by hand", self.replayed),
        ]
    }

    pub const fn add(&mut self, other: &Self) {
        self.carts += other.carts;
        self.crashes += other.crashes;
        self.created += other.created;
        self.rejected += other.rejected;
        self.parked += other.parked;
        self.cancelled += other.cancelled;
        self.attempts += other.attempts;
        self.unknown += other.unknown;
        self.interrupted += other.interrupted;
        self.found += other.found;
        self.replayed += other.replayed;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.named().iter().map(|(name, count)| format!("{count} {name}")).collect();
        f.write_str(&texts.join(", "))
    }
}

/// How a seed ended.
pub struct Report {
    pub seed: u64,
    pub violation: Option<String>,
    pub trace: u64,
    pub figures: Figures,
}

struct Simulation {
    world: Shared,
    /// Decides what comes from outside, apart from the world's own chance.
    random: StdRng,
    plan: BTreeMap<(Timestamp, u64), Action>,
    planned: u64,
    replicas: Vec<Option<ProcessRun>>,
    lives: ProcessRunId,
    sharing: Sharing,
    guard: DuplicateGuard,
    max_concurrency: usize,
    defect: Option<Defect>,
    /// Callers that may hang up.
    callers: Vec<AbortHandle>,
    /// Actions that callers decide on when they have their answer.
    later: Arc<Mutex<Vec<(Duration, Action)>>>,
    crashes: u64,
}

/// Runs one seed.
pub fn run(seed: u64, defect: Option<Defect>, tell: bool) -> Report {
    let mut simulation = Simulation::new(seed, defect, tell);
    simulation.plan();
    for replica in 0..simulation.replicas.len() {
        simulation.start(replica);
    }
    simulation.live();
    simulation.report(seed)
}

impl Simulation {
    fn new(seed: u64, defect: Option<Defect>, tell: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ 0x5EED);
        let sharing = if random.random_bool(0.6) { Sharing::Exclusive } else { Sharing::Shared };
        let guard = match random.random_range(0..10) {
            0 => DuplicateGuard::None,
            1 => DuplicateGuard::IdempotencyKey,
            _ => DuplicateGuard::LookUp,
        };
        let replicas = if sharing == Sharing::Exclusive { 1 } else { 3 };
        Self {
            world: Shared::new(seed, tell),
            plan: BTreeMap::new(),
            planned: 0,
            replicas: (0..replicas).map(|_| None).collect(),
            lives: 0,
            sharing,
            guard,
            max_concurrency: random.random_range(1..4),
            defect,
            callers: Vec::new(),
            later: Arc::default(),
            crashes: 0,
            random,
        }
    }

    fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            retries: 3,
            initial_delay: INITIAL_DELAY,
            multiplier: 2.0,
            max_delay: MAX_DELAY,
            jitter: 0.1,
            unknown_grace: if self.defect == Some(Defect::AskedTooEarly) { Duration::ZERO } else { GRACE },
            guard: self.guard,
        }
    }

    fn start(&mut self, replica: usize) {
        if self.replicas[replica].is_some() {
            return;
        }
        self.lives += 1;
        let (id, world) = (self.lives, self.world.clone());
        let chance = Mutex::new(StdRng::seed_from_u64(self.random.random()));
        let parts = Dependencies {
            ledger: Arc::new(SimulatedLedger {
                world: world.clone(),
                life: id,
                sharing: self.sharing,
                defect: self.defect,
            }),
            vms: Arc::new(SimulatedVms {
                world: world.clone(),
                life: id,
                defect: self.defect,
                honours_keys: self.guard == DuplicateGuard::IdempotencyKey,
                max_concurrency: self.max_concurrency,
                sharing: self.sharing,
            }),
            clock: Arc::new(SimulatedClock { world: world.clone(), life: id }),
            policy: self.policy(),
            response_rules: ResponseRules { number_pointer: "/poNumber".into(), transient_codes: Vec::new() },
            max_concurrency: self.max_concurrency,
            breaker: BreakerPolicy {
                failures: 5,
                pause: Duration::from_secs(1),
                longest_pause: Duration::from_secs(5),
            },
            attempt_limit: ATTEMPT_LIMIT,
            jitter: JitterSource(Arc::new(move || chance.lock().unwrap().random_range(-1.0..=1.0))),
        };
        let relay = Relay::new(parts);
        // No drivers: nothing in it can wait for anything but the simulated world.
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.spawn(Arc::clone(&relay).run());
        self.world.lock().note(&format!("life {id} of replica {replica} begins"));
        self.replicas[replica] = Some(ProcessRun { id, runtime, relay });
        self.let_tasks_run(id);
    }

    fn crash(&mut self, replica: usize) {
        if let Some(life) = self.replicas[replica].take() {
            self.crashes += 1;
            let mut world = self.world.lock();
            world.note(&format!("life {} of replica {replica} ends", life.id));
            world.crash(life.id);
            drop(world);
            drop(life);
        }
    }

    fn let_tasks_run(&self, life: ProcessRunId) {
        if let Some(life) = self.replicas.iter().flatten().find(|known| known.id == life) {
            life.runtime.block_on(async {
                for _ in 0..STEPS {
                    yield_now().await;
                }
            });
        }
    }

    fn at(&mut self, time: Timestamp, action: Action) {
        self.planned += 1;
        self.plan.insert((time, self.planned), action);
    }

    /// Draws everything that comes from outside.
    fn plan(&mut self) {
        let start = self.world.lock().now;
        let carts = self.random.random_range(2..7);
        let faults_on = ROUGH.as_millis().try_into().unwrap();
        let time = |random: &mut StdRng| after(start, Duration::from_millis(random.random_range(0..faults_on)));
        for number in 0..self.random.random_range(4..20) {
            // Every cart comes at least once.
            let cart = if number < carts { number } else { self.random.random_range(0..carts) };
            let action = self.submission(cart);
            let time = time(&mut self.random);
            self.at(time, action);
        }
        for _ in 0..self.random.random_range(0..6) {
            let (at, replica) = (time(&mut self.random), self.random.random_range(0..self.replicas.len()));
            let gone = Duration::from_millis(self.random.random_range(0..6_000));
            let stops = self.random.random_bool(0.2);
            self.at(at, if stops { Action::Stop { replica } } else { Action::Crash { replica } });
            let back = if stops { gone + Duration::from_secs(3) } else { gone };
            self.at(after(at, back), Action::Start { replica });
        }
        for _ in 0..self.random.random_range(0..3) {
            let at = time(&mut self.random);
            let until = after(at, Duration::from_millis(self.random.random_range(0..6_000)));
            self.at(at, Action::LedgerFails { until });
        }
        for _ in 0..self.random.random_range(0..8) {
            let (at, cart) = (time(&mut self.random), self.random.random_range(0..carts));
            let replay = self.random.random_bool(0.5);
            self.at(at, if replay { Action::Replay { cart } } else { Action::Resolve { cart } });
        }
        self.at(after(start, ROUGH), Action::StopFaults);
    }

    fn submission(&mut self, cart: usize) -> Action {
        let version = usize::from(self.random.random_bool(0.1));
        let wait = Duration::from_secs([0, 1, 4, 8][self.random.random_range(0..4)]);
        let hangs_up = self.random.random_bool(0.15);
        let hangs_up_after = hangs_up.then(|| Duration::from_millis(self.random.random_range(0..2_000)));
        Action::Submit { cart, version, wait, hangs_up_after }
    }

    /// Time passes, until everything is settled or has had more than enough time.
    fn live(&mut self) {
        let start = self.world.lock().now;
        loop {
            let (now, next, done) = {
                let world = self.world.lock();
                let next = world.agenda.first_key_value().map(|((time, _), _)| *time);
                (world.now, next, world.invariants.violation.is_some() || (!world.faults_on && world.all_settled()))
            };
            let over = now > after(start, ROUGH) + Duration::from_secs(15) && done;
            if over || now > after(start, HORIZON) || self.world.lock().invariants.violation.is_some() {
                break;
            }
            let action = self.plan.first_key_value().map(|((time, _), _)| *time);
            match (action, next) {
                (Some(action), next) if next.is_none_or(|next| action <= next) => {
                    let ((time, _), action) = self.plan.pop_first().unwrap();
                    self.world.lock().now = time.max(now);
                    self.act(action);
                }
                (_, Some(_)) => {
                    let life = self.world.lock().step();
                    if let Some(life) = life {
                        self.let_tasks_run(life);
                    }
                }
                (_, None) => break,
            }
            let later: Vec<_> = self.later.lock().unwrap().drain(..).collect();
            let now = self.world.lock().now;
            for (wait, action) in later {
                self.at(after(now, wait), action);
            }
        }
        let mut world = self.world.lock();
        if world.invariants.violation.is_none() {
            world.check_end();
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Submit { cart, version, wait, hangs_up_after } => self.submit(cart, version, wait, hangs_up_after),
            Action::HangUp(caller) => {
                self.callers[caller].abort();
                let lives: Vec<ProcessRunId> = self.replicas.iter().flatten().map(|life| life.id).collect();
                for life in lives {
                    self.let_tasks_run(life);
                }
            }
            Action::Crash { replica } => self.crash(replica),
            Action::Stop { replica } => {
                if let Some(life) = &self.replicas[replica] {
                    let relay = Arc::clone(&life.relay);
                    life.runtime.spawn(async move { relay.stop(Duration::from_secs(2)).await });
                    let (id, now) = (life.id, self.world.lock().now);
                    self.let_tasks_run(id);
                    self.at(after(now, Duration::from_millis(2_500)), Action::Crash { replica });
                }
            }
            Action::Start { replica } => self.start(replica),
            Action::LedgerFails { until } => {
                let mut world = self.world.lock();
                world.ledger_down_until = world.ledger_down_until.max(until);
            }
            Action::Replay { cart } => self.replay(cart),
            Action::Resolve { cart } => self.resolve(cart),
            Action::StopFaults => {
                self.world.lock().faults_on = false;
                (0..self.replicas.len()).for_each(|replica| self.start(replica));
            }
        }
    }

    /// A replica that is alive, as a load balancer finds it.
    fn any_replica(&mut self) -> Option<(ProcessRunId, Arc<Relay>)> {
        let alive: Vec<&ProcessRun> = self.replicas.iter().flatten().collect();
        let life = alive.get(self.random.random_range(0..self.replicas.len()))?;
        Some((life.id, Arc::clone(&life.relay)))
    }

    fn spawn(&mut self, life: ProcessRunId, work: impl Future<Output = ()> + Send + 'static) {
        let runtime = self.replicas.iter().flatten().find(|known| known.id == life).map(|known| &known.runtime);
        self.callers.push(runtime.unwrap().spawn(work).abort_handle());
        self.let_tasks_run(life);
    }

    fn submit(&mut self, cart: usize, version: usize, wait: Duration, hangs_up_after: Option<Duration>) {
        let again = self.submission(cart);
        let (comes_again, pause) = (self.random.random_bool(0.5), self.random.random_range(100..8_000));
        let Some((life, relay)) = self.any_replica() else { return };
        let (world, later) = (self.world.clone(), Arc::clone(&self.later));
        let deadline = after(world.lock().now, wait + LATE);
        let call = async move {
            let answer = relay.submit(candidate(cart, version), wait).await;
            world.lock().check_in_time(cart, deadline);
            if let Ok(answer) = &answer {
                world.lock().check_answer(answer);
            }
            let content = matches!(
                answer,
                Ok(SubmitOutcome::Created(_) | SubmitOutcome::Replayed(_) | SubmitOutcome::Conflicting(_))
            );
            if comes_again && !content && world.lock().faults_on {
                later.lock().unwrap().push((Duration::from_millis(pause), again));
            }
        };
        self.spawn(life, call);
        if let Some(after_) = hangs_up_after {
            let (caller, now) = (self.callers.len() - 1, self.world.lock().now);
            self.at(after(now, after_), Action::HangUp(caller));
        }
    }

    fn replay(&mut self, cart: usize) {
        let Some((life, relay)) = self.any_replica() else { return };
        let world = self.world.clone();
        self.spawn(life, async move {
            let answer = relay.replay(id(cart), "somebody".to_owned(), Duration::from_secs(4)).await;
            if let Ok(Some(answer)) = answer {
                world.lock().check_answer(&answer);
            }
        });
    }

    /// People look into 11VMS, and say what they see.
    fn resolve(&mut self, cart: usize) {
        let Some((life, relay)) = self.any_replica() else { return };
        let world = self.world.clone();
        let seen = world.lock().vms.get(&id(cart)).and_then(|orders| orders.first()).map(|order| order.number.clone());
        let resolution = seen.map_or_else(|| Resolution::Cancelled("not wanted".into()), Resolution::Exists);
        if let Resolution::Exists(number) = &resolution {
            self.world.lock().invariants.named.insert((id(cart), number.clone()));
        }
        self.spawn(life, async move {
            let resolved = relay.resolve(&id(cart), resolution, "somebody", Duration::from_secs(4)).await;
            if let Ok(Some(Resolved::Applied(order) | Resolved::Already(order))) = resolved {
                let told =
                    if order.state == State::Created { SubmitOutcome::Replayed } else { SubmitOutcome::Conflicting };
                world.lock().check_answer(&told(Arc::new(order)));
            }
        });
    }

    fn report(&self, seed: u64) -> Report {
        let world = self.world.lock();
        let mut figures = Figures { crashes: self.crashes, carts: world.rows.len() as u64, ..Figures::default() };
        for order in world.rows.values().map(|row| &row.order) {
            match order.state {
                State::Created => figures.created += 1,
                State::Rejected => figures.rejected += 1,
                State::Parked => figures.parked += 1,
                State::Cancelled => figures.cancelled += 1,
                State::Accepted | State::Forwarding | State::Retrying => {}
            }
            figures.replayed +=
                order.interventions.iter().filter(|done| done.action.name() == "replayed").count() as u64;
            for attempt in &order.attempts {
                figures.attempts += 1;
                match attempt.outcome {
                    Some(Outcome::Unknown) => figures.unknown += 1,
                    Some(Outcome::Interrupted) => figures.interrupted += 1,
                    Some(Outcome::Found) => figures.found += 1,
                    _ => {}
                }
            }
        }
        Report { seed, violation: world.invariants.violation.clone(), trace: world.trace(), figures }
    }
}

fn id(cart: usize) -> OrderId {
    OrderId::of(&format!("{}", cart + 1))
}

fn candidate(cart: usize, version: usize) -> Candidate {
    Candidate {
        id: id(cart),
        cart_number: format!("{}", cart + 1),
        fingerprint: format!("{version}"),
        body: format!("{{\"externalId\":\"{}\",\"version\":{version}}}", cart + 1),
        mapping_version: "v".to_owned(),
        propagated_headers: PropagatedHeaders::default(),
    }
}

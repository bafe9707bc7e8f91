//! One seed from its start to its end: replicas that start, crash and stop while simulated time passes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use purchase_order_webhook::clock::after;
use purchase_order_webhook::ledger::Sharing;
use purchase_order_webhook::order::breaker::BreakerPolicy;
use purchase_order_webhook::order::retry::{DuplicateGuard, RetryPolicy};
use purchase_order_webhook::order::vms_response::ResponseRules;
use purchase_order_webhook::relay::observer::Observers;
use purchase_order_webhook::relay::{Concurrency, Dependencies, JitterSource, Relay, RestoredLedger};
use purchase_order_webhook::trace::Tracer;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{AbortHandle, yield_now};

use crate::broken::Defect;
use crate::callers::{LAST_CART, LAST_CART_WAIT};
use crate::clocks::SimulatedClock;
use crate::figures::Figures;
use crate::ledger::SimulatedLedger;
use crate::outbox::deliveries;
use crate::plan::{Action, FAULT_PERIOD, Plan, Reads};
use crate::vms::SimulatedVms;
use crate::world::{Events, GRACE, ProcessRunId, START, SharedWorld, Story};

pub const INITIAL_DELAY: Duration = Duration::from_secs(1);
pub const MAX_DELAY: Duration = Duration::from_secs(10);

/// Shorter than the slowest look-up and the slowest request together, so that attempts are cut off.
pub const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);

/// Every order is settled by then: after the last fault come a lease, a sweep, and all attempts with their waits and
/// graces.
const SETTLED_AFTER: Duration = Duration::from_secs(150);

/// The simulation goes on for so long after the last fault, even if every order is settled.
const QUIET_PERIOD: Duration = Duration::from_secs(15);

/// More steps than the tasks of one event ever need until all of them wait.
const YIELDS_PER_EVENT: usize = 8;

/// One run of a replica's process, and all that dies with it.
pub struct ProcessRun {
    pub id: ProcessRunId,
    pub runtime: Runtime,
    pub relay: Arc<Relay>,
}

/// How a seed ended.
pub struct Report {
    pub seed: u64,
    pub violation: Option<String>,
    pub trace: u64,
    pub figures: Figures,
}

pub struct Simulation {
    pub world: SharedWorld,
    /// Draws what comes from outside, apart from the world's own draws.
    pub random: StdRng,
    pub plan: Plan,
    pub replicas: Vec<Option<ProcessRun>>,
    processes_started: ProcessRunId,
    sharing: Sharing,
    guard: DuplicateGuard,
    max_concurrency: usize,
    ahead: usize,
    defect: Option<Defect>,
    /// Requests of callers and people, who may hang up.
    pub requests: Vec<AbortHandle>,
    crashes: u64,
    sleeps: u64,
    restored: Option<RestoredLedger>,
    last_cart_is_sent: bool,
}

/// Runs one seed.
pub fn run(seed: u64, defect: Option<Defect>, story: Story) -> Report {
    let mut simulation = Simulation::new(seed, defect, story);
    for replica in 0..simulation.replicas.len() {
        simulation.start(replica);
    }
    simulation.run_until_settled();
    simulation.report(seed)
}

impl Simulation {
    fn new(seed: u64, defect: Option<Defect>, story: Story) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ 0x5EED);
        let sharing = if random.random_bool(0.6) { Sharing::Exclusive } else { Sharing::Shared };
        let guard = match random.random_range(0..10) {
            0 => DuplicateGuard::None,
            1 => DuplicateGuard::IdempotencyKey,
            _ => DuplicateGuard::LookUp,
        };
        let replicas = if sharing == Sharing::Exclusive { 1 } else { 3 };
        let max_concurrency = random.random_range(1..4);
        let world = SharedWorld::new(seed, story);
        let reads = if sharing == Sharing::Shared { Reads::MayLag } else { Reads::Current };
        let mut plan = Plan::draw(&mut random, START, replicas, reads);
        if random.random_bool(0.5) {
            plan.add_clock_changes(&mut random, START, replicas);
            world.lock().clocks_agree = false;
        } else {
            plan.add_sleeps(&mut random, START, replicas);
        }
        world.lock().storage_is_narrow = random.random_bool(0.2);
        // Deliveries look once a second, which is most of what would happen; a part of the seeds is enough.
        let events = match defect {
            _ if !seed.is_multiple_of(3) => Events::Ignored,
            Some(Defect::EventStoredApart) => Events::StoredApart,
            _ => Events::Stored,
        };
        world.lock().events = events;
        Self {
            world,
            plan,
            replicas: (0..replicas).map(|_| None).collect(),
            processes_started: 0,
            sharing,
            guard,
            max_concurrency,
            // None where an order in doubt is parked, as in the service.
            ahead: if guard == DuplicateGuard::None { 0 } else { usize::try_from(seed / 3 % 3).unwrap() },
            defect,
            requests: Vec::new(),
            crashes: 0,
            sleeps: 0,
            restored: None,
            last_cart_is_sent: false,
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

    fn dependencies(&mut self, process: ProcessRunId, machine: usize) -> Dependencies {
        let jitter = Mutex::new(StdRng::seed_from_u64(self.random.random()));
        let (world, sharing, defect) = (&self.world, self.sharing, self.defect);
        Dependencies {
            ledger: Arc::new(SimulatedLedger { world: world.clone(), process, sharing, defect }),
            vms: Arc::new(SimulatedVms {
                world: world.clone(),
                process,
                machine,
                defect,
                honours_keys: self.guard == DuplicateGuard::IdempotencyKey,
                max_concurrency: self.max_concurrency,
                sharing,
            }),
            clock: Arc::new(SimulatedClock { world: world.clone(), process, machine, defect }),
            policy: self.policy(),
            response_rules: ResponseRules::default(),
            concurrency: Concurrency { permits: self.max_concurrency, ahead: self.ahead },
            breaker: BreakerPolicy {
                failures: 5,
                pause: Duration::from_secs(1),
                longest_pause: Duration::from_secs(5),
            },
            attempt_limit: ATTEMPT_LIMIT,
            jitter: JitterSource(Arc::new(move || jitter.lock().unwrap().random_range(-1.0..=1.0))),
            observers: Observers::default(),
            tracer: Tracer::default(),
            restored: self.restored.filter(|_| self.defect != Some(Defect::RestoreIgnored)),
        }
    }

    fn start(&mut self, replica: usize) {
        if self.replicas[replica].is_some() {
            return;
        }
        self.processes_started += 1;
        let id = self.processes_started;
        let relay = Relay::new(self.dependencies(id, replica));
        // No drivers: nothing in it can wait for anything but the simulated world.
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.spawn(Arc::clone(&relay).run());
        if self.world.lock().events != Events::Ignored {
            self.start_deliveries(&runtime, id, replica);
        }
        self.world.lock().record(&format!("process {id} of replica {replica} starts"));
        self.replicas[replica] = Some(ProcessRun { id, runtime, relay });
        self.run_tasks(id);
    }

    fn start_deliveries(&self, runtime: &Runtime, id: ProcessRunId, replica: usize) {
        let (world, defect) = (self.world.clone(), self.defect);
        let clock = Arc::new(SimulatedClock { world: world.clone(), process: id, machine: replica, defect });
        let ledger = SimulatedLedger { world, process: id, sharing: self.sharing, defect };
        runtime.spawn(deliveries(ledger, clock).run());
    }

    fn crash(&mut self, replica: usize) {
        if let Some(process) = self.replicas[replica].take() {
            self.crashes += 1;
            let mut world = self.world.lock();
            world.record(&format!("process {} of replica {replica} ends", process.id));
            world.crash(process.id);
            drop(world);
            drop(process);
        }
    }

    /// The ledger is lost with every process, and all start again with the backup.
    fn restore(&mut self) {
        (0..self.replicas.len()).for_each(|replica| self.crash(replica));
        let mut world = self.world.lock();
        let Some(backup) = world.restore() else { return };
        let now = world.now;
        drop(world);
        self.restored = Some(RestoredLedger { backup, matters_for: Duration::from_hours(400 * 24) });
        for replica in 0..self.replicas.len() {
            let wait = Duration::from_millis(self.random.random_range(0..3_000));
            self.plan.add(after(now, wait), Action::Start { replica });
        }
    }

    /// The replica is asked to stop, and is killed if it takes too long.
    fn stop(&mut self, replica: usize) {
        let Some(process) = &self.replicas[replica] else { return };
        let relay = Arc::clone(&process.relay);
        process.runtime.spawn(async move { relay.stop(Duration::from_secs(2)).await });
        let (id, now) = (process.id, self.world.lock().now);
        self.run_tasks(id);
        self.plan.add(after(now, Duration::from_millis(2_500)), Action::Crash { replica });
    }

    fn fall_asleep(&mut self, machine: usize) {
        self.sleeps += 1;
        self.world.lock().fall_asleep(machine);
    }

    /// The machine goes on, and its process notices all that has happened meanwhile.
    fn wake(&self, machine: usize) {
        self.world.lock().wake(machine);
        if let Some(process) = &self.replicas[machine] {
            self.run_tasks(process.id);
        }
    }

    /// The machine on which a process runs, if it still does: each replica has its own.
    pub fn machine_of(&self, process: ProcessRunId) -> Option<usize> {
        self.replicas.iter().position(|replica| replica.as_ref().is_some_and(|known| known.id == process))
    }

    /// Lets the tasks of a process run until all of them wait for the world, unless its machine sleeps.
    pub fn run_tasks(&self, process: ProcessRunId) {
        let awake = |machine: &usize| !self.world.lock().is_asleep(*machine);
        let machine = self.machine_of(process).filter(awake);
        if let Some(process) = machine.and_then(|machine| self.replicas[machine].as_ref()) {
            process.runtime.block_on(async {
                for _ in 0..YIELDS_PER_EVENT {
                    yield_now().await;
                }
            });
        }
    }

    /// Time passes until every order is settled, or has had more than enough time, or an invariant is violated.
    fn run_until_settled(&mut self) {
        let start = self.world.lock().now;
        loop {
            let (now, next_event, violated, settled) = {
                let world = self.world.lock();
                let is_told = world.outbox.is_empty() || !world.clocks_agree;
                let settled = !world.faults_on && world.all_settled() && is_told;
                (world.now, world.next_time(), world.invariants.violation.is_some(), settled)
            };
            let is_quiet = now > after(start, FAULT_PERIOD + QUIET_PERIOD);
            let is_over = self.last_cart_is_sent && self.world.lock().invariants.last_cart_answered;
            if violated || (is_over && settled) || now > after(start, SETTLED_AFTER) {
                break;
            }
            if is_quiet && settled && !self.last_cart_is_sent {
                self.last_cart_is_sent = true;
                self.plan.add(now, Action::SendLastCart);
            }
            match (self.plan.next_time(), next_event) {
                (Some(action), event) if event.is_none_or(|event| action <= event) => {
                    let (time, action) = self.plan.take_next().unwrap();
                    self.world.lock().now = time.max(now);
                    self.perform(action);
                }
                (_, Some(_)) => {
                    let process = self.world.lock().step();
                    if let Some(process) = process {
                        self.run_tasks(process);
                    }
                }
                (_, None) => break,
            }
            let mut world = self.world.lock();
            let now = world.now;
            for (wait, action) in world.follow_ups.drain(..) {
                self.plan.add(after(now, wait), action);
            }
        }
        let mut world = self.world.lock();
        if self.last_cart_is_sent && !world.invariants.last_cart_answered {
            world.check_last_cart(None);
        }
        if world.invariants.violation.is_none() {
            world.check_end();
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Submit { cart, version, wait, hangs_up_after } => self.submit(cart, version, wait, hangs_up_after),
            Action::HangUp(caller) => self.hang_up(caller),
            Action::Crash { replica } => self.crash(replica),
            Action::Stop { replica } => self.stop(replica),
            Action::Start { replica } => self.start(replica),
            Action::LedgerFails { until } => {
                let mut world = self.world.lock();
                world.ledger_down_until = world.ledger_down_until.max(until);
            }
            Action::LedgerIsReadOnly { until } => {
                let mut world = self.world.lock();
                world.read_only_until = world.read_only_until.max(until);
            }
            Action::ReadsLag { by } => {
                let mut world = self.world.lock();
                world.record(&format!("reads lag behind by {by:?}"));
                world.read_lag = by;
            }
            Action::ChangeClock { machine, change } => self.world.lock().change_clock(machine, change),
            Action::FallAsleep { machine } => self.fall_asleep(machine),
            Action::Wake { machine } => self.wake(machine),
            Action::BackUp => self.world.lock().back_up(),
            Action::Restore => self.restore(),
            Action::SendLastCart => self.submit(LAST_CART, 0, LAST_CART_WAIT, None),
            Action::Replay { cart } => self.replay(cart),
            Action::Resolve { cart } => self.resolve(cart),
            Action::StopFaults => {
                self.world.lock().faults_on = false;
                (0..self.replicas.len()).for_each(|replica| self.start(replica));
            }
        }
    }

    fn report(&self, seed: u64) -> Report {
        let world = self.world.lock();
        let figures = Figures::of(world.rows.values().map(|row| &row.order), self.crashes, self.sleeps);
        Report { seed, violation: world.invariants.violation.clone(), trace: world.trace(), figures }
    }
}

//! Everything outside of the process: the time, what is committed, what 11VMS has, and what is on its way.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use purchase_order_webhook::clock::{Clock, after};
use purchase_order_webhook::order::{Order, OrderId};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::sync::oneshot;

use crate::invariants::Invariants;
use crate::vms::RequestInFlight;

/// One life of one replica: from its start to its crash.
pub type ProcessRunId = u64;

/// 11VMS does what it does with a request, and shows it to a search, within this time after the connection ended: the
/// assumption of `target.unknown_grace`.
pub const GRACE: Duration = Duration::from_secs(3);

type Event = Box<dyn FnOnce(&mut World) + Send>;

/// Something that happens at a time, in whose life it is noticed, and whether it dies with that life.
pub struct Planned {
    pub life: ProcessRunId,
    event: Event,
    /// A write that is on its way to the storage: a crash may or may not stop it.
    write: bool,
}

/// A committed record.
#[derive(Debug, Clone)]
pub struct Row {
    pub order: Order,
    pub writer: ProcessRunId,
    pub lease_until: Option<Timestamp>,
}

/// An order in 11VMS.
#[derive(Debug, Clone)]
pub struct VmsOrder {
    pub number: String,
    pub visible_at: Timestamp,
}

pub struct World {
    pub now: Timestamp,
    pub random: StdRng,
    /// Things go wrong as long as this is true.
    pub faults_on: bool,
    /// Of a hundred requests that reach 11VMS, so many meet with something unusual.
    pub unusual: u32,
    pub agenda: BTreeMap<(Timestamp, u64), Planned>,
    sequence: u64,
    pub rows: BTreeMap<OrderId, Row>,
    pub ledger_down_until: Timestamp,
    pub vms: BTreeMap<OrderId, Vec<VmsOrder>>,
    pub requests: BTreeMap<u64, RequestInFlight>,
    pub invariants: Invariants,
    trace: DefaultHasher,
    pub tell: bool,
}

/// The world as its inhabitants hold it.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl Shared {
    pub fn new(seed: u64, tell: bool) -> Self {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let mut random = StdRng::seed_from_u64(seed);
        Self(Arc::new(Mutex::new(World {
            now,
            unusual: random.random_range(10..=95),
            random,
            faults_on: true,
            agenda: BTreeMap::new(),
            sequence: 0,
            rows: BTreeMap::new(),
            ledger_down_until: now,
            vms: BTreeMap::new(),
            requests: BTreeMap::new(),
            invariants: Invariants::default(),
            trace: DefaultHasher::new(),
            tell,
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl World {
    pub fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Plans an event.
    pub fn at(&mut self, time: Timestamp, life: ProcessRunId, event: impl FnOnce(&mut Self) + Send + 'static) {
        let key = (time.max(self.now), self.next_number());
        self.agenda.insert(key, Planned { life, event: Box::new(event), write: false });
    }

    /// Plans a write.
    pub fn write_at(&mut self, time: Timestamp, life: ProcessRunId, event: impl FnOnce(&mut Self) + Send + 'static) {
        let key = (time.max(self.now), self.next_number());
        self.agenda.insert(key, Planned { life, event: Box::new(event), write: true });
    }

    /// A duration between two of milliseconds.
    pub fn between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(self.random.random_range(least * 1_000..=most * 1_000))
    }

    pub fn soon(&mut self, least: u64, most: u64) -> Timestamp {
        let wait = self.between(least, most);
        after(self.now, wait)
    }

    /// True in so many of a hundred cases, while things go wrong at all.
    pub fn goes_wrong(&mut self, percent: u32) -> bool {
        let drawn = self.random.random_range(0..100) < percent;
        drawn && self.faults_on
    }

    /// Lets the next event happen; the life in which it is noticed.
    pub fn step(&mut self) -> Option<ProcessRunId> {
        let ((time, _), planned) = self.agenda.pop_first()?;
        self.now = time;
        (planned.event)(self);
        Some(planned.life)
    }

    /// A process is gone: its writes that are on their way may or may not arrive, its connections are closed.
    pub fn crash(&mut self, life: ProcessRunId) {
        let writes: Vec<_> = self
            .agenda
            .iter()
            .filter(|(_, planned)| planned.life == life && planned.write)
            .map(|(key, _)| *key)
            .collect();
        for key in writes {
            if self.random.random_bool(0.5) {
                self.agenda.remove(&key);
            }
        }
        RequestInFlight::connections_end(self, life);
    }

    /// Something happened that another run of the seed has to repeat.
    pub fn note(&mut self, what: &str) {
        (self.now, what).hash(&mut self.trace);
        if self.tell {
            let start = Timestamp::from_second(1_700_000_000).unwrap();
            println!("{:9.3}  {what}", self.now.duration_since(start).as_secs_f64());
        }
    }

    pub fn trace(&self) -> u64 {
        self.trace.finish()
    }
}

/// The clock of one life.
#[derive(Debug)]
pub struct SimulatedClock {
    pub world: Shared,
    pub life: ProcessRunId,
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.world.lock().now
    }

    async fn sleep_until(&self, time: Timestamp) {
        let slept = {
            let mut world = self.world.lock();
            if time <= world.now {
                return;
            }
            let (wake, slept) = oneshot::channel();
            world.at(time, self.life, move |_| wake.send(()).unwrap_or_default());
            slept
        };
        // The world outlives every life.
        let _ = slept.await;
    }
}

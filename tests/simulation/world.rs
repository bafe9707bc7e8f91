//! Everything outside of the processes: the time, the committed records, the orders in 11VMS, and the requests in flight.
//! Every event is scheduled here, and the seed decides which faults occur.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use purchase_order_webhook::order::{Order, OrderId};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::clocks::{Sleep, WallClock};
use crate::invariants::Invariants;
use crate::outbox::OutboxRow;
use crate::plan::Action;
use crate::restore::Backup;
use crate::vms::RequestInFlight;

/// When every simulation starts.
pub const START: Timestamp = Timestamp::constant(1_700_000_000, 0);

/// One run of a replica's process, from its start to its end.
pub type ProcessRunId = u64;

/// 11VMS creates an order, and finds it in a look-up, within this time after the connection ended: the assumption of
/// `target.unknown_grace`.
pub const GRACE: Duration = Duration::from_secs(3);

type Event = Box<dyn FnOnce(&mut World) + Send>;

/// An event at its time, and the process that notices it.
pub struct Scheduled {
    pub process: ProcessRunId,
    event: Event,
    kind: EventKind,
}

#[derive(Clone, Copy, PartialEq)]
enum EventKind {
    /// Happens whatever becomes of the process.
    Other,
    /// A write on its way to the storage: a crash may or may not stop it.
    Write,
}

/// Whether a simulation prints its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    Silent,
    Printed,
}

/// What becomes of what others should hear of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Events {
    /// Nobody listens.
    Ignored,
    /// It is stored with the change.
    Stored,
    /// It is stored after the change, by itself: a defect.
    StoredApart,
}

/// A committed record.
#[derive(Debug, Clone)]
pub struct Row {
    pub order: Order,
    pub writer: ProcessRunId,
    pub lease_until: Option<Timestamp>,
    /// The cart that is kept with it.
    pub cart: Option<String>,
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
    /// Faults occur as long as this is true.
    pub faults_on: bool,
    /// Of a hundred requests that reach 11VMS, so many meet a fault.
    pub fault_percent: u32,
    pub agenda: BTreeMap<(Timestamp, u64), Scheduled>,
    sequence: u64,
    pub rows: BTreeMap<OrderId, Row>,
    /// Every committed state of each order, for reads that lag behind.
    pub history: BTreeMap<OrderId, Vec<(Timestamp, Order)>>,
    /// By how much reads lag behind.
    pub read_lag: Duration,
    pub ledger_down_until: Timestamp,
    /// The ledger can be read, and refuses every write.
    pub read_only_until: Timestamp,
    /// The ledger refuses a record with a character outside of Latin-1, as a database with another encoding does.
    pub storage_is_narrow: bool,
    pub backup: Option<Backup>,
    /// What others should hear, in the order in which it was stored.
    pub outbox: Vec<OutboxRow>,
    /// What becomes of what others should hear.
    pub events: Events,
    /// By machine; those that are not here are right.
    pub clocks: BTreeMap<usize, WallClock>,
    /// By machine.
    pub sleeps: BTreeMap<usize, Sleep>,
    /// Actions that follow from what has happened, and the wait before each.
    pub follow_ups: Vec<(Duration, Action)>,
    /// Whether all clocks show the same time from the start to the end.
    pub clocks_agree: bool,
    pub vms: BTreeMap<OrderId, Vec<VmsOrder>>,
    pub requests: BTreeMap<u64, RequestInFlight>,
    /// Until when the token endpoint wants to be left alone by a process, as that process knows.
    pub token_pauses: BTreeMap<ProcessRunId, Timestamp>,
    pub invariants: Invariants,
    trace: DefaultHasher,
    story: Story,
}

/// The world, shared by all processes of a simulation.
#[derive(Clone)]
pub struct SharedWorld(Arc<Mutex<World>>);

impl std::fmt::Debug for SharedWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl SharedWorld {
    pub fn new(seed: u64, story: Story) -> Self {
        let now = START;
        let mut random = StdRng::seed_from_u64(seed);
        Self(Arc::new(Mutex::new(World {
            now,
            fault_percent: random.random_range(10..=95),
            random,
            faults_on: true,
            agenda: BTreeMap::new(),
            sequence: 0,
            rows: BTreeMap::new(),
            history: BTreeMap::new(),
            read_lag: Duration::ZERO,
            ledger_down_until: now,
            read_only_until: now,
            storage_is_narrow: false,
            backup: None,
            outbox: Vec::new(),
            events: Events::Ignored,
            clocks: BTreeMap::new(),
            sleeps: BTreeMap::new(),
            follow_ups: Vec::new(),
            clocks_agree: true,
            vms: BTreeMap::new(),
            requests: BTreeMap::new(),
            token_pauses: BTreeMap::new(),
            invariants: Invariants::default(),
            trace: DefaultHasher::new(),
            story,
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

    /// Schedules an event.
    pub fn schedule(&mut self, time: Timestamp, process: ProcessRunId, event: impl FnOnce(&mut Self) + Send + 'static) {
        let key = (time.max(self.now), self.next_number());
        self.agenda.insert(key, Scheduled { process, event: Box::new(event), kind: EventKind::Other });
    }

    /// Schedules a write.
    pub fn schedule_write(
        &mut self,
        time: Timestamp,
        process: ProcessRunId,
        event: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        let key = (time.max(self.now), self.next_number());
        self.agenda.insert(key, Scheduled { process, event: Box::new(event), kind: EventKind::Write });
    }

    /// Draws a duration between two in milliseconds.
    pub fn duration_between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(self.random.random_range(least * 1_000..=most * 1_000))
    }

    /// Draws a time that is so many milliseconds away.
    pub fn time_within(&mut self, least: u64, most: u64) -> Timestamp {
        let wait = self.duration_between(least, most);
        after(self.now, wait)
    }

    /// True in so many of a hundred cases, while faults are on.
    pub fn fault_occurs(&mut self, percent: u32) -> bool {
        let drawn = self.random.random_range(0..100) < percent;
        drawn && self.faults_on
    }

    /// When the next event is due.
    pub fn next_time(&self) -> Option<Timestamp> {
        self.agenda.first_key_value().map(|((time, _), _)| *time)
    }

    /// Lets the next event happen, and returns the process that notices it.
    pub fn step(&mut self) -> Option<ProcessRunId> {
        let ((time, _), scheduled) = self.agenda.pop_first()?;
        self.now = time;
        (scheduled.event)(self);
        Some(scheduled.process)
    }

    /// A process ends: its writes on their way may or may not arrive, and its connections are closed.
    pub fn crash(&mut self, process: ProcessRunId) {
        let writes: Vec<_> = self
            .agenda
            .iter()
            .filter(|(_, event)| event.process == process && event.kind == EventKind::Write)
            .map(|(key, _)| *key)
            .collect();
        for key in writes {
            if self.random.random_bool(0.5) {
                self.agenda.remove(&key);
            }
        }
        RequestInFlight::close_connections_of(self, process);
    }

    /// No write that is on its way arrives.
    pub fn cancel_writes(&mut self) {
        self.agenda.retain(|_, event| event.kind != EventKind::Write);
    }

    /// Records something that another run of the seed has to repeat, and prints it if the story is wanted.
    pub fn record(&mut self, what: &str) {
        (self.now, what).hash(&mut self.trace);
        if self.story == Story::Printed {
            println!("{:9.3}  {what}", self.now.duration_since(START).as_secs_f64());
        }
    }

    /// A hash of all that was recorded.
    pub fn trace(&self) -> u64 {
        self.trace.finish()
    }
}

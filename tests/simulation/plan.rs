//! The plan of one seed: callers, people and accidents, each at its time. Drawn before anything runs.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use rand::Rng as _;
use rand::rngs::StdRng;

use crate::clocks::ClockChange;

/// Faults occur for so long; then there are none.
pub const FAULT_PERIOD: Duration = Duration::from_mins(1);

/// Something that happens from outside.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// A cart is sent; the caller may hang up, and may send it again after an answer other than a success.
    Submit {
        cart: usize,
        version: usize,
        wait: Duration,
        hangs_up_after: Option<Duration>,
    },
    HangUp(usize),
    /// A replica's process dies, and another one takes its place.
    Crash {
        replica: usize,
    },
    /// A replica is asked to stop, and dies soon after.
    Stop {
        replica: usize,
    },
    Start {
        replica: usize,
    },
    LedgerFails {
        until: Timestamp,
    },
    /// The ledger can be read, and not written.
    LedgerIsReadOnly {
        until: Timestamp,
    },
    /// From now on reads of the ledger lag behind by so much.
    ReadsLag {
        by: Duration,
    },
    ChangeClock {
        machine: usize,
        change: ClockChange,
    },
    /// The machine is suspended, with all that runs on it.
    FallAsleep {
        machine: usize,
    },
    Wake {
        machine: usize,
    },
    BackUp,
    /// The ledger is lost with all processes, and put back from its backup.
    Restore,
    Replay {
        cart: usize,
    },
    Resolve {
        cart: usize,
    },
    StopFaults,
    /// One more cart, when everything is settled: nothing is in its way.
    SendLastCart,
}

/// What can happen to a ledger.
#[derive(Clone, Copy, PartialEq)]
pub enum Reads {
    /// Of what was written last.
    Current,
    /// Maybe of a standby.
    MayLag,
}

/// Actions by time; those of one time in the order in which they were added.
#[derive(Default)]
pub struct Plan {
    actions: BTreeMap<(Timestamp, u64), Action>,
    added: u64,
}

impl Plan {
    /// Draws everything that comes from outside.
    pub fn draw(random: &mut StdRng, start: Timestamp, replicas: usize, reads: Reads) -> Self {
        let mut plan = Self::default();
        let carts = random.random_range(2..7);
        let period = FAULT_PERIOD.as_millis().try_into().unwrap();
        let time = |random: &mut StdRng| after(start, Duration::from_millis(random.random_range(0..period)));
        for number in 0..random.random_range(4..20) {
            // Every cart is sent at least once.
            let cart = if number < carts { number } else { random.random_range(0..carts) };
            let action = submission(random, cart);
            plan.add(time(random), action);
        }
        for _ in 0..random.random_range(0..6) {
            let (at, replica) = (time(random), random.random_range(0..replicas));
            let gone = Duration::from_millis(random.random_range(0..6_000));
            let stops = random.random_bool(0.2);
            plan.add(at, if stops { Action::Stop { replica } } else { Action::Crash { replica } });
            let back = if stops { gone + Duration::from_secs(3) } else { gone };
            plan.add(after(at, back), Action::Start { replica });
        }
        for _ in 0..random.random_range(0..3) {
            let at = time(random);
            let until = after(at, Duration::from_millis(random.random_range(0..6_000)));
            plan.add(at, Action::LedgerFails { until });
        }
        for _ in 0..random.random_range(0..8) {
            let (at, cart) = (time(random), random.random_range(0..carts));
            let replay = random.random_bool(0.5);
            plan.add(at, if replay { Action::Replay { cart } } else { Action::Resolve { cart } });
        }
        for _ in 0..random.random_range(0..2) {
            let at = time(random);
            let until = after(at, Duration::from_millis(random.random_range(0..8_000)));
            plan.add(at, Action::LedgerIsReadOnly { until });
        }
        if reads == Reads::MayLag && random.random_bool(0.4) {
            plan.add(time(random), Action::ReadsLag { by: Duration::from_millis(random.random_range(10..4_000)) });
            // A standby that lags behind for good is no fault that ends.
            plan.add(time(random), Action::ReadsLag { by: Duration::from_millis(random.random_range(0..1_500)) });
        }
        if random.random_bool(0.1) {
            let (backed_up, lost) = (time(random), time(random));
            plan.add(backed_up.min(lost), Action::BackUp);
            plan.add(backed_up.max(lost), Action::Restore);
        }
        plan.add(after(start, FAULT_PERIOD), Action::StopFaults);
        plan
    }

    /// Adds what happens to the clocks of the machines: they differ, step, and stand still.
    pub fn add_clock_changes(&mut self, random: &mut StdRng, start: Timestamp, machines: usize) {
        for machine in 0..machines {
            if random.random_bool(0.5) {
                self.add(start, Action::ChangeClock { machine, change: ClockChange::Set(clock_error(random)) });
            }
        }
        let period = FAULT_PERIOD.as_millis().try_into().unwrap();
        for _ in 0..random.random_range(0..5) {
            let at = after(start, Duration::from_millis(random.random_range(0..period)));
            let back = after(at, Duration::from_millis(random.random_range(0..10_000)));
            let machine = random.random_range(0..machines);
            let change = |change| Action::ChangeClock { machine, change };
            if random.random_bool(0.3) {
                self.add(at, change(ClockChange::Stop));
                if random.random_bool(0.8) {
                    self.add(back, change(ClockChange::Resume));
                }
            } else {
                self.add(at, change(ClockChange::Set(clock_error(random))));
                if random.random_bool(0.6) {
                    self.add(back, change(ClockChange::Set(0)));
                }
            }
        }
    }

    /// Adds that machines are suspended for a while: only where wall clocks are right, since nothing else tells a machine that
    /// it has slept.
    pub fn add_sleeps(&mut self, random: &mut StdRng, start: Timestamp, machines: usize) {
        let period = FAULT_PERIOD.as_millis().try_into().unwrap();
        for machine in 0..machines {
            if random.random_bool(0.6) {
                let at = random.random_range(0..period);
                let until = (at + random.random_range(0..40_000)).min(period);
                self.add(after(start, Duration::from_millis(at)), Action::FallAsleep { machine });
                self.add(after(start, Duration::from_millis(until)), Action::Wake { machine });
            }
        }
    }

    pub fn add(&mut self, time: Timestamp, action: Action) {
        self.added += 1;
        self.actions.insert((time, self.added), action);
    }

    /// When the next action is due.
    pub fn next_time(&self) -> Option<Timestamp> {
        self.actions.first_key_value().map(|((time, _), _)| *time)
    }

    pub fn take_next(&mut self) -> Option<(Timestamp, Action)> {
        self.actions.pop_first().map(|((time, _), action)| (time, action))
    }
}

/// Draws by how many milliseconds a clock is wrong: by seconds, or by an hour or more.
fn clock_error(random: &mut StdRng) -> i64 {
    let size = if random.random_bool(0.5) { 15_000 } else { 2 * 3_600_000 };
    random.random_range(-size..=size)
}

/// Draws how a cart is sent.
pub fn submission(random: &mut StdRng, cart: usize) -> Action {
    // The third one can't be stored everywhere.
    let version = [0, 1, 2][usize::from(random.random_bool(0.1)) + usize::from(random.random_bool(0.03))];
    let wait = Duration::from_secs([0, 1, 4, 8][random.random_range(0..4)]);
    let hangs_up = random.random_bool(0.15);
    let hangs_up_after = hangs_up.then(|| Duration::from_millis(random.random_range(0..2_000)));
    Action::Submit { cart, version, wait, hangs_up_after }
}

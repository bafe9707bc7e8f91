//! The plan of one seed: callers, people and accidents, each at its time. Drawn before anything runs.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use rand::Rng as _;
use rand::rngs::StdRng;

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
    Replay {
        cart: usize,
    },
    Resolve {
        cart: usize,
    },
    StopFaults,
}

/// Actions by time; those of one time in the order in which they were added.
#[derive(Default)]
pub struct Plan {
    actions: BTreeMap<(Timestamp, u64), Action>,
    added: u64,
}

impl Plan {
    /// Draws everything that comes from outside.
    pub fn draw(random: &mut StdRng, start: Timestamp, replicas: usize) -> Self {
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
        plan.add(after(start, FAULT_PERIOD), Action::StopFaults);
        plan
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

/// Draws how a cart is sent.
pub fn submission(random: &mut StdRng, cart: usize) -> Action {
    let version = usize::from(random.random_bool(0.1));
    let wait = Duration::from_secs([0, 1, 4, 8][random.random_range(0..4)]);
    let hangs_up = random.random_bool(0.15);
    let hangs_up_after = hangs_up.then(|| Duration::from_millis(random.random_range(0..2_000)));
    Action::Submit { cart, version, wait, hangs_up_after }
}

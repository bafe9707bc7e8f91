//! How much happened in a simulation: proof that faults and crashes did occur.

use std::fmt;

use purchase_order_webhook::order::{Order, Outcome, State};

/// Counts of one seed, or of many.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    carts: u64,
    crashes: u64,
    sleeps: u64,
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
    /// The figures of the orders that are in the ledger at the end.
    pub fn of<'o>(orders: impl Iterator<Item = &'o Order>, crashes: u64, sleeps: u64) -> Self {
        let mut figures = Self { crashes, sleeps, ..Self::default() };
        orders.for_each(|order| figures.count(order));
        figures
    }

    fn count(&mut self, order: &Order) {
        self.carts += 1;
        match order.state {
            State::Created => self.created += 1,
            State::Rejected => self.rejected += 1,
            State::Parked => self.parked += 1,
            State::Cancelled => self.cancelled += 1,
            State::Accepted | State::Forwarding | State::Retrying => {}
        }
        self.replayed += order.interventions.iter().filter(|done| done.action.name() == "replayed").count() as u64;
        for attempt in &order.attempts {
            self.attempts += 1;
            match attempt.outcome {
                Some(Outcome::Unknown) => self.unknown += 1,
                Some(Outcome::Interrupted) => self.interrupted += 1,
                Some(Outcome::Found) => self.found += 1,
                _ => {}
            }
        }
    }

    pub const fn entries(&self) -> [(&'static str, u64); 12] {
        [
            ("carts", self.carts),
            ("crashes", self.crashes),
            ("sleeping machines", self.sleeps),
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
        self.sleeps += other.sleeps;
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
        let texts: Vec<String> = self.entries().iter().map(|(name, count)| format!("{count} {name}")).collect();
        f.write_str(&texts.join(", "))
    }
}

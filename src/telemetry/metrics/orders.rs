//! What is counted of orders: admissions, attempts, settlements, interventions.

use crate::clock::between;
use crate::metric::{Bounds, Histogram, NamedCounters, Unit};
use crate::order::{Action, Admission, Order, Outcome, State};
use crate::relay::observer::{Event, Observer};

/// From a tenth of a second to a day: most orders are settled within a second, and retries take minutes, or hours.
const DURATIONS: Bounds = Bounds {
    unit: Unit::Microseconds,
    steps: &[
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        30_000_000,
        60_000_000,
        120_000_000,
        300_000_000,
        600_000_000,
        1_800_000_000,
        3_600_000_000,
        14_400_000_000,
        86_400_000_000,
    ],
};

/// Counts what the relay reports.
#[derive(Debug)]
pub struct OrderMetrics {
    /// By what the ledger has answered.
    pub admitted: NamedCounters<5>,
    /// By state.
    pub settled: NamedCounters<4>,
    /// By outcome.
    pub attempts: NamedCounters<6>,
    /// By action.
    pub interventions: NamedCounters<3>,
    /// From the begin until the service has settled an order.
    pub durations: Histogram,
}

impl Default for OrderMetrics {
    fn default() -> Self {
        let settled = [State::Created, State::Rejected, State::Parked, State::Cancelled];
        let attempts = [
            Outcome::Created,
            Outcome::Found,
            Outcome::Rejected,
            Outcome::NotDone,
            Outcome::Unknown,
            Outcome::Interrupted,
        ];
        Self {
            admitted: NamedCounters::new(["started", "restarted", "joined", "replayed", "conflicting"]),
            settled: NamedCounters::new(settled.map(State::name)),
            attempts: NamedCounters::new(attempts.map(Outcome::name)),
            interventions: NamedCounters::new(
                [Action::Replayed, Action::Resolved, Action::Cancelled].map(Action::name),
            ),
            durations: Histogram::new(DURATIONS),
        }
    }
}

impl Observer for OrderMetrics {
    fn observe(&self, event: &Event<'_>) {
        match *event {
            Event::Admitted(admission) => self.admitted.count(name(admission)),
            Event::AttemptEnded(order) => self.count_end(order),
            Event::Intervened(order) => self.count_intervention(order),
            _ => {}
        }
    }
}

const fn name(admission: &Admission) -> &'static str {
    match admission {
        Admission::Started(_) => "started",
        Admission::Restarted(_) => "restarted",
        Admission::Joined(_) => "joined",
        Admission::Replayed(_) => "replayed",
        Admission::Conflicting(_) => "conflicting",
    }
}

impl OrderMetrics {
    fn count_end(&self, order: &Order) {
        if let Some(outcome) = order.attempts.last().and_then(|attempt| attempt.outcome) {
            self.attempts.count(outcome.name());
        }
        if let Some(settled_at) = order.settled_at.filter(|_| !order.state.is_open()) {
            self.settled.count(order.state.name());
            self.durations.observe(between(order.opened_at(), settled_at));
        }
    }

    /// How long an order waited for a person is no duration of the service's.
    fn count_intervention(&self, order: &Order) {
        if let Some(last) = order.interventions.last() {
            self.interventions.count(last.action.name());
        }
        if !order.state.is_open() {
            self.settled.count(order.state.name());
        }
    }
}

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::order::retry::RetryPolicy;
    use crate::order::{Candidate, OrderId, PropagatedHeaders, Requester, Resolution, Terms, Verdict, admit};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn admission(now: i64) -> Admission {
        let candidate = Candidate {
            id: OrderId::of("1"),
            cart_number: "1".into(),
            fingerprint: "f".into(),
            body: "{}".into(),
            mapping_version: "v".into(),
            warnings: Vec::new(),
            propagated_headers: PropagatedHeaders::default(),
            requester: Requester::default(),
            cart: None,
        };
        admit(None, candidate, Terms::new(at(now), Duration::ZERO))
    }

    /// An order after one attempt that began and ended at these times.
    fn attempted(mut order: Order, from: i64, to: i64, verdict: Verdict) -> Order {
        order.begin(at(from)).unwrap();
        let policy = RetryPolicy { retries: 0, ..RetryPolicy::usual() };
        order.conclude(verdict, at(to), &policy, 0.0).unwrap();
        order
    }

    fn counted<const N: usize>(counters: &NamedCounters<N>) -> Vec<(&'static str, u64)> {
        counters.all().filter(|(_, count)| *count > 0).collect()
    }

    #[test]
    fn an_order_that_is_replayed_counts_anew_and_a_person_has_no_duration() {
        let metrics = OrderMetrics::default();
        let started = admission(0);
        metrics.observe(&Event::Admitted(&started));
        let Admission::Started(order) = started else { panic!("not new") };
        let detail = String::new();
        let busy = || Verdict::NotDone { status: Some(429), answer: None, detail: detail.clone(), retry_after: None };
        let parked = attempted(order, 1, 4, busy());
        metrics.observe(&Event::AttemptEnded(&parked));
        // Three weeks later.
        let replayed = parked.replay("me", at(1_814_400), Duration::ZERO).unwrap();
        metrics.observe(&Event::Intervened(&replayed));
        let parked = attempted(replayed, 1_814_401, 1_814_402, busy());
        metrics.observe(&Event::AttemptEnded(&parked));
        let resolved = parked.resolve(&Resolution::Exists("45".to_owned()), "me", at(9_000_000));
        metrics.observe(&Event::Intervened(resolved.order()));
        let state = metrics.durations.state();
        assert_eq!((state.count, state.sum), (2, 6.0), "4 s, and 2 s since the replay");
        assert_eq!(counted(&metrics.admitted), [("started", 1)]);
        assert_eq!(counted(&metrics.settled), [("created", 1), ("parked", 2)]);
        assert_eq!(counted(&metrics.attempts), [("not-done", 2)]);
        assert_eq!(counted(&metrics.interventions), [("replayed", 1), ("resolved", 1)]);
    }
}

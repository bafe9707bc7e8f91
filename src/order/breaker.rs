//! The circuit breaker towards 11VMS: after many failures in a row nothing is sent for a while; then one attempt
//! probes, and only its success lets the others follow. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::retry::Verdict;
use crate::clock::after;

/// When to stop sending, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row, of whatever orders, that open it.
    pub failures: u32,
    /// How long nothing is sent after that; twice as long after each probe that fails.
    pub pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
}

/// What an attempt says about 11VMS as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It decides about orders.
    Well,
    /// It could not be reached, failed, had too much, or did not answer.
    Ill,
    /// The attempt did not come so far.
    Untold,
}

impl Health {
    /// What a verdict says.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Created { .. } | Verdict::Rejected { .. } => Self::Well,
            Verdict::NotDone { .. } | Verdict::Unknown { .. } => Self::Ill,
        }
    }
}

/// Whether an attempt may begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It may.
    Free(Errand),
    /// Not before this time.
    ClosedUntil(Timestamp),
    /// Not before the probe that is under way has ended.
    Probing,
}

/// What an attempt is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// Its order alone.
    Order,
    /// To see whether 11VMS is well again.
    Probe,
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing is sent for so long.
    Opened(Duration),
    /// All is well again.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp, pause: Duration },
    Probing { pause: Duration },
}

/// The breaker.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: State,
}

impl Breaker {
    /// A closed one: everything may be sent.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: State::Closed { failures: 0 } }
    }

    /// Whether an attempt may begin. The one that may after a pause is the probe: its end has to be
    /// [recorded](Self::record).
    pub fn pass(&mut self, now: Timestamp) -> Passage {
        match self.state {
            State::Closed { .. } => Passage::Free(Errand::Order),
            State::Open { until, .. } if now < until => Passage::ClosedUntil(until),
            State::Open { pause, .. } => {
                self.state = State::Probing { pause };
                Passage::Free(Errand::Probe)
            }
            State::Probing { .. } => Passage::Probing,
        }
    }

    /// An attempt that had passed has ended. Attempts that began before the breaker opened may end while it is open, or
    /// while another one probes: their good news counts, their bad news is known.
    pub fn record(&mut self, errand: Errand, health: Health, now: Timestamp) -> Option<Change> {
        match (self.state, errand, health) {
            (State::Closed { .. }, _, Health::Well) => self.state = State::Closed { failures: 0 },
            (State::Open { .. } | State::Probing { .. }, _, Health::Well) => {
                self.state = State::Closed { failures: 0 };
                return Some(Change::Closed);
            }
            (State::Closed { failures }, _, Health::Ill) if failures + 1 >= self.policy.failures => {
                return Some(self.open(self.policy.pause, now));
            }
            (State::Closed { failures }, _, Health::Ill) => self.state = State::Closed { failures: failures + 1 },
            (State::Probing { pause }, Errand::Probe, Health::Ill) => {
                return Some(self.open(pause.saturating_mul(2), now));
            }
            // The probe found nothing to do: another one has to probe.
            (State::Probing { pause }, Errand::Probe, Health::Untold) => self.state = State::Open { until: now, pause },
            (State::Probing { .. }, Errand::Order, Health::Ill | Health::Untold)
            | (State::Open { .. }, _, Health::Ill | Health::Untold)
            | (State::Closed { .. }, _, Health::Untold) => {}
        }
        None
    }

    fn open(&mut self, pause: Duration, now: Timestamp) -> Change {
        let pause = pause.min(self.policy.longest_pause);
        self.state = State::Open { until: after(now, pause), pause };
        Change::Opened(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn breaker() -> Breaker {
        let (pause, longest_pause) = (Duration::from_secs(5), Duration::from_secs(12));
        Breaker::new(BreakerPolicy { failures: 3, pause, longest_pause })
    }

    fn opened() -> Breaker {
        let mut breaker = breaker();
        for _ in 0..3 {
            assert_eq!(breaker.pass(at(0)), Passage::Free(Errand::Order));
            breaker.record(Errand::Order, Health::Ill, at(0));
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let mut breaker = breaker();
        for health in [Health::Ill, Health::Ill, Health::Well, Health::Ill, Health::Untold, Health::Ill] {
            assert_eq!(breaker.record(Errand::Order, health, at(0)), None);
            assert_eq!(breaker.pass(at(0)), Passage::Free(Errand::Order));
        }
        assert_eq!(breaker.record(Errand::Order, Health::Ill, at(0)), Some(Change::Opened(Duration::from_secs(5))));
        assert_eq!(breaker.pass(at(4)), Passage::ClosedUntil(at(5)));
    }

    #[test]
    fn one_attempt_probes_and_its_success_lets_all_others_follow() {
        let mut breaker = opened();
        assert_eq!(breaker.pass(at(5)), Passage::Free(Errand::Probe));
        assert_eq!(breaker.pass(at(5)), Passage::Probing);
        assert_eq!(breaker.record(Errand::Probe, Health::Well, at(6)), Some(Change::Closed));
        assert_eq!(breaker.pass(at(6)), Passage::Free(Errand::Order));
    }

    #[test]
    fn a_probe_that_fails_doubles_the_pause_up_to_the_longest() {
        let mut breaker = opened();
        let mut now = 5;
        for pause in [10, 12, 12] {
            assert_eq!(breaker.pass(at(now)), Passage::Free(Errand::Probe));
            assert_eq!(
                breaker.record(Errand::Probe, Health::Ill, at(now)),
                Some(Change::Opened(Duration::from_secs(pause)))
            );
            assert_eq!(breaker.pass(at(now)), Passage::ClosedUntil(at(now) + Duration::from_secs(pause)));
            now += i64::try_from(pause).unwrap();
        }
    }

    #[test]
    fn a_probe_that_finds_nothing_to_do_leaves_the_probe_to_another() {
        let mut breaker = opened();
        assert_eq!(breaker.pass(at(5)), Passage::Free(Errand::Probe));
        assert_eq!(breaker.record(Errand::Probe, Health::Untold, at(5)), None);
        assert_eq!(breaker.pass(at(5)), Passage::Free(Errand::Probe));
        assert_eq!(breaker.pass(at(5)), Passage::Probing);
    }

    #[test]
    fn the_ends_of_earlier_attempts_do_not_prolong_the_pause() {
        let mut breaker = opened();
        assert_eq!(breaker.record(Errand::Order, Health::Ill, at(3)), None);
        assert_eq!(breaker.pass(at(5)), Passage::Free(Errand::Probe));
    }

    #[test]
    fn the_end_of_another_attempt_is_not_the_end_of_the_probe() {
        let mut breaker = opened();
        assert_eq!(breaker.pass(at(5)), Passage::Free(Errand::Probe));
        for health in [Health::Ill, Health::Untold] {
            assert_eq!(breaker.record(Errand::Order, health, at(5)), None);
            assert_eq!(breaker.pass(at(5)), Passage::Probing);
        }
        assert_eq!(breaker.record(Errand::Order, Health::Well, at(5)), Some(Change::Closed));
    }
}

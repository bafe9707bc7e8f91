//! The circuit breaker towards 11VMS: many failures in a row open it, and nothing is sent; after a pause it is half-open,
//! and one attempt probes; only the probe's success closes it. Pure.

use std::time::Duration;

use super::verdict::Verdict;
use crate::clock::Moment;

/// When the breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row, of any orders, that open it.
    pub failures: u32,
    /// The pause before the first probe; each probe that fails doubles it.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

/// The result of an attempt as evidence about 11VMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// 11VMS decided about the order.
    Success,
    /// 11VMS could not be reached, failed, was overloaded, or did not respond.
    Failure,
    /// The attempt did not reach 11VMS.
    Inconclusive,
}

impl CallResult {
    /// The evidence in a verdict.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Created { .. } | Verdict::Rejected { .. } => Self::Success,
            Verdict::NotDone { .. } | Verdict::Unknown { .. } | Verdict::LookUpLost { .. } => Self::Failure,
            // Nothing was sent.
            Verdict::Deferred { .. } => Self::Inconclusive,
        }
    }
}

/// The answer to an attempt that wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admittance {
    /// The attempt may begin.
    Allowed(CallPurpose),
    /// The breaker is open until this time.
    RejectedUntil(Moment),
    /// The breaker is half-open, and its probe is under way.
    ProbeInFlight,
}

/// The purpose of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPurpose {
    /// To send its order.
    Regular,
    /// To send its order, and to find out whether 11VMS has recovered.
    Probe,
}

/// A transition that is worth a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The breaker opened for this pause.
    Opened(Duration),
    /// The breaker closed.
    Closed,
}

/// The breaker as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Orders are sent.
    Closed,
    /// Nothing is sent.
    Open,
    /// One order probes.
    HalfOpen,
}

impl BreakerState {
    /// The state's name in the readiness.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Moment, pause: Duration },
    HalfOpen { pause: Duration },
}

/// The circuit breaker.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: State,
}

impl Breaker {
    /// Creates a closed breaker.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: State::Closed { failures: 0 } }
    }

    /// Its state.
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// The end of its pause, while it is open.
    pub const fn open_until(&self) -> Option<Moment> {
        match self.state {
            State::Open { until, .. } => Some(until),
            State::Closed { .. } | State::HalfOpen { .. } => None,
        }
    }

    /// Asks whether an attempt may begin. The first one after a pause is the probe, whose end has to be
    /// [recorded](Self::record).
    pub fn try_acquire(&mut self, now: Moment) -> Admittance {
        match self.state {
            State::Closed { .. } => Admittance::Allowed(CallPurpose::Regular),
            State::Open { until, .. } if now < until => Admittance::RejectedUntil(until),
            State::Open { pause, .. } => {
                self.state = State::HalfOpen { pause };
                Admittance::Allowed(CallPurpose::Probe)
            }
            State::HalfOpen { .. } => Admittance::ProbeInFlight,
        }
    }

    /// Records the end of an attempt that was allowed. An attempt that began before the breaker opened may end while it is
    /// open or half-open: then only its success counts.
    pub fn record(&mut self, purpose: CallPurpose, result: CallResult, now: Moment) -> Option<Transition> {
        match (self.state, purpose, result) {
            (State::Closed { .. }, _, CallResult::Success) => self.state = State::Closed { failures: 0 },
            (State::Open { .. } | State::HalfOpen { .. }, _, CallResult::Success) => {
                self.state = State::Closed { failures: 0 };
                return Some(Transition::Closed);
            }
            (State::Closed { failures }, _, CallResult::Failure) if failures + 1 >= self.policy.failures => {
                return Some(self.open(self.policy.pause, now));
            }
            (State::Closed { failures }, _, CallResult::Failure) => {
                self.state = State::Closed { failures: failures + 1 }
            }
            (State::HalfOpen { pause }, CallPurpose::Probe, CallResult::Failure) => {
                return Some(self.open(pause.saturating_mul(2), now));
            }
            // The probe found nothing to do: the next attempt has to probe.
            (State::HalfOpen { pause }, CallPurpose::Probe, CallResult::Inconclusive) => {
                self.state = State::Open { until: now, pause }
            }
            (State::HalfOpen { .. }, CallPurpose::Regular, CallResult::Failure | CallResult::Inconclusive)
            | (State::Open { .. }, _, CallResult::Failure | CallResult::Inconclusive)
            | (State::Closed { .. }, _, CallResult::Inconclusive) => {}
        }
        None
    }

    fn open(&mut self, pause: Duration, now: Moment) -> Transition {
        let pause = pause.min(self.policy.longest_pause);
        self.state = State::Open { until: now.after(pause), pause };
        Transition::Opened(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Moment {
        Moment::at(Duration::from_secs(seconds))
    }

    fn breaker() -> Breaker {
        let (pause, longest_pause) = (Duration::from_secs(5), Duration::from_secs(12));
        Breaker::new(BreakerPolicy { failures: 3, pause, longest_pause })
    }

    fn opened() -> Breaker {
        let mut breaker = breaker();
        for _ in 0..3 {
            assert_eq!(breaker.try_acquire(at(0)), Admittance::Allowed(CallPurpose::Regular));
            breaker.record(CallPurpose::Regular, CallResult::Failure, at(0));
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let mut breaker = breaker();
        for result in [
            CallResult::Failure,
            CallResult::Failure,
            CallResult::Success,
            CallResult::Failure,
            CallResult::Inconclusive,
            CallResult::Failure,
        ] {
            assert_eq!(breaker.record(CallPurpose::Regular, result, at(0)), None);
            assert_eq!(breaker.try_acquire(at(0)), Admittance::Allowed(CallPurpose::Regular));
        }
        assert_eq!(
            breaker.record(CallPurpose::Regular, CallResult::Failure, at(0)),
            Some(Transition::Opened(Duration::from_secs(5)))
        );
        assert_eq!(breaker.try_acquire(at(4)), Admittance::RejectedUntil(at(5)));
    }

    #[test]
    fn one_attempt_probes_and_its_success_lets_all_others_follow() {
        let mut breaker = opened();
        assert_eq!(breaker.try_acquire(at(5)), Admittance::Allowed(CallPurpose::Probe));
        assert_eq!(breaker.try_acquire(at(5)), Admittance::ProbeInFlight);
        assert_eq!(breaker.record(CallPurpose::Probe, CallResult::Success, at(6)), Some(Transition::Closed));
        assert_eq!(breaker.try_acquire(at(6)), Admittance::Allowed(CallPurpose::Regular));
    }

    #[test]
    fn a_probe_that_fails_doubles_the_pause_up_to_the_longest() {
        let mut breaker = opened();
        let mut now = 5;
        for pause in [10, 12, 12] {
            assert_eq!(breaker.try_acquire(at(now)), Admittance::Allowed(CallPurpose::Probe));
            assert_eq!(
                breaker.record(CallPurpose::Probe, CallResult::Failure, at(now)),
                Some(Transition::Opened(Duration::from_secs(pause)))
            );
            assert_eq!(breaker.try_acquire(at(now)), Admittance::RejectedUntil(at(now + pause)));
            now += pause;
        }
    }

    #[test]
    fn a_probe_that_finds_nothing_to_do_leaves_the_probe_to_another() {
        let mut breaker = opened();
        assert_eq!(breaker.try_acquire(at(5)), Admittance::Allowed(CallPurpose::Probe));
        assert_eq!(breaker.record(CallPurpose::Probe, CallResult::Inconclusive, at(5)), None);
        assert_eq!(breaker.try_acquire(at(5)), Admittance::Allowed(CallPurpose::Probe));
        assert_eq!(breaker.try_acquire(at(5)), Admittance::ProbeInFlight);
    }

    #[test]
    fn the_ends_of_earlier_attempts_do_not_prolong_the_pause() {
        let mut breaker = opened();
        assert_eq!(breaker.record(CallPurpose::Regular, CallResult::Failure, at(3)), None);
        assert_eq!(breaker.try_acquire(at(5)), Admittance::Allowed(CallPurpose::Probe));
    }

    #[test]
    fn the_end_of_another_attempt_is_not_the_end_of_the_probe() {
        let mut breaker = opened();
        assert_eq!(breaker.try_acquire(at(5)), Admittance::Allowed(CallPurpose::Probe));
        for result in [CallResult::Failure, CallResult::Inconclusive] {
            assert_eq!(breaker.record(CallPurpose::Regular, result, at(5)), None);
            assert_eq!(breaker.try_acquire(at(5)), Admittance::ProbeInFlight);
        }
        assert_eq!(breaker.record(CallPurpose::Regular, CallResult::Success, at(5)), Some(Transition::Closed));
    }
}

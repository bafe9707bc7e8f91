//! The time by which a stored time is judged to have come: a wall clock that is set back, or stands still, must not let
//! orders rest.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, Moment, after};

/// The wall clock, or what it would show if it had not fallen behind the monotonic one.
#[derive(Debug)]
pub struct Reckoning {
    /// A time that the wall clock showed, and when.
    anchor: Mutex<(Timestamp, Moment)>,
    /// For so long a wall clock that fell behind is not followed: by then each time that was stored before has come.
    patience: Duration,
}

impl Reckoning {
    /// Starts from the wall clock. `longest_wait` is the longest wait between two attempts.
    pub fn new(clock: &dyn Clock, longest_wait: Duration) -> Self {
        let anchor = Mutex::new((clock.now(), clock.moment()));
        Self { anchor, patience: longest_wait.saturating_mul(2) }
    }

    /// The time.
    pub fn now(&self, clock: &dyn Clock) -> Timestamp {
        let (shown, moment) = (clock.now(), clock.moment());
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = moment.since(anchor.1);
        let expected = after(anchor.0, elapsed);
        if shown >= expected || elapsed > self.patience {
            *anchor = (shown, moment);
            return shown;
        }
        expected
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::clock::ManualClock;

    const LONGEST: Duration = Duration::from_mins(10);

    #[test]
    fn a_clock_that_falls_behind_is_followed_after_twice_the_longest_wait() {
        let start = Timestamp::from_second(1_700_000_000).unwrap();
        for (step, shown_at_once, shown_later) in [(-3_600, 0, 1_260 - 3_600), (0, 0, 1_260), (3_600, 3_600, 4_860)] {
            let clock = ManualClock::at(start);
            let reckoning = Reckoning::new(&clock, LONGEST);
            clock.step(SignedDuration::from_secs(step));
            assert_eq!(reckoning.now(&clock), start + SignedDuration::from_secs(shown_at_once), "step of {step} s");
            clock.advance(LONGEST + LONGEST);
            assert!(reckoning.now(&clock) >= start + LONGEST, "step of {step} s: what was due has come");
            clock.advance(Duration::from_mins(1));
            assert_eq!(reckoning.now(&clock), start + SignedDuration::from_secs(shown_later), "step of {step} s");
        }
    }

    #[test]
    fn time_goes_on_while_the_clock_stands_still() {
        let clock = ManualClock::at(Timestamp::from_second(1_700_000_000).unwrap());
        let (start, reckoning) = (clock.now(), Reckoning::new(&clock, LONGEST));
        for minute in 1..=19 {
            clock.advance(Duration::from_mins(1));
            clock.step(SignedDuration::from_mins(-1));
            assert_eq!(reckoning.now(&clock), start + Duration::from_mins(minute));
        }
    }
}

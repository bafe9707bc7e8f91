//! Time as an exchangeable part: the system's clocks, or ones that tests move.
//!
//! Two clocks: the wall clock says when something happened, for records and people, and may step at any moment. The
//! monotonic clock never steps, and says how long something takes: every wait, age and deadline counts on it.

#[cfg(feature = "sandbox")]
mod manual;
mod moment;

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use jiff::Timestamp;
#[cfg(feature = "sandbox")]
pub use manual::ManualClock;
pub use moment::Moment;

/// The time and waiting. Every decision about an order takes the time from here.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// The wall clock: the current time, UTC. It may step.
    fn now(&self) -> Timestamp;
    /// The monotonic clock.
    fn moment(&self) -> Moment;
    /// Returns when the monotonic clock has reached `moment`; at once if it has already.
    async fn sleep_until(&self, moment: Moment);

    /// Returns when `duration` has passed on the monotonic clock.
    async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.moment().after(duration)).await;
    }
}

/// The system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// The origin of all moments of this process.
#[expect(clippy::disallowed_methods, reason = "the only place that asks the system for the monotonic time")]
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that asks the system for the time")]
    fn now(&self) -> Timestamp {
        wall_clock_time(SystemTime::now())
    }

    fn moment(&self) -> Moment {
        Moment::at(ORIGIN.elapsed())
    }

    async fn sleep_until(&self, moment: Moment) {
        tokio::time::sleep(moment.since(self.moment())).await;
    }
}

/// A time as the system tells it; the nearest timestamp, if it is set to a year that has none.
fn wall_clock_time(time: SystemTime) -> Timestamp {
    let nearest = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::try_from(time).unwrap_or(nearest)
}

/// A point on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct PointInTime {
    time: Timestamp,
    moment: Moment,
}

impl PointInTime {
    /// The present.
    pub fn now(clock: &dyn Clock) -> Self {
        Self { time: clock.now(), moment: clock.moment() }
    }

    /// Its time.
    pub const fn time(self) -> Timestamp {
        self.time
    }

    /// The present, counted from then on the monotonic clock: of two, the later is never less, however the wall clock steps.
    pub fn steady_now(self, clock: &dyn Clock) -> Timestamp {
        after(self.time, clock.moment().since(self.moment))
    }

    /// The time since then on the clock that shows more. The monotonic clock stands still while a machine is suspended, and
    /// the wall clock is put right after it; a wall clock that is set back shortens nothing.
    pub fn longest_elapsed(self, clock: &dyn Clock) -> Duration {
        clock.moment().since(self.moment).max(between(self.time, clock.now()))
    }
}

/// `start + duration`, at most the largest timestamp.
pub fn after(start: Timestamp, duration: Duration) -> Timestamp {
    start.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// The duration from `start` to `end` on the wall clock, which may have stepped in between; zero if `end` is earlier.
pub fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "sandbox")]
    #[test]
    fn a_steady_time_goes_on_evenly_while_the_wall_clock_steps() {
        let clock = ManualClock::default();
        let start = PointInTime::now(&clock);
        clock.advance(Duration::from_mins(1));
        clock.step(jiff::SignedDuration::from_hours(-1));
        assert_eq!(start.steady_now(&clock), after(start.time(), Duration::from_mins(1)));
    }

    #[test]
    fn a_clock_that_is_far_off_still_shows_a_time() {
        let days = |days: u64| Duration::from_hours(24 * days);
        let (far, year_10000) = (days(366 * 20_000), days(2_932_897));
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(wall_clock_time(epoch), Timestamp::UNIX_EPOCH);
        assert_eq!(wall_clock_time(epoch + year_10000), Timestamp::MAX);
        assert_eq!(wall_clock_time(epoch + far), Timestamp::MAX);
        assert_eq!(wall_clock_time(epoch - far), Timestamp::MIN);
    }
}

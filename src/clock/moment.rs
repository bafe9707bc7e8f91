//! Points on a monotonic clock.

use std::time::Duration;

/// A point on a clock that never steps, counted from an origin of its process: only distances have a meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// Later than any other.
    pub const MAX: Self = Self(Duration::MAX);

    /// The moment at this distance from the origin.
    pub const fn at(distance: Duration) -> Self {
        Self(distance)
    }

    /// The moment that is `duration` later, at most [`Moment::MAX`].
    #[must_use]
    pub const fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// The time from `earlier` to this moment; zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The distance from the origin.
    pub const fn distance(self) -> Duration {
        self.0
    }
}

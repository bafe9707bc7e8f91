//! When an attempt is made again, and what protects against a second order meanwhile. Pure.

use std::time::Duration;

/// What protects against a second order after an attempt with an unknown outcome (`target.duplicate_guard`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateGuard {
    /// 11VMS is asked for the order before anything is sent again.
    LookUp,
    /// The same body is sent again under the same `Idempotency-Key`.
    IdempotencyKey,
    /// Nothing: an unknown outcome is parked. When its cart is sent again, 11VMS is asked all the same.
    None,
}

impl DuplicateGuard {
    /// Whether an order in doubt is looked up before it is sent.
    pub const fn looks_up(self) -> bool {
        !matches!(self, Self::IdempotencyKey)
    }

    /// Whether an order in doubt is tried again without a person.
    pub const fn retries_in_doubt(self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether a success may stand for an order that an earlier attempt created.
    pub const fn repeats_earlier_success(self) -> bool {
        matches!(self, Self::IdempotencyKey)
    }
}

/// When an attempt is made again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub retries: u32,
    /// The delay before the first retry.
    pub initial_delay: Duration,
    /// The growth of the delay from one retry to the next, at least 1.
    pub multiplier: f64,
    /// The longest delay, a `Retry-After` of 11VMS included.
    pub max_delay: Duration,
    /// The share of the delay by which it is shifted at random, from 0 to 1.
    pub jitter: f64,
    /// How long 11VMS may still be working on a request whose outcome is unknown.
    pub unknown_grace: Duration,
    /// What protects against a second order.
    pub guard: DuplicateGuard,
}

impl RetryPolicy {
    /// The delay after `attempts_used` attempts (counted from 1), shifted to `position` (-1 to 1) within the jitter;
    /// `None` once the retries are used up.
    pub fn delay(&self, attempts_used: u32, position: f64) -> Option<Duration> {
        if attempts_used > self.retries {
            return None;
        }
        let exponent = i32::try_from(attempts_used.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial_delay.as_secs_f64() * self.multiplier.powi(exponent);
        let capped = seconds.min(self.max_delay.as_secs_f64());
        let shifted = capped * (1.0 + self.jitter * position.clamp(-1.0, 1.0));
        Some(Duration::try_from_secs_f64(shifted).unwrap_or(self.max_delay))
    }

    /// The longest wait between two attempts: no stored time of a next attempt is farther away, unless a clock was wrong.
    pub fn longest_wait(&self) -> Duration {
        let delay = self.max_delay.as_secs_f64() * (1.0 + self.jitter);
        Duration::try_from_secs_f64(delay).unwrap_or(self.max_delay).max(self.unknown_grace)
    }
}

#[cfg(test)]
impl RetryPolicy {
    /// The defaults, without jitter.
    pub fn usual() -> Self {
        Self {
            retries: 3,
            initial_delay: Duration::from_secs(30),
            multiplier: 2.0,
            max_delay: Duration::from_mins(10),
            jitter: 0.0,
            unknown_grace: Duration::from_secs(30),
            guard: DuplicateGuard::LookUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_stays_within_its_jitter_and_its_limit(attempts_used in 1u32..10, position in -1.0f64..1.0) {
            let policy = RetryPolicy { retries: 9, jitter: 0.1, ..RetryPolicy::usual() };
            let middle = (30.0 * 2f64.powi(i32::try_from(attempts_used).unwrap() - 1)).min(600.0);
            let delay = policy.delay(attempts_used, position).unwrap().as_secs_f64();
            prop_assert!(delay >= middle * 0.899 && delay <= middle * 1.101, "{delay}");
            prop_assert_eq!(policy.delay(10, position), None);
        }
    }
}

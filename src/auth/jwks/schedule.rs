//! When the issuer's keys may be fetched: cool-downs, and the pause that the issuer asks for.
//!
//! Pure; `jwks.rs` fetches.

use std::time::Duration;

use super::fetch_error::FetchError;
use crate::clock::Moment;
use crate::outbound::LONGEST_PAUSE;

/// Why keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchReason {
    /// None are known, or the known ones are due for a refresh.
    Age,
    /// A token names an unknown key, or its signature is wrong: the issuer may have a new key, or the token is forged.
    UnknownKey,
}

/// How the last fetch ended, and when the next may begin.
#[derive(Debug)]
pub struct FetchSchedule {
    cool_down: Duration,
    ended_at: Option<Moment>,
    /// After a failure.
    not_before: Option<Moment>,
    /// After a fetch for an unknown key: forged tokens must not cost the issuer a request each.
    not_for_unknown_key_before: Option<Moment>,
    failure: Option<FetchError>,
}

impl FetchSchedule {
    /// Allows a fetch at once.
    pub const fn new(cool_down: Duration) -> Self {
        Self { cool_down, ended_at: None, not_before: None, not_for_unknown_key_before: None, failure: None }
    }

    /// Whether a fetch may begin.
    pub fn allows(&self, reason: FetchReason, now: Moment) -> bool {
        let is_over = |pause: Option<Moment>| pause.is_none_or(|end| now >= end);
        is_over(self.not_before) && (reason == FetchReason::Age || is_over(self.not_for_unknown_key_before))
    }

    /// How long no fetch may begin; `None` if one may.
    pub fn wait(&self, now: Moment) -> Option<Duration> {
        self.not_before.filter(|end| now < *end).map(|end| end.since(now))
    }

    /// Records the end of a fetch.
    pub fn record_end(&mut self, reason: FetchReason, failure: Option<FetchError>, now: Moment) {
        self.ended_at = Some(now);
        self.not_before = failure.as_ref().map(|failure| {
            // XSUAA throttles, and says for how long.
            let requested = failure.retry_after.unwrap_or_default().min(LONGEST_PAUSE);
            now.after(self.cool_down.max(requested))
        });
        if reason == FetchReason::UnknownKey {
            self.not_for_unknown_key_before = Some(now.after(self.cool_down));
        }
        self.failure = failure;
    }

    /// Why the last fetch failed, if it did.
    pub const fn last_failure(&self) -> Option<&FetchError> {
        self.failure.as_ref()
    }

    /// Whether the last fetch, successful or not, ended less than `age` ago.
    pub fn ended_within(&self, age: Duration, now: Moment) -> bool {
        self.ended_at.is_some_and(|ended_at| now.since(ended_at) < age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOL_DOWN: Duration = Duration::from_secs(10);

    const fn at(seconds: u64) -> Moment {
        Moment::at(Duration::from_secs(seconds))
    }

    fn failure(retry_after: Option<Duration>) -> FetchError {
        FetchError { retry_after, ..FetchError::new("https://issuer.example/jwks", "answered 503".to_owned()) }
    }

    #[test]
    fn a_success_pauses_only_fetches_for_unknown_keys_and_only_after_one_of_those() {
        let mut schedule = FetchSchedule::new(COOL_DOWN);
        schedule.record_end(FetchReason::Age, None, at(0));
        assert!(schedule.allows(FetchReason::Age, at(0)) && schedule.allows(FetchReason::UnknownKey, at(0)));
        schedule.record_end(FetchReason::UnknownKey, None, at(0));
        assert!(schedule.allows(FetchReason::Age, at(0)) && !schedule.allows(FetchReason::UnknownKey, at(9)));
        assert!(schedule.allows(FetchReason::UnknownKey, at(10)));
    }

    #[test]
    fn a_failure_pauses_every_fetch_for_the_cool_down_or_for_the_retry_after() {
        for (retry_after, pause) in [(None, 10), (Some(3), 10), (Some(60), 60), (Some(86_400), 3_600)] {
            let mut schedule = FetchSchedule::new(COOL_DOWN);
            schedule.record_end(FetchReason::Age, Some(failure(retry_after.map(Duration::from_secs))), at(0));
            for reason in [FetchReason::Age, FetchReason::UnknownKey] {
                assert!(!schedule.allows(reason, at(pause - 1)), "{retry_after:?}");
                assert_eq!(schedule.wait(at(pause - 1)), Some(Duration::from_secs(1)));
                assert_eq!(schedule.wait(at(pause)), None);
                assert!(schedule.allows(reason, at(pause)), "{retry_after:?}");
            }
        }
    }

    #[test]
    fn a_success_ends_the_pause_and_the_failure() {
        let mut schedule = FetchSchedule::new(COOL_DOWN);
        schedule.record_end(FetchReason::Age, Some(failure(None)), at(0));
        assert!(schedule.last_failure().is_some());
        schedule.record_end(FetchReason::Age, None, at(10));
        assert!(schedule.last_failure().is_none() && schedule.allows(FetchReason::Age, at(10)));
        assert!(schedule.ended_within(COOL_DOWN, at(19)) && !schedule.ended_within(COOL_DOWN, at(20)));
    }
}

//! Throttling: a server that asks to be left alone gets no further call until its pause is over, whoever would make it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::retry_after::longest_retry_after;
use crate::clock::{Clock, Moment};

/// The pause after a 429 without `Retry-After`: servers count requests by the second or by the minute.
const USUAL_PAUSE: Duration = Duration::from_secs(10);

/// Shortest pause: a `Retry-After` of 0, or a date that has passed, must not lead to calls without end.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause that is obeyed: a wrong date in a header must not stop the service for good.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// How long an answer asks to be left alone: a 429 (RFC 6585 §4), or a 503 with `Retry-After` (RFC 9110 §10.2.3). From one
/// second to an hour.
pub fn requested_pause(status: u16, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let asked = match (status, longest_retry_after(headers, now)) {
        (429, asked) => asked.unwrap_or(USUAL_PAUSE),
        (503, Some(asked)) => asked,
        _ => return None,
    };
    Some(asked.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))
}

/// The pause of one server, and what it answered.
#[derive(Debug, Default)]
pub struct Pause {
    current: Mutex<Option<(Moment, String)>>,
}

impl Pause {
    /// Begins a pause; one that lasts longer stays. Whether there was none before.
    pub fn begin(&self, length: Duration, reason: &str, clock: &dyn Clock) -> bool {
        let now = clock.moment();
        let until = now.after(length);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = current.as_ref().is_none_or(|(known, _)| *known <= now);
        if current.as_ref().is_none_or(|(known, _)| *known < until) {
            *current = Some((until, reason.to_owned()));
        }
        is_first
    }

    /// How long it still lasts, and why; `None` if the server may be called.
    pub fn remaining(&self, clock: &dyn Clock) -> Option<(Duration, String)> {
        let now = clock.moment();
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|(until, _)| now < *until).map(|(until, reason)| (until.since(now), reason.clone()))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderValue, RETRY_AFTER};

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_pause_is_what_throttling_asks_for_and_no_other_answer_begins_one() {
        let now: Timestamp = "2025-01-31T09:30:00Z".parse().unwrap();
        for (status, retry_after, seconds) in [
            (429, Some("6"), Some(6)),
            (429, Some("Fri, 31 Jan 2025 09:31:30 GMT"), Some(90)),
            (429, Some("Fri, 31 Jan 2025 09:00:00 GMT"), Some(1)),
            (429, Some("0"), Some(1)),
            (429, Some("soon"), Some(10)),
            (429, None, Some(10)),
            (429, Some("86400"), Some(3600)),
            (503, Some("6"), Some(6)),
            (503, Some("Fri, 31 Dec 9999 23:59:59 GMT"), Some(3600)),
            (503, Some("soon"), None),
            (503, None, None),
            (500, Some("6"), None),
            (401, Some("6"), None),
            (200, Some("6"), None),
        ] {
            let value = |text| (RETRY_AFTER, HeaderValue::from_static(text));
            let headers: HeaderMap = retry_after.map(value).into_iter().collect();
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(requested_pause(status, &headers, now), expected, "{status} {retry_after:?}");
        }
    }

    #[test]
    fn a_pause_ends_by_itself_and_a_shorter_one_does_not_end_it() {
        let (clock, pause) = (ManualClock::default(), Pause::default());
        assert_eq!(pause.remaining(&clock), None);
        assert!(pause.begin(Duration::from_secs(6), "answered 429", &clock));
        assert!(!pause.begin(Duration::from_secs(2), "answered 503", &clock), "it is the same pause");
        clock.advance(Duration::from_secs(5));
        assert_eq!(pause.remaining(&clock), Some((Duration::from_secs(1), "answered 429".to_owned())));
        clock.advance(Duration::from_secs(1));
        assert_eq!(pause.remaining(&clock), None);
        assert!(pause.begin(Duration::from_secs(2), "answered 503", &clock));
        assert_eq!(pause.remaining(&clock), Some((Duration::from_secs(2), "answered 503".to_owned())));
    }
}

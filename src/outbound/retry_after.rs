//! The header `Retry-After` (RFC 9110 §10.2.3).

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::between;

/// The wait from `now` that a `Retry-After` asks for: seconds, or an HTTP date in any of its three forms (§5.6.7).
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let moment = httpdate::parse_http_date(text).ok()?;
    // A date after the largest time is a long wait, not none.
    Some(between(now, Timestamp::try_from(moment).unwrap_or(Timestamp::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_in_any_form() {
        let now: Timestamp = "2025-01-31T09:30:00Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Fri, 31 Jan 2025 09:31:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Friday, 31-Jan-25 09:31:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("Fri Jan 31 09:31:30 2025", now), Some(Duration::from_secs(90)));
        assert!(retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now) > Some(Duration::from_hours(24 * 365)));
        assert_eq!(retry_after("Fri, 31 Jan 2025 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("99999999999999999999999", now), Some(Duration::MAX));
        for nonsense in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn reading_retry_after_never_panics(text in "\\PC{0,40}") {
            let _ = retry_after(&text, Timestamp::UNIX_EPOCH);
        }
    }
}

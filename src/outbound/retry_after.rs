//! The header `Retry-After` (RFC 9110 §10.2.3).

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

use crate::clock::between;

/// Longest text that is read as several values: a few dates. Each value takes a call.
const MAX_JOINED_BYTES: usize = 256;

/// The wait from `now` that an answer asks for; the longest, if it says so more than once.
pub fn longest_retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let texts = headers.get_all(RETRY_AFTER).iter().filter_map(|value| HeaderValue::to_str(value).ok());
    texts.filter_map(|text| retry_after(text, now)).max()
}

/// The wait from `now` that one `Retry-After` asks for: seconds, or an HTTP date in any of its three forms (§5.6.7). What is
/// no wait, such as a negative number, is `None`.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = bare(text);
    value(text, now).or_else(|| if text.len() <= MAX_JOINED_BYTES { joined(text, now) } else { None })
}

/// The longest wait of headers that were joined on their way (RFC 9110 §5.3). Most dates have a comma of their own.
fn joined(text: &str, now: Timestamp) -> Option<Duration> {
    let (mut longest, mut rest) = (None, text);
    while !rest.is_empty() {
        let commas = rest.match_indices(',').map(|(at, _)| at).chain([rest.len()]);
        let parts = commas.take(2).filter_map(|end| Some((rest.get(..end)?, rest.get(end + 1..).unwrap_or_default())));
        let parts: Vec<(&str, &str)> = parts.collect();
        let read = parts.iter().find_map(|(part, behind)| Some((value(bare(part), now)?, *behind)));
        let (wait, behind) = match (read, parts.first()) {
            (Some((wait, behind)), _) => (Some(wait), behind),
            (None, Some((_, behind))) => (None, *behind),
            (None, None) => return longest,
        };
        (longest, rest) = (longest.max(wait), behind);
    }
    longest
}

/// One value: seconds or a date.
fn value(text: &str, now: Timestamp) -> Option<Duration> {
    let date = || httpdate::parse_http_date(text).ok();
    // A date after the largest time is a long wait, not none.
    let until = |date| between(now, Timestamp::try_from(date).unwrap_or(Timestamp::MAX));
    seconds(text).or_else(|| date().map(until))
}

/// Without blanks and without the separator that some servers write behind the value.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '"'))
}

/// Seconds, rounded up: earlier than asked would be too early. A number that is too large is the longest wait.
fn seconds(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let started_second = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    let seconds = whole.parse::<u64>().ok().and_then(|whole| whole.checked_add(started_second));
    Some(seconds.map_or(Duration::MAX, Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2025-01-31T09:30:00Z";

    fn asked(values: &[&str]) -> Option<Duration> {
        let value = |text: &&str| (RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in values.iter().map(value) {
            headers.append(name, value);
        }
        longest_retry_after(&headers, NOW.parse().unwrap())
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_in_any_form() {
        for (text, seconds) in [
            ("120", 120),
            (" 5 ", 5),
            ("\t5", 5),
            ("5;", 5),
            ("5 ;", 5),
            ("\"5\"", 5),
            ("+5", 5),
            ("005", 5),
            ("0", 0),
            ("2.4", 3),
            ("2.0", 2),
            ("2.", 2),
            (".5", 1),
            ("0.001", 1),
            ("5, 7", 7),
            ("7, 5", 7),
            ("5, Fri, 31 Jan 2025 09:31:30 GMT", 90),
            ("Fri, 31 Jan 2025 09:31:30 GMT, 5", 90),
            ("Fri, 31 Jan 2025 09:30:03 GMT, 5", 5),
            ("Fri, 31 Jan 2025 09:31:30 GMT, Fri, 31 Jan 2025 09:30:05 GMT", 90),
            ("Fri, 31 Jan 2025 09:30:05 GMT, Fri, 31 Jan 2025 09:31:30 GMT", 90),
            ("Friday, 31-Jan-25 09:31:30 GMT, Fri Jan 31 09:30:05 2025, 7", 90),
            ("Fri Jan 31 09:30:05 2025,Fri Jan 31 09:31:30 2025", 90),
            ("soon, 5, Fri, 31 Jan 2025 09:31:30 GMT, later", 90),
            ("Fri, 5", 5),
            ("Fri, 31 Jan 2025 09:31:30 GMT", 90),
            ("Friday, 31-Jan-25 09:31:30 GMT", 90),
            ("Fri Jan 31 09:31:30 2025", 90),
            (" Fri, 31 Jan 2025 09:31:30 GMT ", 90),
            ("Fri, 31 Jan 2025 09:00:00 GMT", 0),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ] {
            assert_eq!(asked(&[text]), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn a_wait_that_is_too_long_is_long_and_not_none() {
        assert!(asked(&["Fri, 31 Dec 9999 23:59:59 GMT"]) > Some(Duration::from_hours(24 * 365)));
        for huge in
            ["99999999999999999999999", "18446744073709551616", "18446744073709551615.5", "100000000000000000000000.5"]
        {
            assert_eq!(asked(&[huge]), Some(Duration::MAX), "{huge}");
        }
    }

    #[test]
    fn what_is_no_wait_is_ignored() {
        for nonsense in ["", " ", "soon", "-1", "-0.5", ".", "+", "+-5", "1.5.2", "1e3", "5s", "0x10", ";", ","] {
            assert_eq!(asked(&[nonsense]), None, "{nonsense}");
        }
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&[&"x,".repeat(100_000)]), None);
    }

    #[test]
    fn of_several_waits_the_longest_counts() {
        assert_eq!(asked(&["5", "7"]), Some(Duration::from_secs(7)));
        assert_eq!(asked(&["7", "5"]), Some(Duration::from_secs(7)));
        assert_eq!(asked(&["soon", "5"]), Some(Duration::from_secs(5)));
        assert_eq!(asked(&["5", "Fri, 31 Jan 2025 09:31:30 GMT"]), Some(Duration::from_secs(90)));
    }

    proptest! {
        #[test]
        fn reading_retry_after_never_panics(text in "[ -~]{0,40}") {
            let _ = asked(&[&text]);
        }

        #[test]
        fn a_wait_is_never_shorter_than_asked_and_less_than_a_second_longer(seconds in 0_u32..1_000_000, millis in 0_u32..1000) {
            let asked = asked(&[&format!("{seconds}.{millis:03}")]).unwrap();
            let exact = Duration::from_secs(seconds.into()) + Duration::from_millis(millis.into());
            prop_assert!(asked >= exact && asked < exact + Duration::from_secs(1));
        }
    }
}

//! Dates and time stamps in the notations of SAP's serializers.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// `2025-01-31`, `20250131`, or OData's `/Date(1738281600000)/`.
pub fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    match odata_moment(text) {
        Some(moment) => Some(moment.to_zoned(TimeZone::UTC).date()),
        None if text.len() == 10 => {
            date_of_digits(&[text.get(..4)?, after_dash(text, 4)?.get(..2)?, after_dash(text, 7)?].concat())
        }
        None => date_of_digits(text),
    }
}

/// The text after the dash at `at`.
fn after_dash(text: &str, at: usize) -> Option<&str> {
    text.get(at..)?.strip_prefix('-')
}

/// A date of eight digits.
fn date_of_digits(digits: &str) -> Option<Date> {
    if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    Date::new(part(0..4)?, i8::try_from(part(4..6)?).ok()?, i8::try_from(part(6..8)?).ok()?).ok()
}

/// `20250131093015` (with or without a fraction, as TIMESTAMPL), `/Date(…)/`, or RFC 3339.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(moment) = odata_moment(text) {
        return Some(moment);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.len() != 14 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let part = |range: std::ops::Range<usize>| whole.get(range)?.parse::<i8>().ok();
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse::<i32>().ok()?;
    let time = Time::new(part(8..10)?, part(10..12)?, part(12..14)?, nanoseconds).ok()?;
    let moment = DateTime::from_parts(date_of_digits(whole.get(..8)?)?, time);
    Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// OData V2's `/Date(milliseconds)/`, with or without an offset, which does not change the moment.
fn odata_moment(text: &str) -> Option<Timestamp> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(inner.len(), |(at, _)| at);
    Timestamp::from_duration(SignedDuration::from_millis(inner.get(..end)?.parse().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_date_is_the_same_date_in_every_notation(days in 1i64..40_000) {
            let moment = Timestamp::from_second(days * 86_400).unwrap();
            let date = moment.to_zoned(TimeZone::UTC).date();
            for text in [date.to_string(), date.to_string().replace('-', ""), format!("/Date({})/", moment.as_millisecond())] {
                prop_assert_eq!(parse_date(&text), Some(date));
            }
        }
    }
}

//! Dates and time stamps in the notations of SAP's serializers.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::decimal;
use crate::cart::trimmed;

/// Digits of a DEC15 time stamp: year to second.
const TIMESTAMP_DIGITS: usize = 14;

/// A date in the order's notation, `2025-01-31`: in which it mostly is already.
pub fn iso_date(text: &str) -> Option<Cow<'_, str>> {
    let is_iso = text.len() == 10 && after_dash(text, 4).is_some() && after_dash(text, 7).is_some();
    let date = if is_iso { date_of_text(text)? } else { parse_date(text)? };
    Some(if is_iso { Cow::Borrowed(text) } else { Cow::Owned(date.to_string()) })
}

/// `2025-01-31` or `20250131`, alone or with a time of day and a zone behind it; a DEC15 time stamp; `/Date(…)/` of OData.
///
/// The date is the one that is written. DATS has no zone: a time of day and an offset were added by a serializer, and a
/// conversion to UTC would move the day.
pub fn parse_date(text: &str) -> Option<Date> {
    let text = trimmed(text);
    if let Some((moment, offset)) = odata_moment(text) {
        return Some(moment.checked_add(offset).ok()?.to_zoned(TimeZone::UTC).date());
    }
    let text = without_exponent(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if whole.bytes().all(|b| b.is_ascii_digit()) {
        return match whole.len() {
            TIMESTAMP_DIGITS => parse_timestamp(&text).map(|moment| moment.to_zoned(TimeZone::UTC).date()),
            // A number with a point and nothing behind it: `20250131.0`.
            _ if fraction.bytes().all(|b| b == b'0') => date_of_digits(whole),
            _ => None,
        };
    }
    let date_end = if after_dash(&text, 4).is_some() { 10 } else { 8 };
    let (date, rest) = text.split_at_checked(date_end)?;
    let time = rest.strip_prefix(['T', 't', ' ']);
    let (time, _offset) = split_offset(time.unwrap_or(rest))?;
    if rest.starts_with(['T', 't', ' ']) {
        time.parse::<Time>().ok()?;
    } else if !time.is_empty() {
        return None;
    }
    date_of_text(date)
}

/// `2025-01-31` or `20250131`.
fn date_of_text(text: &str) -> Option<Date> {
    if text.len() == 10 {
        return date_of_parts([text.get(..4)?, after_dash(text, 4)?.get(..2)?, after_dash(text, 7)?]);
    }
    date_of_digits(text)
}

/// A time of day, and the offset behind it: `Z`, `+01:00`, `+0100` or `+01`, empty for none; `None` for another ending.
fn split_offset(time: &str) -> Option<(&str, &str)> {
    let Some(at) = time.find(['Z', 'z', '+', '-']) else { return Some((time, "")) };
    let (time, offset) = time.split_at_checked(at)?;
    let digits = offset.get(1..)?.bytes();
    let is_offset = match offset.len() {
        1 => matches!(offset, "Z" | "z"),
        3 | 5 => digits.clone().all(|b| b.is_ascii_digit()),
        6 => digits.clone().enumerate().all(|(index, b)| if index == 2 { b == b':' } else { b.is_ascii_digit() }),
        _ => false,
    };
    (is_offset && (offset.len() == 1) == offset.starts_with(['Z', 'z'])).then_some((time, offset))
}

/// A number in the notation that doubles are written in: `2.0250131E7` is `20250131`. Other texts as they are.
fn without_exponent(text: &str) -> Cow<'_, str> {
    if !text.contains(['E', 'e']) {
        return Cow::Borrowed(text);
    }
    decimal::parse(text).map_or(Cow::Borrowed(text), |number| decimal::to_text(number).into())
}

/// The text after the dash at `at`.
fn after_dash(text: &str, at: usize) -> Option<&str> {
    text.get(at..)?.strip_prefix('-')
}

/// A date of eight digits.
fn date_of_digits(digits: &str) -> Option<Date> {
    date_of_parts([digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?])
}

/// A date of a year of four digits, a month and a day of two.
fn date_of_parts([year, month, day]: [&str; 3]) -> Option<Date> {
    let number = |digits: &str, width: usize| {
        let fits = digits.len() == width && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| digits.parse::<i16>().ok()).flatten()
    };
    let two = |digits| i8::try_from(number(digits, 2)?).ok();
    Date::new(number(year, 4)?, two(month)?, two(day)?).ok()
}

/// `20250131093015` (with or without a fraction, as TIMESTAMPL), `/Date(…)/`, or RFC 3339, without an offset too: SAP's
/// time stamps are UTC.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let text = trimmed(text);
    if let Some((moment, _)) = odata_moment(text) {
        return Some(moment);
    }
    let text = without_exponent(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if whole.len() != TIMESTAMP_DIGITS || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return text.parse().ok().or_else(|| parse_timestamp_without_offset(&text));
    }
    let part = |range: std::ops::Range<usize>| whole.get(range)?.parse::<i8>().ok();
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse::<i32>().ok()?;
    let time = Time::new(part(8..10)?, part(10..12)?, part(12..14)?, nanoseconds).ok()?;
    in_utc(DateTime::from_parts(date_of_digits(whole.get(..8)?)?, time))
}

/// `2025-01-31T09:30:15`, as OData V2 and XML write a time stamp.
fn parse_timestamp_without_offset(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    in_utc(DateTime::from_parts(date_of_text(date)?, time.parse().ok()?))
}

fn in_utc(moment: DateTime) -> Option<Timestamp> {
    Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// OData V2's `/Date(milliseconds)/`, with or without an offset in minutes. The offset does not change the moment; it says
/// which date the sender's clock showed.
fn odata_moment(text: &str) -> Option<(Timestamp, SignedDuration)> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(inner.len(), |(at, _)| at);
    let (milliseconds, offset) = inner.split_at_checked(end)?;
    let minutes = if offset.is_empty() { 0 } else { i64::from(offset.parse::<i16>().ok()?) };
    let moment = Timestamp::from_duration(SignedDuration::from_millis(milliseconds.parse().ok()?)).ok()?;
    Some((moment, SignedDuration::from_mins(minutes)))
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
            let (dashes, digits) = (date.to_string(), date.to_string().replace('-', ""));
            let texts = [
                format!("/Date({})/", moment.as_millisecond()),
                format!("{dashes}T00:00:00"),
                format!("{dashes}T23:59:59.999-05:00"),
                format!("{dashes}T00:00:00+1400"),
                format!("{digits}235959"),
                format!("{digits}.0"),
                format!("{}.{}E7", &digits[..1], &digits[1..]),
                dashes,
                digits,
            ];
            for text in texts {
                prop_assert_eq!(parse_date(&text), Some(date), "{}", text);
            }
        }
    }
}

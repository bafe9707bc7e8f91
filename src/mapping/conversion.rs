//! The column `as`: from the text in which SAP wrote a value to the JSON that 11VMS gets. Every conversion is exact.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::cart::{self, without_leading_zeros};

/// How a value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversion {
    /// The text, trimmed.
    Text,
    /// Purely numeric text loses its leading zeros.
    Id,
    /// RAW16 as 32 lower-case hex digits.
    Guid,
    /// DATS as `2025-01-31`.
    Date,
    /// A DEC15 time stamp as RFC 3339, UTC.
    Timestamp,
    /// An exact decimal, as a string without trailing zeros.
    Decimal,
    /// A decimal that is a currency amount, whatever its field is called: obeys `mapping.shifted_amounts`.
    Amount,
    /// A whole number, as a JSON number.
    Integer,
    /// `X` or `true`, as JSON `true`.
    Flag,
    /// The value of a table's row whose key this is.
    Table(String),
    /// Always this text.
    Constant(String),
}

impl Conversion {
    /// Every form that the sheet may use, for messages.
    pub const FORMS: &str =
        "text, id, guid, date, timestamp, decimal, amount, integer, flag, table:NAME or constant:VALUE";

    /// Reads the column `as`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "text" => Self::Text,
            "id" => Self::Id,
            "guid" => Self::Guid,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "decimal" => Self::Decimal,
            "amount" => Self::Amount,
            "integer" => Self::Integer,
            "flag" => Self::Flag,
            other => match other.split_once(':')? {
                ("table", name) if !name.trim().is_empty() => Self::Table(name.trim().to_owned()),
                ("constant", value) => Self::Constant(value.to_owned()),
                _ => return None,
            },
        })
    }

    /// What a value of this kind looks like, for messages.
    pub const fn expected(&self) -> &'static str {
        match self {
            Self::Text | Self::Id | Self::Table(_) | Self::Constant(_) => "a text or a number",
            Self::Guid => "16 bytes as hex or base64",
            Self::Date => "a date such as 2025-01-31 or 20250131",
            Self::Timestamp => "a time stamp such as 20250131093015 (UTC)",
            Self::Decimal | Self::Amount => "a decimal such as 160.5, with at most 28 digits",
            Self::Integer => "a whole number",
            Self::Flag => "X, true, or nothing",
        }
    }

    /// Converts one value; `None` if it can't be read so. A table's key is looked up elsewhere.
    pub fn apply(&self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Text | Self::Table(_) => text.trim().into(),
            Self::Constant(value) => value.as_str().into(),
            Self::Id => without_leading_zeros(text).into(),
            Self::Guid => cart::guid(text)?.into(),
            Self::Date => date(text)?.to_string().into(),
            Self::Timestamp => timestamp(text)?.to_string().into(),
            Self::Decimal | Self::Amount => plain(decimal(text)?).into(),
            Self::Integer => integer(text)?.into(),
            Self::Flag => flag(text)?.into(),
        })
    }
}

impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Id => "id",
            Self::Guid => "guid",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Decimal => "decimal",
            Self::Amount => "amount",
            Self::Integer => "integer",
            Self::Flag => "flag",
            Self::Table(name) => return write!(f, "table:{name}"),
            Self::Constant(value) => return write!(f, "constant:{value}"),
        })
    }
}

/// A decimal as SAP writes it: sign in front or behind, padded with blanks, or with an exponent (JSON numbers).
/// `None` where digits would be lost: more than rust_decimal's 28, or a thousands separator.
pub fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (negative, digits) = match (text.strip_suffix('-'), text.strip_prefix('-')) {
        (Some(digits), None) => (true, digits.trim_end()),
        (None, Some(digits)) => (true, digits),
        (None, None) => (false, text),
        (Some(_), Some(_)) => return None,
    };
    let number = match digits.find(['e', 'E']) {
        None => Decimal::from_str_exact(digits),
        // rust_decimal rounds the mantissa of this notation: only one that is exact may come so far.
        Some(at) => {
            Decimal::from_str_exact(digits.get(..at)?).ok()?;
            Decimal::from_scientific(digits)
        }
    };
    let number = number.ok().filter(|_| is_plain_number(digits))?;
    Some(if negative { -number } else { number })
}

/// Digits with at most one point and an exponent: no underscore, sign or blank inside.
fn is_plain_number(digits: &str) -> bool {
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    mantissa.starts_with(|c: char| c.is_ascii_digit())
        && mantissa.ends_with(|c: char| c.is_ascii_digit())
        && all_digits(&mantissa.replacen('.', "", 1))
        && !exponent.is_empty()
        && all_digits(exponent)
}

/// A decimal times a power of ten; `None` where a digit would be lost. (`Decimal`'s own multiplication rounds.)
pub fn times_ten_to(power: i32, number: Decimal) -> Option<Decimal> {
    let number = number.normalize();
    let scale = i32::try_from(number.scale()).ok()?.checked_sub(power)?;
    let (factor, scale) = match u32::try_from(scale) {
        Ok(scale) => (1, scale),
        Err(_) => (10_i128.checked_pow(scale.unsigned_abs())?, 0),
    };
    Decimal::try_from_i128_with_scale(number.mantissa().checked_mul(factor)?, scale).ok()
}

/// The shortest decimal notation: no exponent, no trailing zeros, no negative zero.
pub fn plain(number: Decimal) -> String {
    if number.is_zero() { "0".to_owned() } else { number.normalize().to_string() }
}

fn integer(text: &str) -> Option<i64> {
    let number = decimal(text)?.normalize();
    if number.scale() == 0 { i64::try_from(number.mantissa()).ok() } else { None }
}

fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "X" | "x" | "true" => Some(true),
        "" | "false" => Some(false),
        _ => None,
    }
}

/// `2025-01-31`, `20250131`, or OData's `/Date(1738281600000)/`.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    match odata_moment(text) {
        Some(moment) => Some(moment.to_zoned(TimeZone::UTC).date()),
        None if text.len() == 10 => {
            date_of_digits(&[text.get(..4)?, dash(text, 4)?.get(..2)?, dash(text, 7)?].concat())
        }
        None => date_of_digits(text),
    }
}

/// What follows the dash at `at`.
fn dash(text: &str, at: usize) -> Option<&str> {
    text.get(at..)?.strip_prefix('-')
}

fn date_of_digits(digits: &str) -> Option<Date> {
    if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
    Date::new(part(0..4)?, i8::try_from(part(4..6)?).ok()?, i8::try_from(part(6..8)?).ok()?).ok()
}

/// `20250131093015` (with or without a fraction, as TIMESTAMPL), `/Date(…)/`, or RFC 3339.
fn timestamp(text: &str) -> Option<Timestamp> {
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
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_as_sap_writes_them() {
        let table = [
            ("text", "  Field engineer ", json!("Field engineer")),
            ("id", "0000476000", json!("476000")),
            ("id", "00A7", json!("00A7")),
            ("guid", "AFBWogfIHtG/xraecvUFUA==", json!("005056a207c81ed1bfc6b69e72f50550")),
            ("date", "2025-01-31", json!("2025-01-31")),
            ("date", "20250131", json!("2025-01-31")),
            ("date", "/Date(1738281600000)/", json!("2025-01-31")),
            ("timestamp", "20250131093015", json!("2025-01-31T09:30:15Z")),
            ("timestamp", "20250131093015.5", json!("2025-01-31T09:30:15.5Z")),
            ("timestamp", "/Date(1738281600000+0060)/", json!("2025-01-31T00:00:00Z")),
            ("timestamp", "2025-01-31T10:30:15+01:00", json!("2025-01-31T09:30:15Z")),
            ("decimal", "160.500", json!("160.5")),
            ("decimal", "302.35-", json!("-302.35")),
            ("decimal", "   10.00 ", json!("10")),
            ("decimal", "1.5E3", json!("1500")),
            ("decimal", "0.00-", json!("0")),
            ("integer", "0000000010", json!(10)),
            ("integer", "10.000", json!(10)),
            ("flag", "X", json!(true)),
            ("constant:EUR", "", json!("EUR")),
        ];
        for (form, text, expected) in table {
            let conversion = Conversion::parse(form).unwrap();
            assert_eq!(conversion.apply(text), Some(expected), "{form} {text:?}");
        }
    }

    #[test]
    fn what_can_not_be_read_exactly_is_refused() {
        let table = [
            ("date", "2025-02-30"),
            ("date", "31.01.2025"),
            ("date", "2025/01/31"),
            ("date", "2025-1-310"),
            ("timestamp", "20250131253015"),
            ("timestamp", "yesterday"),
            ("decimal", "1,234.50"),
            ("decimal", "1_000"),
            ("decimal", "-1-"),
            ("decimal", "12345678901234567890123456789.123"),
            ("decimal", ".5"),
            ("decimal", "NaN"),
            ("decimal", "1e"),
            ("decimal", "1.2345678901234567890123456789012E0"),
            ("integer", "1.5"),
            ("integer", "99999999999999999999"),
            ("flag", "yes"),
            ("guid", "47110"),
        ];
        for (form, text) in table {
            assert_eq!(Conversion::parse(form).unwrap().apply(text), None, "{form} {text:?}");
        }
    }

    #[test]
    fn every_form_can_be_written_as_it_was_read() {
        for form in [
            "text",
            "id",
            "guid",
            "date",
            "timestamp",
            "decimal",
            "amount",
            "integer",
            "flag",
            "table:units",
            "constant:x:y",
        ] {
            assert_eq!(Conversion::parse(form).unwrap().to_string(), form);
        }
        for nonsense in ["", "number", "table:", "table", "Text"] {
            assert_eq!(Conversion::parse(nonsense), None, "{nonsense:?}");
        }
    }

    proptest! {
        #[test]
        fn a_decimal_keeps_its_value_digit_for_digit(whole in 0u64..10_000_000_000_000, cents in 0u32..1000, negative: bool) {
            let sign = if negative { "-" } else { "" };
            let text = format!("{sign}{whole}.{cents:03}");
            let trailing = format!("{whole}.{cents:03}{sign}");
            let fraction = format!("{cents:03}");
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            let expected = if whole == 0 && cents == 0 { "0".to_owned() } else { format!("{sign}{whole}{point}{fraction}") };
            prop_assert_eq!(decimal(&text).map(plain), Some(expected.clone()));
            prop_assert_eq!(decimal(&trailing).map(plain), Some(expected));
        }

        #[test]
        fn a_power_of_ten_is_exact_or_refused(mantissa in any::<i64>(), scale in 0u32..=28, power in -4i32..=4) {
            let number = Decimal::new(mantissa, scale);
            if let Some(moved) = times_ten_to(power, number) {
                prop_assert_eq!(times_ten_to(-power, moved), Some(number));
            } else {
                prop_assert!(number.normalize().scale() > 24 && power < 0);
            }
        }

        #[test]
        fn reading_anything_as_anything_never_panics(text in ".{0,40}", form in prop::sample::select(vec!["text", "id", "guid", "date", "timestamp", "decimal", "integer", "flag"])) {
            let _ = Conversion::parse(form).unwrap().apply(&text);
        }

        #[test]
        fn an_exponent_is_exact_or_refused(mantissa in 1u64..1_000_000, exponent in -40i32..40) {
            if let Some(number) = decimal(&format!("{mantissa}E{exponent}")) {
                let back = decimal(&plain(number)).unwrap();
                prop_assert_eq!(back, number);
                prop_assert!(!number.is_zero(), "{}E{} lost its digits", mantissa, exponent);
            }
        }

        #[test]
        fn a_date_is_the_same_date_in_every_notation(days in 1i64..40_000) {
            let moment = Timestamp::from_second(days * 86_400).unwrap();
            let date = moment.to_zoned(TimeZone::UTC).date();
            for text in [date.to_string(), date.to_string().replace('-', ""), format!("/Date({})/", moment.as_millisecond())] {
                prop_assert_eq!(super::date(&text), Some(date));
            }
        }
    }
}

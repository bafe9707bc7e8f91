//! The column `as`: from the text that SAP sends to the JSON that 11VMS gets. Every conversion is exact.

mod constant;
pub(super) mod date;
pub(super) mod decimal;
mod initial;
mod order_value;

use std::borrow::Cow;
use std::fmt;

use crate::cart::{self, trimmed, without_leading_zeros};
pub use constant::{Constant, TYPOGRAPHIC_MARKS};
pub use order_value::OrderValue;

/// How a value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversion {
    /// The text, trimmed.
    Text,
    /// Purely numeric text loses its leading zeros.
    Id,
    /// Purely numeric text gets leading zeros up to so many digits.
    Padded(usize),
    /// RAW16 as 32 lower-case hex digits.
    Guid,
    /// DATS as `2025-01-31`.
    Date,
    /// A DEC15 time stamp as RFC 3339, UTC.
    Timestamp,
    /// An exact decimal, as a string without trailing zeros.
    Decimal,
    /// A decimal that is a currency amount, under any field name: `mapping.shifted_amounts` applies.
    Amount,
    /// A whole number, as a JSON number.
    Integer,
    /// `X` or `true`, as JSON `true`.
    Flag,
    /// The texts of all rows, joined by line breaks.
    Lines,
    /// The value of a table's row whose key this is.
    Table(String),
    /// The texts of several sources with this text between them; those that are missing are left out with theirs.
    Join(String),
    /// Always this value.
    Constant(Constant),
    /// No value: demands at least one entry of the list that is the target.
    Rows,
    /// No value: leaves out the entries of the list that have such a row.
    Skip,
}

/// The longest id of SAP, a material number, is a CHAR40.
const MAX_PADDED: usize = 40;

impl Conversion {
    /// Every form that a field of the sheet may use, for messages.
    pub const FORMS: &str = "text, id, guid, date, timestamp, decimal, amount, integer, flag, lines, padded:DIGITS, table:NAME, join:SEPARATOR or \
         constant:VALUE; \
         for a list itself, rows or skip";

    /// Reads the column `as`, whose blanks at the end count for `join:` alone.
    ///
    /// # Errors
    /// What is expected instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(separator) = text.trim_start().strip_prefix("join:") {
            if separator.trim().starts_with(TYPOGRAPHIC_MARKS) && separator.trim().chars().count() > 1 {
                let shown = format!("join:{}", separator.trim());
                return Err(format!("as {shown:?}: expected straight quotation marks (\"…\") or none"));
            }
            return Ok(Self::Join(unquoted(separator).to_owned()));
        }
        let text = text.trim();
        let unknown = || format!("as {text:?}: expected {}", Self::FORMS);
        Ok(match text {
            "text" => Self::Text,
            "id" => Self::Id,
            "guid" => Self::Guid,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "decimal" => Self::Decimal,
            "amount" => Self::Amount,
            "integer" => Self::Integer,
            "flag" => Self::Flag,
            "lines" => Self::Lines,
            "rows" => Self::Rows,
            "skip" => Self::Skip,
            other => match other.split_once(':').ok_or_else(unknown)? {
                ("padded", digits) => {
                    let digits = digits.trim().parse().ok().filter(|digits| (1..=MAX_PADDED).contains(digits));
                    Self::Padded(digits.ok_or_else(unknown)?)
                }
                ("table", name) if !name.trim().is_empty() => Self::Table(name.trim().to_owned()),
                ("constant", value) => Self::Constant(Constant::parse(value)?),
                _ => return Err(unknown()),
            },
        })
    }

    /// The form of a readable value, for messages.
    pub fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Text | Self::Lines | Self::Table(_) | Self::Join(_) | Self::Constant(_) => "a text or a number",
            Self::Rows | Self::Skip => "rows",
            Self::Id => "a text, or a number without a fraction",
            Self::Padded(digits) => return format!("a number of at most {digits} digits, or a text").into(),
            Self::Guid => "16 bytes as hex or base64",
            Self::Date => "a date such as 2025-01-31, 20250131 or 2025-01-31T00:00:00",
            Self::Timestamp => "a time stamp such as 20250131093015 (UTC) or 2025-01-31T09:30:15Z",
            Self::Decimal | Self::Amount => "a decimal such as 160.5, with at most 28 digits",
            Self::Integer => "a whole number",
            Self::Flag => "X, true, or nothing",
        })
    }

    /// True for a row of the sheet about the entries of a list.
    pub const fn is_about_entries(&self) -> bool {
        matches!(self, Self::Rows | Self::Skip)
    }

    /// True where a JSON number with a fraction is no value: an id has none, so the sender lost or made up digits.
    pub const fn refuses_fractions(&self) -> bool {
        matches!(self, Self::Id | Self::Padded(_))
    }

    /// True where `true` is read: as a flag, or as the key `X` of a table. Ids and texts have no booleans: `X` would be made up.
    pub const fn takes_flags(&self) -> bool {
        matches!(self, Self::Flag | Self::Table(_))
    }

    /// Converts one value; `None` if it can't be read. The text of a table's key is returned as it is.
    pub fn apply<'v>(&'v self, text: &'v str) -> Option<OrderValue<'v>> {
        Some(match self {
            Self::Text | Self::Lines | Self::Table(_) | Self::Join(_) => trimmed(text).into(),
            Self::Constant(constant) => constant.value(),
            Self::Id => without_leading_zeros(text).into(),
            Self::Padded(digits) => padded(text, *digits)?.into(),
            Self::Guid => cart::guid(text)?.into(),
            Self::Date => date::iso_date(text)?.into(),
            Self::Timestamp => date::parse_timestamp(text)?.to_string().into(),
            Self::Decimal | Self::Amount => decimal::shortest(text)?.into(),
            Self::Integer => OrderValue::Integer(decimal::parse_integer(text)?),
            Self::Flag => OrderValue::Flag(flag(text)?),
            Self::Rows | Self::Skip => return None,
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
            Self::Lines => "lines",
            Self::Rows => "rows",
            Self::Skip => "skip",
            Self::Padded(digits) => return write!(f, "padded:{digits}"),
            Self::Table(name) => return write!(f, "table:{name}"),
            Self::Join(separator) if unquoted(separator) != separator => return write!(f, "join:\"{separator}\""),
            Self::Join(separator) => return write!(f, "join:{separator}"),
            Self::Constant(value) => return write!(f, "constant:{value}"),
        })
    }
}

/// Digits with zeros in front, as many as SAP's field is wide; a text that is no number stays as it is (ALPHA conversion).
fn padded(text: &str, digits: usize) -> Option<String> {
    let number = without_leading_zeros(text);
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return Some(number.to_owned());
    }
    (number.len() <= digits).then(|| format!("{number:0>digits$}"))
}

/// A separator in quotation marks without them: they make a blank visible.
fn unquoted(separator: &str) -> &str {
    let inside = separator.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(separator)
}

fn flag(text: &str) -> Option<bool> {
    match trimmed(text) {
        "X" | "x" | "true" => Some(true),
        "" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

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
            ("date", "/Date(1738278000000+0060)/", json!("2025-01-31")),
            ("date", "2018-01-31T00:00:00", json!("2018-01-31")),
            ("date", "2018-01-31T00:00:00.0000000", json!("2018-01-31")),
            ("date", "2018-01-31T00:00:00Z", json!("2018-01-31")),
            ("date", "2018-01-31T00:00:00.000+01:00", json!("2018-01-31")),
            ("date", "2018-01-31T23:30:00-0500", json!("2018-01-31")),
            ("date", "2018-01-31 00:00:00", json!("2018-01-31")),
            ("date", "20180131T000000", json!("2018-01-31")),
            ("date", "2018-01-31T00:00", json!("2018-01-31")),
            ("date", "2018-01-31Z", json!("2018-01-31")),
            ("date", "2018-01-31+01:00", json!("2018-01-31")),
            ("date", "20250304081500", json!("2025-03-04")),
            ("date", "20250304235959.1234567", json!("2025-03-04")),
            ("date", "20250304.0", json!("2025-03-04")),
            ("date", "2.0250304E7", json!("2025-03-04")),
            ("date", "2.02503040815E13", json!("2025-03-04")),
            ("timestamp", "20250131093015", json!("2025-01-31T09:30:15Z")),
            ("timestamp", "20250131093015.5", json!("2025-01-31T09:30:15.5Z")),
            ("timestamp", "/Date(1738281600000+0060)/", json!("2025-01-31T00:00:00Z")),
            ("timestamp", "2025-01-31T10:30:15+01:00", json!("2025-01-31T09:30:15Z")),
            ("timestamp", "2025-01-31T09:30:15", json!("2025-01-31T09:30:15Z")),
            ("timestamp", "2025-01-31 09:30:15.5", json!("2025-01-31T09:30:15.5Z")),
            ("timestamp", "2025-01-31T10:30:15+0100", json!("2025-01-31T09:30:15Z")),
            ("timestamp", "2.0250131093015E13", json!("2025-01-31T09:30:15Z")),
            ("padded:4", "10", json!("0010")),
            ("padded:4", "00000010", json!("0010")),
            ("padded:2", "0", json!("00")),
            ("padded:4", "A1", json!("A1")),
            ("lines", " one\ntwo ", json!("one\ntwo")),
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
            assert_eq!(conversion.apply(text).map(|value| Value::from(&value)), Some(expected), "{form} {text:?}");
        }
    }

    #[test]
    fn values_that_can_not_be_read_exactly_are_refused() {
        let table = [
            ("date", "2025-02-30"),
            ("date", "31.01.2025"),
            ("date", "2025/01/31"),
            ("date", "2025-1-310"),
            ("date", "2018-01-31T25:00:00"),
            ("date", "2018-01-31Tnoon"),
            ("date", "2018-02-30T00:00:00"),
            ("date", "2018-01-31T00:00:00+1:00"),
            ("date", "2018-01-31T00:00:00 UTC"),
            ("date", "20250230081500"),
            ("date", "20250304251500"),
            ("date", "20250304.5"),
            ("date", "2025030"),
            ("padded:4", "12345"),
            ("timestamp", "20250131253015"),
            ("timestamp", "2025-01-31"),
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
            "lines",
            "padded:10",
            "rows",
            "skip",
            "table:units",
            "constant:x:y",
            "constant:10",
            "constant:\"10\"",
            "join:-",
            "join: ",
            "join:",
            "join:, ",
            "join:\"",
            "join:\"\"-\"\"",
        ] {
            assert_eq!(Conversion::parse(form).unwrap().to_string(), form);
        }
        for nonsense in
            ["", "number", "table:", "table", "Text", "padded", "padded:", "padded:0", "padded:41", "Rows", "join"]
        {
            assert!(Conversion::parse(nonsense).unwrap_err().contains("expected text, id"), "{nonsense:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_anything_as_anything_never_panics(text in ".{0,40}", form in prop::sample::select(vec!["text", "id", "guid", "date", "timestamp", "decimal", "integer", "flag", "padded:4", "lines"])) {
            let conversion = Conversion::parse(form).unwrap();
            let _ = (conversion.is_initial(&text), conversion.apply(&text));
        }
    }
}

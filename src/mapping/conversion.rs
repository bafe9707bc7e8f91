//! The column `as`: from the text that SAP sends to the JSON that 11VMS gets. Every conversion is exact.

mod date;
pub(super) mod decimal;

use std::fmt;

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
    /// A decimal that is a currency amount, under any field name: `mapping.shifted_amounts` applies.
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

    /// The form of a readable value, for messages.
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

    /// Whether a text is initial for what this reads: only blanks are for texts, ids and keys; zero is for numbers, zeros
    /// are for dates, time stamps and GUIDs.
    pub fn is_initial(&self, text: &str) -> bool {
        match self {
            Self::Text | Self::Id | Self::Table(_) | Self::Constant(_) => text.trim().is_empty(),
            _ => cart::is_initial(text),
        }
    }

    /// Converts one value; `None` if it can't be read. The text of a table's key is returned as it is.
    pub fn apply(&self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Text | Self::Table(_) => text.trim().into(),
            Self::Constant(value) => value.as_str().into(),
            Self::Id => without_leading_zeros(text).into(),
            Self::Guid => cart::guid(text)?.into(),
            Self::Date => date::parse_date(text)?.to_string().into(),
            Self::Timestamp => date::parse_timestamp(text)?.to_string().into(),
            Self::Decimal | Self::Amount => decimal::shortest(text)?.into(),
            Self::Integer => decimal::parse_integer(text)?.into(),
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

fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "X" | "x" | "true" => Some(true),
        "" | "false" => Some(false),
        _ => None,
    }
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
    fn values_that_can_not_be_read_exactly_are_refused() {
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
        fn reading_anything_as_anything_never_panics(text in ".{0,40}", form in prop::sample::select(vec!["text", "id", "guid", "date", "timestamp", "decimal", "integer", "flag"])) {
            let _ = Conversion::parse(form).unwrap().apply(&text);
        }
    }
}

//! A value of the order.

use std::borrow::Cow;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// What one target of the order gets. A text that is sent as it is to be is not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OrderValue<'v> {
    Text(Cow<'v, str>),
    Integer(i64),
    /// A number by the grammar of JSON, digit for digit as it is to be sent.
    #[serde(serialize_with = "as_written")]
    Number(Cow<'v, str>),
    Flag(bool),
}

fn as_written<S: Serializer>(number: &str, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(number.to_owned()).map_err(S::Error::custom)?.serialize(serializer)
}

impl OrderValue<'_> {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) | Self::Number(_) | Self::Flag(_) => None,
        }
    }

    /// The same value, which lives as long as the original.
    pub fn borrowed(&self) -> OrderValue<'_> {
        match self {
            Self::Text(text) => OrderValue::Text(Cow::Borrowed(text)),
            Self::Integer(number) => OrderValue::Integer(*number),
            Self::Number(number) => OrderValue::Number(Cow::Borrowed(number)),
            Self::Flag(flag) => OrderValue::Flag(*flag),
        }
    }

    /// The same value on its own.
    pub fn into_owned(self) -> OrderValue<'static> {
        match self {
            Self::Text(text) => OrderValue::Text(Cow::Owned(text.into_owned())),
            Self::Integer(number) => OrderValue::Integer(number),
            Self::Number(number) => OrderValue::Number(Cow::Owned(number.into_owned())),
            Self::Flag(flag) => OrderValue::Flag(flag),
        }
    }
}

impl<'v> From<&'v str> for OrderValue<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for OrderValue<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'v> From<Cow<'v, str>> for OrderValue<'v> {
    fn from(text: Cow<'v, str>) -> Self {
        Self::Text(text)
    }
}

impl From<&OrderValue<'_>> for Value {
    fn from(value: &OrderValue<'_>) -> Self {
        match value {
            OrderValue::Text(text) => text.as_ref().into(),
            OrderValue::Integer(number) => (*number).into(),
            OrderValue::Number(number) => serde_json::from_str(number).unwrap_or_default(),
            OrderValue::Flag(flag) => (*flag).into(),
        }
    }
}

//! BAPIRET2, SAP's form of messages. Pure; knows neither carts nor orders nor HTTP.

use serde::{Deserialize, Serialize};

/// The class of every message (BAPIRET2-ID, C20).
pub const CLASS: &str = "PO_WEBHOOK";

/// BAPIRET2-MESSAGE is a C220.
const MESSAGE_CHARS: usize = 220;
/// BAPIRET2-FIELD is a C30.
const FIELD_CHARS: usize = 30;
/// BAPIRET2-PARAMETER is a C32.
const PARAMETER_CHARS: usize = 32;
/// Most characters of a quoted value: a message of 220 has room for two of them and its own words.
const QUOTED_CHARS: usize = 40;

/// BAPIRET2-TYPE, C1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// Success.
    #[serde(rename = "S")]
    Success,
    /// Error: the cart is refused, or has no order.
    #[serde(rename = "E")]
    Error,
    /// Warning: a person should check; nothing is lost.
    #[serde(rename = "W")]
    Warning,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 3] = [Self::Success, Self::Error, Self::Warning];

    /// BAPIRET2-TYPE.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Success => "S",
            Self::Error => "E",
            Self::Warning => "W",
        }
    }
}

/// The subject of a message; its number (BAPIRET2-NUMBER, NUMC3) is stable and documented in `docs/messages.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageCode {
    /// A section of the cart is missing or has the wrong form.
    Section,
    /// A section has more rows than the limit.
    TooManyRows,
    /// The cart has neither a usable GUID nor a usable number.
    Identity,
    /// A row's `P_GUID` belongs to no item.
    Orphan,
    /// Two items have one number.
    RepeatedNumber,
    /// Rows of items are in a section that the mapping does not read.
    UnreadSection,
    /// A character of a text was lost before it came here.
    LostCharacter,
    /// Examples of the mapping differ from what it makes of them.
    ExamplesDiffer,
    /// A mandatory field is missing or initial.
    Missing,
    /// The conversion can't read a value.
    Unreadable,
    /// A table does not have the key.
    UnknownKey,
    /// Items that have to agree have different values.
    Disagreement,
    /// An item is a limit, and the mapping sheet does not read limits.
    Limit,
    /// Figures of the cart contradict each other.
    Implausible,
    /// An accepted cart has more warnings than its order keeps.
    FurtherWarnings,
    /// The order exists in 11VMS.
    Created,
    /// 11VMS refused the order.
    Refused,
    /// The order waits for a person.
    Parked,
    /// An order of an earlier, different cart was found in 11VMS.
    EarlierContent,
    /// 11VMS has more than one order for this id.
    Duplicate,
    /// A person settled the order: it exists in 11VMS.
    ResolvedByHand,
    /// A person settled the order: none will be sent.
    CancelledByHand,
    /// A request was refused for any other reason.
    Request,
}

impl MessageCode {
    /// BAPIRET2-NUMBER, NUMC3.
    pub const fn number(self) -> &'static str {
        match self {
            Self::Section => "001",
            Self::TooManyRows => "002",
            Self::Identity => "003",
            Self::Orphan => "004",
            Self::RepeatedNumber => "005",
            Self::UnreadSection => "030",
            Self::LostCharacter => "031",
            Self::ExamplesDiffer => "032",
            Self::Missing => "010",
            Self::Unreadable => "011",
            Self::UnknownKey => "012",
            Self::Disagreement => "013",
            Self::Limit => "014",
            Self::Implausible => "020",
            Self::FurtherWarnings => "099",
            Self::Created => "100",
            Self::Refused => "101",
            Self::Parked => "102",
            Self::EarlierContent => "103",
            Self::Duplicate => "104",
            Self::ResolvedByHand => "105",
            Self::CancelledByHand => "106",
            Self::Request => "900",
        }
    }

    const fn severity(self) -> Severity {
        match self {
            Self::Created | Self::ResolvedByHand => Severity::Success,
            Self::UnreadSection
            | Self::LostCharacter
            | Self::ExamplesDiffer
            | Self::Implausible
            | Self::FurtherWarnings
            | Self::EarlierContent
            | Self::Duplicate
            | Self::CancelledByHand => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// One BAPIRET2 message. Every text is cut to the length of its SAP field, in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// TYPE C1.
    #[serde(rename = "type")]
    pub severity: Severity,
    /// ID C20: the message class.
    pub id: String,
    /// NUMBER NUMC3.
    pub number: String,
    /// MESSAGE C220.
    pub message: String,
    /// ROW INT4: the item's position in the cart as sent, counted from 1; 0 is the header.
    pub row: usize,
    /// FIELD C30: the SAP field name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// PARAMETER C32: the section of the cart (HEADER, ITEM, …).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parameter: String,
}

impl Message {
    /// A message about the order or the cart as a whole.
    pub fn new(code: MessageCode, text: impl AsRef<str>) -> Self {
        Self {
            severity: code.severity(),
            id: CLASS.to_owned(),
            number: code.number().to_owned(),
            message: cut(text.as_ref(), MESSAGE_CHARS),
            row: 0,
            field: String::new(),
            parameter: String::new(),
        }
    }

    /// Adds the place in the cart: section, field and the item's position (0 = header).
    #[must_use]
    pub fn at(mut self, section: &str, field: &str, row: usize) -> Self {
        self.parameter = cut(section, PARAMETER_CHARS);
        self.field = cut(field, FIELD_CHARS);
        self.row = row;
        self
    }
}

/// The first `limit` characters, the last of them an ellipsis where something was cut.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A value as sent, quoted for a message: at most 40 characters, control characters escaped.
pub fn quoted(value: &str) -> String {
    quoted_up_to(value, QUOTED_CHARS)
}

/// The same, with another limit in characters.
pub fn quoted_up_to(value: &str, limit: usize) -> String {
    format!("\"{}\"", cut(value, limit).escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_their_sap_lengths() {
        let message = Message::new(MessageCode::Missing, "ä".repeat(300)).at(&"S".repeat(50), &"F".repeat(50), 3);
        assert_eq!(message.message.chars().count(), MESSAGE_CHARS);
        assert_eq!(message.field.chars().count(), FIELD_CHARS);
        assert_eq!(message.parameter.chars().count(), PARAMETER_CHARS);
        assert!(message.message.ends_with('…'));
    }

    #[test]
    fn short_texts_stay_as_they_are() {
        assert_eq!(Message::new(MessageCode::Created, "done").message, "done");
    }
}

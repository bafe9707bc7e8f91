//! BAPIRET2, the shape in which SAP people read messages. Pure; knows nothing of where a message comes from.

use serde::{Deserialize, Serialize};

/// Message class shown in every message (BAPIRET2-ID, C20).
pub const CLASS: &str = "PO_WEBHOOK";

const MESSAGE_CHARS: usize = 220;
const FIELD_CHARS: usize = 30;
const PARAMETER_CHARS: usize = 32;

/// BAPIRET2-TYPE, C1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// Success.
    #[serde(rename = "S")]
    Success,
    /// Error: the cart was not taken, or not ordered.
    #[serde(rename = "E")]
    Error,
    /// Warning: look at it, nothing is lost.
    #[serde(rename = "W")]
    Warning,
}

/// What a message is about; the number (BAPIRET2-NUMBER, NUMC3) is stable and documented in `docs/messages.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageCode {
    /// A section of the cart is missing or has the wrong shape.
    Section,
    /// A section has more rows than the service takes.
    TooManyRows,
    /// Neither a usable GUID nor a usable cart number.
    Identity,
    /// A row's `P_GUID` belongs to no item.
    Orphan,
    /// A mandatory field is missing or initial.
    Missing,
    /// A value that its conversion can't read.
    Unreadable,
    /// A key that the table doesn't have.
    UnknownKey,
    /// Items that have to agree name different values.
    Disagreement,
    /// The order exists in 11VMS.
    Created,
    /// 11VMS refused the order.
    Refused,
    /// The order waits for a person.
    Parked,
    /// An order of an earlier, different cart was found in 11VMS.
    EarlierContent,
    /// 11VMS shows more than one order for this id.
    Duplicate,
    /// A person settled the order: it exists in 11VMS.
    ResolvedByHand,
    /// A person settled the order: there will be none.
    CancelledByHand,
    /// Whatever else a request was refused for.
    Request,
}

impl MessageCode {
    const fn number(self) -> &'static str {
        match self {
            Self::Section => "001",
            Self::TooManyRows => "002",
            Self::Identity => "003",
            Self::Orphan => "004",
            Self::Missing => "010",
            Self::Unreadable => "011",
            Self::UnknownKey => "012",
            Self::Disagreement => "013",
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
            Self::EarlierContent | Self::Duplicate | Self::CancelledByHand => Severity::Warning,
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
    pub fn new(topic: MessageCode, text: impl AsRef<str>) -> Self {
        Self {
            severity: topic.severity(),
            id: CLASS.to_owned(),
            number: topic.number().to_owned(),
            message: cut(text.as_ref(), MESSAGE_CHARS),
            row: 0,
            field: String::new(),
            parameter: String::new(),
        }
    }

    /// Names the place: section, field and the item's position (0 = header).
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

/// A value as it arrived, quoted for a message: at most 40 characters, control characters escaped.
pub fn quoted(value: &str) -> String {
    const SHOWN: usize = 40;
    format!("\"{}\"", cut(value, SHOWN).escape_debug())
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

//! Values of fields: their text, ABAP's initial values, leading zeros.

use std::borrow::Cow;

use super::json::whole;

/// A field's value, with its text as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar<'c> {
    /// A JSON string without surrounding blanks.
    Text(Cow<'c, str>),
    /// A JSON number, digit for digit.
    Number(Cow<'c, str>),
    /// `true`.
    Flag,
    /// An object or a list. No field of a cart is one; it is refused only where the mapping reads it.
    Nested,
    /// Several values under names that are spellings of one name, none of them the sheet's: the names, for a message.
    Ambiguous(String),
}

impl<'c> Scalar<'c> {
    /// The value's text as sent, without surrounding blanks; a true flag is `X`, as ABAP writes it.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Flag => "X",
            Self::Nested => "{…}",
            Self::Ambiguous(names) => names,
        }
    }

    /// The text, with a number that is whole as its digits: `400555.0` and `4.00555E5` are `400555`. Middleware that
    /// guesses types writes numeric texts so.
    pub fn into_plain_text(self) -> Cow<'c, str> {
        match self {
            Self::Number(Cow::Borrowed(number)) => whole(number).unwrap_or(Cow::Borrowed(number)),
            Self::Text(text) | Self::Number(text) => text,
            Self::Flag => Cow::Borrowed("X"),
            Self::Nested => Cow::Borrowed("{…}"),
            Self::Ambiguous(names) => Cow::Owned(names),
        }
    }

    /// True for a JSON number that is not whole.
    pub fn is_fraction(&self) -> bool {
        matches!(self, Self::Number(number) if whole(number).is_none())
    }
}

/// The text without surrounding blanks. Most texts are seen to have none by their first and last bytes.
#[inline]
pub fn trimmed(text: &str) -> &str {
    let is_ink = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_ink(bytes.first()) && is_ink(bytes.last()) { text } else { text.trim() }
}

/// Empty, zero in any width, or an initial date or time (`0000-00-00`, and `--`, `::` of old patch levels).
pub fn is_initial(text: &str) -> bool {
    let text = trimmed(text);
    if matches!(text, "" | "--" | "::" | "0000-00-00" | "00:00:00") {
        return true;
    }
    let digits = text.trim_start_matches('-').trim_end_matches('-');
    let mut points = 0;
    let mut zeros = 0;
    for byte in digits.bytes() {
        match byte {
            b'0' => zeros += 1,
            b'.' => points += 1,
            _ => return false,
        }
    }
    zeros > 0 && points <= 1
}

/// Digits without their leading zeros; any other text as it is. SAP pads purely numeric ids (ALPHA conversion).
pub fn without_leading_zeros(text: &str) -> &str {
    let text = trimmed(text);
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text;
    }
    // Of zeros alone, the last one stays.
    let zeros = text.bytes().take_while(|byte| *byte == b'0').count().min(text.len().saturating_sub(1));
    text.get(zeros..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn initial_values_of_every_type_are_known() {
        for initial in ["", "  ", "0", "0000000000", "0.00", "-0", "0.00-", "--", "::", "0000-00-00", "00:00:00"] {
            assert!(is_initial(initial), "{initial:?}");
        }
        for value in ["-", ".", "A", "10", "0.01", "0A", "1-", "00-00", "0.0.0"] {
            assert!(!is_initial(value), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn leading_zeros_go_and_digits_stay(number in 1u64.., zeros in 0usize..10) {
            let padded = format!("{}{number}", "0".repeat(zeros));
            prop_assert_eq!(without_leading_zeros(&padded), number.to_string());
        }
    }
}

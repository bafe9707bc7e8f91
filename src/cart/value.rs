//! Values of fields: their text, ABAP's initial values, leading zeros.

/// A field's value, with its text as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A JSON string.
    Text(String),
    /// A JSON number, digit for digit.
    Number(String),
    /// `true`, or `false`.
    Flag(bool),
    /// An object or a list. No field of a cart is one; it is refused only where the mapping reads it.
    Nested,
}

impl Scalar {
    /// The value's text without surrounding blanks; a true flag is `X`, as ABAP writes it.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text.trim(),
            Self::Flag(true) => "X",
            Self::Flag(false) => "",
            Self::Nested => "{…}",
        }
    }

    /// ABAP's initial value. Serializers drop initial values, so initial and missing mean the same.
    pub fn is_initial(&self) -> bool {
        is_initial(self.text())
    }
}

/// Empty, zero in any width, or an initial date or time (`0000-00-00`, and `--`, `::` of old patch levels).
pub fn is_initial(text: &str) -> bool {
    let digits = text.trim().trim_start_matches('-').trim_end_matches('-');
    match text.trim() {
        "" | "--" | "::" | "0000-00-00" | "00:00:00" => true,
        _ => digits.contains('0') && digits.chars().all(|c| c == '0' || c == '.') && digits.matches('.').count() <= 1,
    }
}

/// Digits without their leading zeros; any other text as it is. SAP pads purely numeric ids (ALPHA conversion).
pub fn without_leading_zeros(text: &str) -> &str {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return text;
    }
    match text.trim_start_matches('0') {
        "" => "0",
        stripped => stripped,
    }
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

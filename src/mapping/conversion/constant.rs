//! The values that the sheet itself states: `constant:VALUE`.

use std::borrow::Cow;
use std::fmt;

use super::order_value::OrderValue;

/// Every IEEE 754 double has so many decimal digits exactly (DBL_DIG), and most readers of JSON read doubles.
const MAX_DIGITS: usize = 15;

/// Quotation marks as word processors make them of `"` and `'`.
pub const TYPOGRAPHIC_MARKS: [char; 9] = ['“', '”', '„', '‟', '‘', '’', '‚', '«', '»'];

/// A value that is the same in every order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant(OrderValue<'static>);

impl Constant {
    /// Reads what follows `constant:`: `true` and `false`, a number as JSON writes it without an exponent, a text in
    /// quotation marks, or any other text as it is.
    ///
    /// # Errors
    /// What could be meant in two ways, or not at all.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |expected: &str| Err(format!("as {:?}: expected {expected}", format!("constant:{text}")));
        Ok(Self(match text {
            "" => return wrong("a value; constant:\"\" is an empty text"),
            "true" => OrderValue::Flag(true),
            "false" => OrderValue::Flag(false),
            "null" => {
                return wrong("a value, or \"null\" in quotation marks for the text; what is not sent needs no row");
            }
            other if ["true", "false", "null"].iter().any(|word| other.eq_ignore_ascii_case(word)) => {
                return wrong("true or false in small letters, or quotation marks for the text");
            }
            marked if marked.starts_with(TYPOGRAPHIC_MARKS) => {
                return wrong("straight quotation marks (\"…\") or none: typographic ones would be sent");
            }
            number if is_json_number(number) => {
                if number.starts_with('-') && !number.contains(|c: char| matches!(c, '1'..='9')) {
                    return wrong("a zero without a sign, or quotation marks for the text");
                }
                if number.bytes().filter(u8::is_ascii_digit).count() > MAX_DIGITS {
                    return wrong("a number of at most 15 digits, or quotation marks for the text");
                }
                OrderValue::Number(Cow::Owned(number.to_owned()))
            }
            other => match other.strip_prefix('"') {
                None => other.to_owned().into(),
                Some(rest) => match rest.strip_suffix('"') {
                    Some(inside) => inside.to_owned().into(),
                    None => return wrong("a second quotation mark at the end"),
                },
            },
        }))
    }

    /// The value that the order gets.
    pub fn value(&self) -> OrderValue<'_> {
        self.0.borrowed()
    }
}

impl fmt::Display for Constant {
    /// As the sheet writes it: a text that would be read as something else is in quotation marks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            OrderValue::Flag(flag) => write!(f, "{flag}"),
            OrderValue::Integer(number) => write!(f, "{number}"),
            OrderValue::Number(number) => f.write_str(number),
            OrderValue::Text(text) => {
                let is_read_alike = Self::parse(text).is_ok_and(|read| read == *self);
                if is_read_alike { f.write_str(text) } else { write!(f, "\"{text}\"") }
            }
        }
    }
}

/// A number by the grammar of JSON (RFC 8259 §6), without an exponent: a code such as `1E5` is a text. So is `007`, which
/// JSON does not know.
fn is_json_number(text: &str) -> bool {
    let all_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, part)| (whole, Some(part)));
    all_digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(all_digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_constant_has_the_type_in_which_it_is_written() {
        for (text, json) in [
            ("true", "true"),
            ("false", "false"),
            ("10", "10"),
            ("-10", "-10"),
            ("0", "0"),
            ("10.50", "10.50"),
            ("-0.5", "-0.5"),
            (" 10 ", "10"),
            ("\"10\"", "\"10\""),
            ("\"true\"", "\"true\""),
            ("\"null\"", "\"null\""),
            ("\"\"", "\"\""),
            ("\" x \"", "\" x \""),
            ("SRM", "\"SRM\""),
            ("x:y", "\"x:y\""),
            ("19\" rack", "\"19\\\" rack\""),
            ("007", "\"007\""),
            ("1E5", "\"1E5\""),
            ("+5", "\"+5\""),
            ("1.", "\"1.\""),
            (".5", "\".5\""),
            ("1,5", "\"1,5\""),
            ("--1", "\"--1\""),
            ("123456789012345", "123456789012345"),
        ] {
            let constant = Constant::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&constant.value()).unwrap(), json, "{text}");
        }
    }

    #[test]
    fn a_constant_that_could_be_meant_otherwise_is_refused() {
        for text in ["-0", "-0.0", "-0.00", "“10”", "„10“", "‘10’", "‚10‘", "«10»", "“10", "“SRM”", "”true”"]
        {
            assert!(Constant::parse(text).unwrap_err().starts_with("as \"constant:"), "{text}");
        }
        for text in ["", "  ", "null", "NULL", "True", "FALSE", "\"10", "\"", "1234567890123456", "0.1234567890123456"]
        {
            let problem = Constant::parse(text).unwrap_err();
            assert!(problem.starts_with("as \"constant:") && problem.contains("expected "), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn a_constant_is_read_as_it_is_written(text in "[ -~]{0,12}") {
            if let Ok(constant) = Constant::parse(&text) {
                prop_assert_eq!(Constant::parse(&constant.to_string()), Ok(constant));
            }
        }
    }
}

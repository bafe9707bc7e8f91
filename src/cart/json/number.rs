//! JSON numbers by their digits: exact, whatever their length and exponent.

use std::borrow::Cow;

/// The longest whole number that is written out: no id, no code and no amount of SAP has half as many digits (the
/// exponent of a number can say billions of them).
const MAX_WHOLE_DIGITS: usize = 40;

/// A JSON number as its significant digits and an exponent: `10`, `10.0` and `1E1` are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits<'n> {
    /// A negative number other than zero.
    pub negative: bool,
    /// The digits before the point, without leading zeros.
    integer: &'n str,
    /// The digits after the point, without trailing zeros.
    fraction: &'n str,
    /// Of ten, as written.
    exponent: i64,
}

impl<'n> Digits<'n> {
    /// Takes a number apart whose grammar was checked; `None` if its exponent has more than 18 digits.
    pub fn of(number: &'n str) -> Option<Self> {
        let (negative, digits) = number.strip_prefix('-').map_or((false, number), |digits| (true, digits));
        let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let exponent = if exponent.len() <= 19 { exponent.parse().ok()? } else { return None };
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (integer, fraction) = (integer.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let zero = integer.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, integer, fraction, exponent: if zero { 0 } else { exponent } })
    }

    /// True for zero.
    pub const fn is_zero(&self) -> bool {
        self.integer.is_empty() && self.fraction.is_empty()
    }

    /// The one spelling that every spelling of the number shares: nothing for zero; a whole number as its digits, up to 40
    /// of them; else significant digits and the exponent of the last.
    pub fn write_normalised(&self, out: &mut Vec<u8>) {
        if self.is_zero() {
            return;
        }
        if self.negative {
            out.push(b'-');
        }
        if self.fraction.is_empty() && self.exponent == 0 && self.integer.len() <= MAX_WHOLE_DIGITS {
            return out.extend_from_slice(self.integer.as_bytes());
        }
        let start = out.len();
        out.extend_from_slice(self.integer.as_bytes());
        out.extend_from_slice(self.fraction.as_bytes());
        let leading = out.iter().skip(start).take_while(|digit| **digit == b'0').count();
        out.drain(start..start + leading);
        let trailing = out.iter().skip(start).rev().take_while(|digit| **digit == b'0').count();
        out.truncate(out.len() - trailing);
        let exponent = i128::from(self.exponent) - self.fraction.len() as i128 + trailing as i128;
        let digits = (out.len() - start) as i128 + exponent;
        match usize::try_from(exponent) {
            Ok(zeros) if digits <= MAX_WHOLE_DIGITS as i128 => out.extend(std::iter::repeat_n(b'0', zeros)),
            _ => out.extend_from_slice(format!("E{exponent}").as_bytes()),
        }
    }
}

/// The digits of a number that is whole: `400555.0`, `4.00555E5` and `400555` are `400555`. `None` for a fraction, and
/// for more than 40 digits in another spelling than plain digits.
pub fn whole(number: &str) -> Option<Cow<'_, str>> {
    let (sign, plain) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Cow::Borrowed(if plain == "0" { plain } else { number }));
    }
    let digits = Digits::of(number)?;
    if digits.is_zero() {
        return Some(Cow::Borrowed("0"));
    }
    if digits.exponent == 0 && digits.fraction.is_empty() {
        return number.split('.').next().map(Cow::Borrowed);
    }
    let moved = digits.exponent;
    let all = [digits.integer, digits.fraction].concat();
    let point = i64::try_from(digits.integer.len()).ok()?.checked_add(moved)?;
    let length = i64::try_from(all.len()).ok()?;
    if point < 1 || usize::try_from(point).ok()? > MAX_WHOLE_DIGITS {
        return None;
    }
    let point_at = usize::try_from(point.min(length)).ok()?;
    let (before, after) = (all.get(..point_at)?, all.get(point_at..)?);
    if after.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let zeros = usize::try_from((point - length).max(0)).ok()?;
    let text = format!("{before}{}", "0".repeat(zeros));
    let text = text.trim_start_matches('0');
    (!text.is_empty()).then(|| Cow::Owned(format!("{sign}{text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_its_digits_in_any_spelling() {
        for (number, expected) in [
            ("400555", Some("400555")),
            ("400555.0", Some("400555")),
            ("400555.000", Some("400555")),
            ("4.00555E5", Some("400555")),
            ("4.00555e+5", Some("400555")),
            ("3.0E9", Some("3000000000")),
            ("3.000000013E9", Some("3000000013")),
            ("4005550E-1", Some("400555")),
            ("0.019E3", Some("19")),
            ("-5.0", Some("-5")),
            ("0", Some("0")),
            ("-0", Some("0")),
            ("-0.0", Some("0")),
            ("0E9", Some("0")),
            (
                "12345678901234567890123456789012345678901234567890",
                Some("12345678901234567890123456789012345678901234567890"),
            ),
            ("1.5", None),
            ("4.00555E4", None),
            ("1E-1", None),
            ("1E41", None),
            ("1E999999999999999999999999", None),
            ("0.5E0", None),
        ] {
            assert_eq!(whole(number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn every_spelling_of_a_number_is_normalised_to_one() {
        let normalised = |number: &str| {
            let mut out = Vec::new();
            Digits::of(number).unwrap().write_normalised(&mut out);
            String::from_utf8(out).unwrap()
        };
        for (expected, spellings) in [
            ("10", &["10", "10.0", "10.00", "1E1", "1.0e+1", "100E-1", "0.1E2"][..]),
            ("1005E-2", &["10.05", "10.050", "1.005E1", "0.1005e2"][..]),
            ("-1", &["-1", "-1.0", "-10E-1"][..]),
            ("", &["0", "-0", "0.0", "0E5", "-0.00"][..]),
            ("1E41", &["1E41", "10E40", "100000000000000000000000000000000000000000"][..]),
            ("123456789012345678901234567890123456789", &["123456789012345678901234567890123456789.0"][..]),
        ] {
            for spelling in spellings {
                assert_eq!(normalised(spelling), expected, "{spelling}");
            }
        }
    }
}

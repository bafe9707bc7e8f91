//! Exact decimals: reading, shifting, writing.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::cart::trimmed;

/// A decimal as SAP writes it: sign in front or at the end, padded with blanks, or with an exponent (JSON numbers).
/// `None` where digits would be lost: more than rust_decimal's 28, or a thousands separator.
pub fn parse(text: &str) -> Option<Decimal> {
    let text = trimmed(text);
    let (negative, digits) = match (text.strip_suffix('-'), text.strip_prefix('-')) {
        (Some(digits), None) => (true, digits.trim_end()),
        (None, Some(digits)) => (true, digits),
        (None, None) => (false, text),
        (Some(_), Some(_)) => return None,
    };
    if let Some(number) = short(digits) {
        return Some(if negative { -number } else { number });
    }
    let number = match digits.find(['e', 'E']) {
        None => Decimal::from_str_exact(digits),
        // rust_decimal rounds the mantissa of this notation: one that is not exact is refused before.
        Some(at) => {
            Decimal::from_str_exact(digits.get(..at)?).ok()?;
            Decimal::from_scientific(digits)
        }
    };
    let number = number.ok().filter(|_| is_plain_number(digits))?;
    Some(if negative { -number } else { number })
}

/// Digits with at most one point inside, as many as 64 bits hold: nearly every number is one.
fn short(digits: &str) -> Option<Decimal> {
    let bytes = digits.as_bytes();
    if bytes.len() > MAX_SHORT_CHARS || !bytes.first()?.is_ascii_digit() || !bytes.last()?.is_ascii_digit() {
        return None;
    }
    let mut mantissa: i64 = 0;
    let mut point = None;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let scale = point.map_or(0, |point| bytes.len() - point - 1);
    Some(Decimal::new(mantissa, u32::try_from(scale).ok()?))
}

/// Any number of so many digits fits into 64 bits.
const MAX_SHORT_CHARS: usize = 18;

/// The shortest notation of a decimal as SAP writes it; `None` where [`parse`] has none. Plain digits are not parsed.
pub fn shortest(text: &str) -> Option<Cow<'_, str>> {
    plain(text).map(Cow::Borrowed).or_else(|| parse(text).map(to_text).map(Cow::Owned))
}

/// The shortest notation of digits without sign and exponent, a part of them; `None` for any other text.
fn plain(text: &str) -> Option<&str> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
    let is_plain = !whole.is_empty() && !has_leading_zero && all_digits(whole) && all_digits(fraction);
    if !is_plain || text.len() > MAX_PLAIN_CHARS || (fraction.is_empty() && text.ends_with('.')) {
        return None;
    }
    let shortest = if fraction.is_empty() { text } else { text.trim_end_matches('0').trim_end_matches('.') };
    Some(shortest)
}

/// Any number of so many digits and a point is exact in rust_decimal.
const MAX_PLAIN_CHARS: usize = 29;

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
pub fn to_text(number: Decimal) -> String {
    if number.is_zero() { "0".to_owned() } else { number.normalize().to_string() }
}

/// A whole number of 64 bits; `None` for any other.
pub fn parse_integer(text: &str) -> Option<i64> {
    let number = parse(text)?.normalize();
    if number.scale() == 0 { i64::try_from(number.mantissa()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            prop_assert_eq!(parse(&text).map(to_text), Some(expected.clone()));
            prop_assert_eq!(parse(&trailing).map(to_text), Some(expected));
        }

        #[test]
        fn what_is_not_parsed_is_as_if_it_were(text in "[0-9]{0,16}(\\.[0-9]{0,16})?") {
            prop_assert_eq!(shortest(&text).map(Cow::into_owned), parse(&text).map(to_text));
        }

        #[test]
        fn a_short_number_is_the_same_read_as_a_long_one(text in "[0-9.]{0,20}") {
            let long = Decimal::from_str_exact(&text).ok().filter(|_| is_plain_number(&text));
            let short = parse(&text);
            prop_assert_eq!(short.map(|number| (number, number.scale())), long.map(|number| (number, number.scale())));
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
        fn an_exponent_is_exact_or_refused(mantissa in 1u64..1_000_000, exponent in -40i32..40) {
            if let Some(number) = parse(&format!("{mantissa}E{exponent}")) {
                let back = parse(&to_text(number)).unwrap();
                prop_assert_eq!(back, number);
                prop_assert!(!number.is_zero(), "{}E{} lost its digits", mantissa, exponent);
            }
        }
    }
}

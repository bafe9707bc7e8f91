//! Exact decimals: reading, shifting, writing.

use rust_decimal::Decimal;

/// A decimal as SAP writes it: sign in front or at the end, padded with blanks, or with an exponent (JSON numbers).
/// `None` where digits would be lost: more than rust_decimal's 28, or a thousands separator.
pub fn parse(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (negative, digits) = match (text.strip_suffix('-'), text.strip_prefix('-')) {
        (Some(digits), None) => (true, digits.trim_end()),
        (None, Some(digits)) => (true, digits),
        (None, None) => (false, text),
        (Some(_), Some(_)) => return None,
    };
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

/// The digits of a JSON number that is whole: `400555` for `400555.0` and `4.00555E5`; `None` for any other.
pub fn whole_number(text: &str) -> Option<String> {
    // Digits alone stay as they are, as many as there are.
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.to_owned());
    }
    let number = parse(text)?.normalize();
    (number.scale() == 0).then(|| to_text(number))
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

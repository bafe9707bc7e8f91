//! The fingerprint of a cart's content, the same for every serializer.

use rust_decimal::Decimal;

use super::guid::guid;
use super::name::Name;
use super::sections::{Cart, Row};
use super::value::{Scalar, is_initial};
use crate::digest::sha256_hex;

impl Cart {
    /// SHA-256 over the cart's normalised content, as hex. Spelling, field order, row order, serializer and initial
    /// values make no difference.
    pub fn fingerprint(&self) -> String {
        let mut lines = vec![row("HEADER", &self.header)];
        for (section, rows) in &self.sections {
            let Ok(rows) = rows else { continue };
            let mut rows: Vec<String> = rows.iter().map(|r| row(section.as_str(), r)).collect();
            rows.sort();
            lines.extend(rows);
        }
        sha256_hex(lines.join("\n").as_bytes())
    }
}

fn row(section: &str, row: &Row) -> String {
    let fields = row.fields.iter().filter_map(|(name, value)| Some(format!("{name}={:?}", content(name, value)?)));
    format!("{section} {}", fields.collect::<Vec<_>>().join(" "))
}

/// `None` where the field is initial or can't be mapped anyway.
fn content(name: &Name, value: &Scalar) -> Option<String> {
    let text = value.text();
    if matches!(value, Scalar::Nested) || is_initial(text) {
        return None;
    }
    if name.as_str().ends_with("GUID")
        && let Some(guid) = guid(text)
    {
        return (!is_initial(&guid)).then_some(guid);
    }
    // A text that looks like a number may be a code, in which every digit counts: 0010 is not 10, 1.1 is not 1.10.
    let number = matches!(value, Scalar::Number(_)).then(|| number(text)).flatten();
    Some(date(text).or(number).unwrap_or_else(|| text.to_owned()))
}

/// `2025-01-31` and `20250131` are one date.
fn date(text: &str) -> Option<String> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let digits = [(year, 4), (month, 2), (day, 2)];
    digits
        .iter()
        .all(|(part, width)| part.len() == *width && part.bytes().all(|b| b.is_ascii_digit()))
        .then(|| format!("{year}{month}{day}"))
}

/// `10`, `10.0` and `10.00` are one number; one that would lose digits stays as it is.
fn number(text: &str) -> Option<String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    let number = Decimal::from_str_exact(text).ok().filter(|_| plain)?;
    Some(number.normalize().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(json: &str) -> String {
        Cart::parse(json).unwrap().fingerprint()
    }

    #[test]
    fn serializer_spelling_and_order_do_not_change_the_fingerprint() {
        let plain = fingerprint(
            r#"{"CART":{"HEADER":{"GUID":"AFBWogfIHtG/xraecvUFUA==","POSTING_DATE":"2025-01-31","FLAG":"X"},
            "ITEM":[{"NUMBER_INT":1,"PRICE":10.50,"DEL_IND":""},{"NUMBER_INT":2}]}}"#,
        );
        let other = fingerprint(
            r#"{"item":[{"numberInt":2},{"price":10.5,"numberInt":1}],
            "header":{"flag":true,"postingDate":"20250131","guid":"005056A207C81ED1BFC6B69E72F50550"}}"#,
        );
        assert_eq!(plain, other);
    }

    #[test]
    fn a_changed_value_changes_the_fingerprint() {
        let cart =
            |price: &str| fingerprint(&format!(r#"{{"HEADER":{{"OBJECT_ID":"1"}},"ITEM":[{{"PRICE":{price}}}]}}"#));
        assert_ne!(cart("10.50"), cart("10.51"));
    }

    #[test]
    fn zeros_of_a_code_are_part_of_the_content() {
        let cart = |code: &str| fingerprint(&format!(r#"{{"HEADER":{{"OBJECT_ID":"1","CO_CODE":"{code}"}}}}"#));
        assert_ne!(cart("0010"), cart("10"));
        assert_ne!(cart("1.10"), cart("1.1"));
        assert_ne!(cart("10_00"), cart("1000"));
        assert_ne!(cart("1.00000000000000000000000000001"), cart("1.00000000000000000000000000002"));
    }

    #[test]
    fn a_value_can_not_imitate_a_neighbour() {
        assert_ne!(fingerprint(r#"{"HEADER":{"A":"x\" B=\"y"}}"#), fingerprint(r#"{"HEADER":{"A":"x","B":"y"}}"#));
    }
}

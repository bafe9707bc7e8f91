//! A purchase order's number: what can be one, and where a response has it.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::cart::hex_guid;

/// SAP's numbers have 10 characters, others' a few more.
const MAX_CHARS: usize = 64;

/// Words that stand for a number that is not there (yet).
const PLACEHOLDERS: [&str; 11] =
    ["null", "nil", "none", "nan", "n/a", "undefined", "unknown", "pending", "tbd", "true", "false"];

/// The number at a pointer. An integer counts; one beyond 64 bits has lost digits, and one with a fraction is no number
/// of an order.
pub fn number_at(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) => number(text),
        Value::Number(integer) if integer.is_u64() => number(&integer.to_string()),
        _ => None,
    }
}

/// The number at the end of a `Location` (RFC 9110 §10.2.2): the last segment of its path, or OData's key in parentheses.
///
/// A GUID is the key of a record, or our own id; a word without a digit is the name of a collection.
pub fn number_in_location(location: &str) -> Option<String> {
    let key = key_in_location(location)?;
    number(&key).filter(|number| number.chars().any(|c| c.is_ascii_digit()) && hex_guid(number).is_none())
}

/// What a `Location` names last: the last segment of its path, absolute or relative, percent-decoded; of OData's the key.
pub fn key_in_location(location: &str) -> Option<String> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let segment = path.trim_end_matches('/').rsplit('/').next()?;
    let segment = percent_decode_str(segment).decode_utf8().ok()?;
    Some(key_in_parentheses(&segment).unwrap_or(&segment).to_owned())
}

/// `4500001234` of `PurchaseOrders('4500001234')`, `PurchaseOrders(4500001234)` and `PurchaseOrders(Number='4500001234')`;
/// empty for a key of several parts, which is no number.
fn key_in_parentheses(segment: &str) -> Option<&str> {
    let (_, key) = segment.strip_suffix(')')?.split_once('(')?;
    if key.contains(',') {
        return Some("");
    }
    let value = key.split_once('=').map_or(key, |(_, value)| value);
    Some(value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).unwrap_or(value))
}

/// The text as a number, if it can be one: zeros alone, and words such as `null`, are none.
fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let is_short = (1..=MAX_CHARS).contains(&text.chars().count());
    let says_something = text.chars().any(|c| c.is_alphanumeric() && c != '0');
    let is_word = PLACEHOLDERS.iter().any(|word| text.eq_ignore_ascii_case(word));
    (is_short && says_something && !is_word && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_a_text_or_an_integer_that_says_something() {
        let read = |value: Value| number_at(&json!({ "poNumber": value }), "/poNumber");
        for (value, expected) in [
            (json!("4500001234"), "4500001234"),
            (json!(" 4500001234 "), "4500001234"),
            (json!("PO-0007/A"), "PO-0007/A"),
            (json!("a0X5e000001AbCdEAK"), "a0X5e000001AbCdEAK"),
            (json!(45), "45"),
            (json!("0000000045"), "0000000045"),
            (json!(u64::MAX), "18446744073709551615"),
        ] {
            assert_eq!(read(value.clone()).as_deref(), Some(expected), "{value}");
        }
        for value in [
            json!(0),
            json!(-1),
            json!(4.5),
            json!(45.0),
            json!(1e20),
            json!(true),
            json!(null),
            json!([]),
            json!(["45"]),
            json!({ "value": "45" }),
            json!(""),
            json!("  "),
            json!("0"),
            json!("0000000000"),
            json!("0.00"),
            json!("00000000-0000-0000-0000-000000000000"),
            json!("null"),
            json!("None"),
            json!("undefined"),
            json!("N/A"),
            json!("-"),
            json!("45\r\n46"),
            json!("4".repeat(65)),
        ] {
            assert_eq!(read(value.clone()), None, "{value}");
        }
        assert_eq!(number_at(&json!({ "orders": [{ "no": "45" }] }), "/orders/0/no").as_deref(), Some("45"));
        assert_eq!(number_at(&json!([{ "no": "45" }]), "/0/no").as_deref(), Some("45"));
    }

    #[test]
    fn the_end_of_a_location_may_be_a_number() {
        for (location, expected) in [
            ("/api/purchase-orders/4500001234", Some("4500001234")),
            ("https://vms.example/api/purchase-orders/4500001234", Some("4500001234")),
            ("https://vms.example/api/purchase-orders/4500001234/?expand=lines#top", Some("4500001234")),
            ("4500001234", Some("4500001234")),
            ("../purchase-orders/PO%2D7%20A", Some("PO-7 A")),
            ("/odata/PurchaseOrders('4500001234')", Some("4500001234")),
            ("/odata/PurchaseOrders(4500001234)", Some("4500001234")),
            ("/odata/PurchaseOrders(Number=%274500001234%27)", Some("4500001234")),
            ("/odata/PurchaseOrders(Number='4500001234',Item='10')", None),
            ("/api/purchase-orders", None),
            ("/api/purchase-orders/", None),
            ("/api/purchase-orders/0", None),
            ("/api/purchase-orders/005056a2-07c8-1ed1-bfc6-b69e72f50550", None),
            ("/api/purchase-orders/%ff", None),
            ("https://vms1.example", None),
            ("https://vms1.example/", None),
            ("/login?number=4500001234", None),
            ("", None),
        ] {
            assert_eq!(number_in_location(location).as_deref(), expected, "{location}");
        }
    }
}

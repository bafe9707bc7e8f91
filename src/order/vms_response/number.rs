//! A purchase order's number: what can be one, and where a response has it.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::cart::hex_guid;

/// SAP's numbers have 10 characters, others' a few more.
const MAX_CHARS: usize = 64;

/// Letters of a collection's name that tell it from others: `orders` of `purchase-orders`.
const MIN_COLLECTION_LETTERS: usize = 4;

/// The number at a pointer. An integer counts; one beyond 64 bits has lost digits, and one with a fraction is no number
/// of an order.
pub fn number_at(body: &Value, pointer: &str) -> Option<String> {
    match body.pointer(pointer)? {
        Value::String(text) => number(text),
        Value::Number(integer) if integer.is_u64() => number(&integer.to_string()),
        _ => None,
    }
}

/// The number at the first pointer that an entry knows: a further one counts only if the first part of the others is
/// missing. An order that has no number yet has it nowhere else.
pub fn number_at_one_of(entry: &Value, pointers: &[String]) -> Option<String> {
    let is_known = |pointer: &&String| {
        let first = pointer.split('/').nth(1).unwrap_or_default();
        entry.pointer(&format!("/{first}")).is_some()
    };
    pointers.iter().find(is_known).and_then(|pointer| number_at(entry, pointer))
}

/// The number at the end of a `Location` (RFC 9110 §10.2.2): the last segment of its path, or OData's key in parentheses.
///
/// It has to lead below `collection`, or be the last segment alone. A GUID is the key of a record, or our own id; a word
/// without a digit is the name of a collection, and `v2` the version of an API. Parameters of a segment (RFC 3986 §3.3) and
/// the ending of a file are no part of a number.
pub fn number_in_location(location: &str, collection: Option<&str>) -> Option<String> {
    let path = path_of(location);
    let key = key_in_location(location)?;
    let is_child = is_key_of_odata(path) || is_below(path, collection);
    let is_plain = |number: &str| !number.contains([';', '=', '&', '{', '}']) && !is_file(number);
    number(&key).filter(|number| is_child && hex_guid(number).is_none() && !is_version(number) && is_plain(number))
}

/// What a `Location` names last: the last segment of its path, absolute or relative, percent-decoded; of OData's the key.
pub fn key_in_location(location: &str) -> Option<String> {
    let segment = path_of(location).trim_end_matches('/').rsplit('/').next()?;
    let segment = percent_decode_str(segment).decode_utf8().ok()?;
    Some(key_in_parentheses(&segment).unwrap_or(&segment).to_owned())
}

/// The path, without scheme, host, query and fragment.
fn path_of(location: &str) -> &str {
    let address = location.split(['?', '#']).next().unwrap_or_default();
    let behind_host = |rest: &'_ str| rest.find('/').map_or(rest.len(), |at| at);
    match address.split_once("://").map(|(_, rest)| rest).or_else(|| address.strip_prefix("//")) {
        Some(rest) => rest.get(behind_host(rest)..).unwrap_or_default(),
        None => address,
    }
}

/// Whether the last segment is OData's: a set with a key in parentheses.
fn is_key_of_odata(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|segment| segment.ends_with(')') && !segment.starts_with('('))
}

/// Whether the last segment is a child of the collection; a segment alone is one, unless a slash says that it is a
/// collection itself.
fn is_below(path: &str, collection: Option<&str>) -> bool {
    let mut segments = path.trim_end_matches('/').rsplit('/');
    match segments.nth(1) {
        None | Some(".") => !path.ends_with('/'),
        Some(parent) => collection.is_some_and(|collection| is_same_collection(parent, collection)),
    }
}

/// Whether two names are of one collection: in any spelling, in the singular too, and one may be the end of the other
/// (`orders`, `purchase-orders`).
fn is_same_collection(one: &str, other: &str) -> bool {
    let letters = |name: &str| {
        let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        plain.strip_suffix('s').map(str::to_owned).unwrap_or(plain)
    };
    let (one, other) = (letters(one), letters(other));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short == long && !short.is_empty() || short.chars().count() >= MIN_COLLECTION_LETTERS && long.ends_with(&short)
}

/// `v2`, `V61.0`: the version of an API.
fn is_version(text: &str) -> bool {
    let rest = text.strip_prefix(['v', 'V']);
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

/// `45.json`
fn is_file(text: &str) -> bool {
    [".json", ".xml", ".html"].iter().any(|ending| text.to_ascii_lowercase().ends_with(ending))
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

/// What stands for a secret that an answer has repeated: nobody knows what was there.
const HIDDEN: &str = "***";

/// The text as a number, if it can be one: it has a digit. Zeros alone are none, nor is a negative number.
fn number(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let is_whole = !text.contains(HIDDEN);
    let is_short = (1..=MAX_CHARS).contains(&text.chars().count());
    let says_something = text.chars().any(|c| c.is_alphanumeric() && c != '0');
    let has_digit = text.chars().any(|c| c.is_ascii_digit()) && !text.starts_with('-');
    let is_unseen = |c: char| c.is_control() || is_invisible(c) || c.is_whitespace() && c != ' ';
    (is_short && is_whole && says_something && has_digit && !text.chars().any(is_unseen)).then(|| text.to_owned())
}

/// Characters without a look of their own (Unicode's Cf and the like), and the one for what could not be read: nobody can
/// type a number that has one.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}'
    )
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
            (json!("\u{feff}45\u{200b}\u{a0}"), "45"),
            (json!("PO 7 A"), "PO 7 A"),
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
            json!("-45"),
            json!("CREATED"),
            json!("PO-ABC"),
            json!("see the list"),
            json!("***-45"),
            json!("45\r\n46"),
            json!("45\t46"),
            json!("45\u{0}"),
            json!("45\u{200b}46"),
            json!("45\u{a0}46"),
            json!("45\u{202e}46"),
            json!("45\u{2028}46"),
            json!("45\u{fffd}46"),
            json!("\u{200b}"),
            json!("0 0"),
            json!("-0"),
            json!("\u{ff14}\u{ff15}"),
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
            ("/api/purchase-orders/45;v=1", None),
            ("/api/purchase-orders/45.json", None),
            ("/api/purchase-orders/{id}7", None),
            ("/api/purchase-orders/45%E2%80%8B46", None),
            ("/api/purchase-orders/45%0D%0A46", None),
            ("/api/purchase-orders/005056a2-07c8-1ed1-bfc6-b69e72f50550", None),
            ("/api/purchase-orders/%ff", None),
            ("/api/v2", None),
            ("/api/v61.0/", None),
            ("v2", None),
            ("/api/purchase-orders/v2", None),
            ("4500001234/", None),
            ("/api/purchase-orders2/", None),
            ("/jobs/4711", None),
            ("/api/purchase-orders/4500001234/lines/7", None),
            ("/4500001234", None),
            ("//vms.example/api/purchase-orders/4500001234", Some("4500001234")),
            ("//vms1.example", None),
            ("./4500001234", Some("4500001234")),
            ("/PurchaseOrder/4500001234", Some("4500001234")),
            ("/orders/4500001234", Some("4500001234")),
            ("/s/4500001234", None),
            ("https://vms1.example", None),
            ("https://vms1.example/", None),
            ("/login?number=4500001234", None),
            ("", None),
        ] {
            assert_eq!(number_in_location(location, Some("purchase-orders")).as_deref(), expected, "{location}");
        }
    }
}

//! The fingerprint of a cart's content, the same for every serializer.

use std::ops::Range;

use super::guid::{GuidBytes, guid_bytes};
use super::json::{Digits, Form, Value, whole};
use super::name::folded;
use super::sections::{Cart, Row};
use super::shape::is_metadata;
use super::standard::STANDARD;
use super::value::without_leading_zeros;
use crate::digest::sha256_hex_of_parts;

/// How a fingerprint begins whose rules are the ones of this file. Fingerprints of other versions never equal it, so
/// that carts are compared by what they are mapped to. The first version had no number.
const VERSION: &str = "2:";

/// SAP's standard fields of type NUMC, in folded form: cl_json writes them as numbers, other serializers with their
/// zeros. Zeros of other texts count: the code 0010 is not 10.
const NUMC_FIELDS: [&str; 3] = ["NUMBERINT", "ACCNO", "PARTNERFCT"];

/// Initial values of DATS and TIMS, which a serializer may drop.
const INITIAL_MOMENTS: [&str; 4] = ["--", "::", "0000-00-00", "00:00:00"];

impl Cart<'_> {
    /// SHA-256 over the cart's normalised content, as hex after a version. Spelling, field order, row order, nesting,
    /// serializer and initial values make no difference. Texts of zeros are values: they may be codes.
    pub fn fingerprint(&self) -> String {
        let mut writer = RowWriter { bytes: Vec::with_capacity(4096), fields: Vec::with_capacity(64) };
        let mut rows = vec![writer.row("HEADER", self.header(), Owner::Unknown)];
        let items: usize = self
            .all_parts()
            .filter(|(part, place, _)| part.item.is_none() && place.is_named(&STANDARD.item))
            .map(|(.., rows)| rows.count())
            .sum();
        for (part, place, section) in self.all_parts() {
            let owner = match part.item.map(|item| Row { value: self.document.value(item) }) {
                Some(item) => Owner::Item { row: item, is_only: items == 1 },
                None => Owner::Named,
            };
            let name = place.name();
            rows.extend(section.map(|value| writer.row(&name, Row { value }, owner)));
        }
        let part = |range: &Range<usize>| writer.bytes.get(range.clone()).unwrap_or_default();
        rows.sort_unstable_by(|left, right| part(left).cmp(part(right)));
        format!("{VERSION}{}", sha256_hex_of_parts(rows.iter().map(part)))
    }
}

/// What is known of the owner of a row.
#[derive(Clone, Copy)]
enum Owner<'c> {
    /// Nothing: it has none, or can't be told by a GUID.
    Unknown,
    /// The row may name it.
    Named,
    /// The row is nested in it.
    Item { row: Row<'c>, is_only: bool },
}

/// Writes rows one after the other, each so that no other content can imitate it: texts have their length before them.
struct RowWriter<'c> {
    bytes: Vec<u8>,
    /// The fields of the row that is being written.
    fields: Vec<Value<'c>>,
}

impl<'c> RowWriter<'c> {
    fn row(&mut self, section: &str, row: Row<'c>, owner: Owner<'c>) -> Range<usize> {
        let start = self.bytes.len();
        self.framed(|bytes| bytes.extend(folded(section)));
        self.owner(row, owner);
        self.fields.clear();
        let is_owner = |field: &Value<'_>| !matches!(owner, Owner::Unknown) && field.is_named(&STANDARD.p_guid);
        let fields = row.value.inside().filter(|field| !is_metadata(*field) && !is_owner(field));
        self.fields.extend(fields);
        self.fields.sort_unstable_by(|left, right| {
            left.name_hash().cmp(&right.name_hash()).then_with(|| left.name().cmp(&right.name()))
        });
        for index in 0..self.fields.len() {
            if let Some(field) = self.fields.get(index).copied() {
                self.field(index, field);
            }
        }
        let end = self.bytes.len();
        start..end
    }

    /// The owner of a nested row is written as its `P_GUID` would be.
    fn owner(&mut self, row: Row<'c>, owner: Owner<'c>) {
        match owner {
            Owner::Unknown => self.framed(|_| {}),
            Owner::Named => {
                let guid = row.value.inside().find(|field| field.is_named(&STANDARD.p_guid));
                self.framed(|bytes| guid.into_iter().for_each(|guid| write_content(bytes, guid)));
            }
            Owner::Item { row: item, is_only } => {
                let guid = item.value.inside().find(|field| field.is_named(&STANDARD.guid));
                let start = self.bytes.len();
                self.framed(|bytes| guid.into_iter().for_each(|guid| write_content(bytes, guid)));
                let is_known = self.bytes.len() > start + LENGTH_BYTES;
                if !is_known && !is_only {
                    // Only its content tells the item from the others.
                    self.row("ITEM", item, Owner::Named);
                }
            }
        }
    }

    /// Nothing is written of a field that is initial or can't be mapped anyway.
    fn field(&mut self, index: usize, field: Value<'c>) {
        let start = self.bytes.len();
        let name = field.name();
        let beside = |other: Option<usize>| {
            let other = other.and_then(|other| self.fields.get(other));
            other.is_some_and(|other| other.name_hash() == field.name_hash() && folded(&other.name()).eq(folded(&name)))
        };
        // Of two spellings of one name, each is a field of its own.
        let is_shared = beside(index.checked_sub(1)) || beside(Some(index + 1));
        self.framed(|bytes| if is_shared { bytes.extend(name.bytes()) } else { bytes.extend(folded(&name)) });
        let content = self.bytes.len();
        self.framed(|bytes| write_content(bytes, field));
        if self.bytes.len() == content + LENGTH_BYTES {
            self.bytes.truncate(start);
        }
    }

    fn framed(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; LENGTH_BYTES]);
        write(&mut self.bytes);
        let length = self.bytes.len() - start - LENGTH_BYTES;
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        if let Some(place) = self.bytes.get_mut(start..start + LENGTH_BYTES) {
            place.copy_from_slice(&length);
        }
    }
}

/// Bytes of the length before each text.
const LENGTH_BYTES: usize = 4;

/// Writes a value in the one spelling that all serializers share, or nothing.
fn write_content(bytes: &mut Vec<u8>, field: Value<'_>) {
    match field.form() {
        Form::Null | Form::Flag(false) | Form::List | Form::Object => {}
        Form::Flag(true) => bytes.push(b'X'),
        Form::Number => write_number(bytes, &field.text()),
        Form::Text => write_text(bytes, &field.name(), field.text().trim()),
    }
}

/// `10`, `10.0` and `1E1` are one number, and the text `10`.
fn write_number(bytes: &mut Vec<u8>, number: &str) {
    match (Digits::of(number), whole(number)) {
        (Some(digits), _) if digits.is_zero() => {}
        (_, Some(whole)) => bytes.extend_from_slice(whole.as_bytes()),
        (Some(digits), None) => digits.write_normalised(bytes),
        (None, None) => bytes.extend_from_slice(number.as_bytes()),
    }
}

fn write_text(bytes: &mut Vec<u8>, name: &str, text: &str) {
    let midnight = text.split_once('T').filter(|(_, time)| is_midnight(time)).map_or(text, |(date, _)| date);
    if INITIAL_MOMENTS.contains(&midnight) {
        return;
    }
    let ends_with = |end: &str| {
        let name = name.as_bytes();
        name.len()
            .checked_sub(end.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    if ends_with("GUID")
        && let Some(guid) = guid_bytes(text)
    {
        if guid != GuidBytes::default() {
            bytes.extend_from_slice(&guid);
        }
        return;
    }
    if text.starts_with('0') && NUMC_FIELDS.iter().any(|numc| folded(name).eq(numc.bytes())) {
        let number = without_leading_zeros(text);
        return bytes.extend_from_slice(if number == "0" { &[] } else { number.as_bytes() });
    }
    match date(midnight) {
        Some(parts) => parts.iter().for_each(|part| bytes.extend_from_slice(part.as_bytes())),
        None => bytes.extend_from_slice(text.as_bytes()),
    }
}

/// `2025-01-31` and `20250131` are one date.
fn date(text: &str) -> Option<[&str; 3]> {
    let (year, rest) = text.split_once('-').filter(|_| text.len() == 10)?;
    let (month, day) = rest.split_once('-')?;
    let digits = [(year, 4), (month, 2), (day, 2)];
    let fits = digits.iter().all(|(part, width)| part.len() == *width && part.bytes().all(|b| b.is_ascii_digit()));
    fits.then_some([year, month, day])
}

/// `00:00:00`, with a fraction or `Z`: the time that OData adds to a date.
fn is_midnight(time: &str) -> bool {
    let time = time.strip_suffix('Z').unwrap_or(time);
    let fraction = time.strip_prefix("00:00:00");
    fraction.is_some_and(|fraction| {
        fraction.is_empty() || fraction.strip_prefix('.').is_some_and(|zeros| zeros.bytes().all(|zero| zero == b'0'))
    })
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

    /// One cart as two senders write it.
    fn same(left: &str, right: &str) -> bool {
        fingerprint(left) == fingerprint(right)
    }

    #[test]
    fn a_fingerprint_has_its_version() {
        let found = fingerprint(r#"{"HEADER":{"OBJECT_ID":"1"}}"#);
        assert!(found.starts_with("2:") && found.len() == 66, "{found}");
    }

    #[test]
    fn accounts_nested_in_their_item_are_the_same_as_beside_it() {
        let beside = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"GUID":"AFBWogfIHtG/xraecvUFUA==","N":1},{"GUID":"a0000000000000000000000000000002","N":2}],
            "ACCOUNT":[{"P_GUID":"005056a207c81ed1bfc6b69e72f50550","C":"1"},{"P_GUID":"A0000000000000000000000000000002","C":"2"}]}"#;
        let nested = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"GUID":"005056a207c81ed1bfc6b69e72f50550","N":1,"ACCOUNT":[{"C":"1"}]},
            {"GUID":"a0000000000000000000000000000002","N":2,"ACCOUNT":{"item":{"C":"2","P_GUID":"A0000000000000000000000000000002"}}}]}"#;
        assert!(same(beside, nested));
        assert!(!same(nested, &nested.replace("\"C\":\"1\"", "\"C\":\"2\"")));
        let swapped = nested.replace("\"C\":\"1\"", "\"C\":\"x\"").replace("\"C\":\"2\"", "\"C\":\"1\"");
        assert!(!same(nested, &swapped.replace("\"C\":\"x\"", "\"C\":\"2\"")));
    }

    #[test]
    fn accounts_of_items_without_a_guid_belong_to_their_item() {
        let cart = |first: &str, second: &str| {
            format!(
                r#"{{"HEADER":{{"OBJECT_ID":"1"}},"ITEM":[{{"N":1,"ACCOUNT":[{{"C":"{first}"}}]}},{{"N":2,"ACCOUNT":[{{"C":"{second}"}}]}}]}}"#
            )
        };
        assert!(!same(&cart("a", "b"), &cart("b", "a")));
        let only = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"N":1,"ACCOUNT":[{"C":"1"}]}]}"#;
        let beside = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"N":1}],"ACCOUNT":[{"C":"1"}]}"#;
        assert!(same(only, beside));
    }

    #[test]
    fn what_serializers_write_differently_is_the_same_and_nothing_else() {
        let cart = |field: &str| format!(r#"{{"HEADER":{{"OBJECT_ID":"1",{field}}}}}"#);
        for (left, right) in [
            (r#""A":400555"#, r#""A":4.00555E5"#),
            (r#""A":"400555""#, r#""A":400555.0"#),
            (r#""NUMBER_INT":"0000000010""#, r#""numberInt":10"#),
            (r#""D":"2018-01-31T00:00:00""#, r#""D":"20180131""#),
            (r#""D":"2018-01-31T00:00:00.000Z""#, r#""D":"2018-01-31""#),
            (r#""D":"0000-00-00T00:00:00""#, r#""E":null"#),
            (r#""D":"0000-00-00""#, r#""D":"""#),
            (r#""A":0"#, r#""A":0.00"#),
            (r#""A":0"#, r#""B":false"#),
            (r#""A":"x","__metadata":{"id":1}"#, r#""A":"x ""#),
            (r#""AB":"x","A_B":"y""#, r#""A_B":"y","AB":"x""#),
            (r#""\u0041":"\u0041""#, r#""a":"A""#),
        ] {
            assert!(same(&cart(left), &cart(right)), "{left} {right}");
        }
        for (left, right) in [
            (r#""A":"00""#, r#""A":"""#),
            (r#""A":"0""#, r#""A":"00""#),
            (r#""AB":"x","A_B":"y""#, r#""A_B":"x","AB":"y""#),
            (r#""A":"x","B":"y""#, r#""A":"y","B":"x""#),
            (r#""A":1.5"#, r#""A":1.05"#),
            (r#""A":1"#, r#""A":-1"#),
            (r#""A":"2018-01-31T00:00:01""#, r#""A":"2018-01-31""#),
        ] {
            assert!(!same(&cart(left), &cart(right)), "{left} {right}");
        }
    }
}

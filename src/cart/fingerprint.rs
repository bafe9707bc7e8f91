//! The fingerprint of a cart's content, the same for every serializer.

mod content;
mod frame;
mod layout;

use std::ops::Range;

use super::json::Value;
use super::name::folded;
use super::sections::Cart;
use super::standard::STANDARD;
use crate::digest::sha256_hex;
use content::{FieldKind, write_content};
use frame::{END, LENGTH_BYTES, framed, set_length};
use layout::Layouts;

/// How a fingerprint begins whose rules are the ones of these files. Fingerprints of other versions never equal it, so
/// that carts are compared by what they are mapped to. The first version had no number.
const VERSION: &str = "4:";

/// Rows for which places are reserved: a cart of ten items.
const USUAL_ROWS: usize = 64;

/// Fields for which places are reserved: rows of SRM have 30 to 200.
const USUAL_FIELDS: usize = 64;

impl Cart<'_> {
    /// SHA-256 over the cart's normalised content, as hex after a version. Spelling, field order, row order, nesting,
    /// serializer and initial values make no difference. Texts of zeros are values: they may be codes.
    pub fn fingerprint(&self) -> String {
        let mut writer = RowWriter {
            bytes: Vec::with_capacity(self.document.len() * 3 / 2),
            layouts: Layouts::default(),
            fields: Vec::with_capacity(USUAL_FIELDS),
        };
        let mut rows = Vec::with_capacity(USUAL_ROWS);
        rows.push(writer.row("HEADER", self.header().value, Owner::Unknown));
        let is_only = self.parts.iter().any(|part| part.item.is_some()) && self.has_one_item();
        for (part, place, section) in self.all_parts() {
            let owner = match part.item.map(|item| self.document.value(item)) {
                Some(item) => Owner::Item { item, is_only },
                None => Owner::Named,
            };
            let name = place.name();
            rows.extend(section.map(|value| writer.row(&name, value, owner)));
        }
        let part = |range: &Range<usize>| writer.bytes.get(range.clone()).unwrap_or_default();
        rows.sort_unstable_by(|left, right| part(left).cmp(part(right)));
        // One text for the digest: hashing many small parts costs more than to copy them.
        let mut sorted = Vec::with_capacity(writer.bytes.len());
        for row in &rows {
            sorted.extend_from_slice(part(row));
        }
        VERSION.to_owned() + &sha256_hex(&sorted)
    }

    fn has_one_item(&self) -> bool {
        let items = self.all_parts().filter(|(part, place, _)| part.item.is_none() && place.is_named(&STANDARD.item));
        items.map(|(.., rows)| rows.count()).sum::<usize>() == 1
    }
}

/// What is known of the owner of a row.
#[derive(Clone, Copy)]
enum Owner<'c> {
    /// Nothing: it has none.
    Unknown,
    /// The row may name it.
    Named,
    /// The row is nested in it.
    Item { item: Value<'c>, is_only: bool },
}

/// Writes rows one after the other, each so that no other content can imitate it: texts have their length before them, and
/// rows their end after them.
#[derive(Default)]
struct RowWriter<'c> {
    bytes: Vec<u8>,
    layouts: Layouts<'c>,
    /// The fields of the row that is being written.
    fields: Vec<Value<'c>>,
}

impl<'c> RowWriter<'c> {
    fn row(&mut self, section: &str, row: Value<'c>, owner: Owner<'c>) -> Range<usize> {
        let Self { bytes, layouts, fields } = self;
        let start = bytes.len();
        framed(bytes, |bytes| bytes.extend(folded(section)));
        fields.clear();
        fields.extend(row.inside());
        let Some(layout) = layouts.of(row, fields) else { return start..start };
        let is_owned = !matches!(owner, Owner::Unknown);
        match owner {
            Owner::Item { item, is_only } => write_item(bytes, item, is_only),
            Owner::Named | Owner::Unknown => {
                let guid = layout.owner.filter(|_| is_owned).and_then(|owner| fields.get(owner));
                let _ = write_owner(bytes, guid.copied());
            }
        }
        for field in layout.fields.iter().filter(|field| !is_owned || field.kind != FieldKind::Owner) {
            let Some(value) = fields.get(field.position) else { continue };
            let before = bytes.len();
            bytes.extend_from_slice(layout.name(field));
            let content = bytes.len();
            write_content(bytes, field.kind, *value);
            if bytes.len() == content {
                // Nothing is written of a field that is initial or can't be mapped anyway.
                bytes.truncate(before);
            } else {
                set_length(bytes, content);
            }
        }
        bytes.push(END);
        start..bytes.len()
    }
}

/// Writes the GUID of a row's owner; whether there is one.
fn write_owner(bytes: &mut Vec<u8>, guid: Option<Value<'_>>) -> bool {
    let start = bytes.len();
    framed(bytes, |bytes| guid.into_iter().for_each(|guid| write_content(bytes, FieldKind::Guid, guid)));
    bytes.len() > start + LENGTH_BYTES
}

/// Writes the item in which a row is nested, as the row's `P_GUID` would be written.
fn write_item(bytes: &mut Vec<u8>, item: Value<'_>, is_only: bool) {
    let guid = item.inside().find(|member| member.is_named(&STANDARD.guid));
    if !write_owner(bytes, guid) && !is_only {
        // Only its content tells the item from the others.
        let mut writer = RowWriter::default();
        writer.row("ITEM", item, Owner::Named);
        framed(bytes, |bytes| bytes.extend_from_slice(&writer.bytes));
    }
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
        assert!(found.starts_with("4:") && found.len() == 66, "{found}");
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
            (r#""A":"0.000","B":"0.00-""#, r#""C":"""#),
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

//! Sections that the sheet does not read although their rows belong to items, and whose names or fields look like one that
//! it reads: what is in them is missing in the order.

use super::owners::ItemOwners;
use crate::cart::columns::Columns;
use crate::cart::json::Value;
use crate::cart::name::{Name, folded};
use crate::cart::sections::{FoundRow, Row};
use crate::cart::standard::STANDARD;
use crate::message::{Message, MessageCode};

/// Adds a warning for each such section.
pub fn unread_sections<'c>(columns: &'c Columns<'c>, owners: &ItemOwners<'c>, warnings: &mut Vec<Message>) {
    let mut seen: Vec<String> = Vec::new();
    for (part, place, mut rows) in columns.cart.all_parts() {
        let is_read = |name: &Name| place.is_named(name);
        if is_read(&STANDARD.item) || columns.other_sections().any(is_read) {
            continue;
        }
        let has_such_fields = || rows.clone().next().and_then(|row| columns.section_with_fields_of(row));
        let like_it = columns.other_sections().find(|name| is_similar(place, name)).or_else(has_such_fields);
        let Some(similar) = like_it else { continue };
        let of_item = |value| owners.is_of_an_item(FoundRow { row: Row::of(value), item: part.item });
        let name = place.name().into_owned();
        if !seen.contains(&name) && rows.any(of_item) {
            let text = format!("{name} has rows of items, and the mapping does not read it; it reads {similar}");
            warnings.push(Message::new(MessageCode::UnreadSection, text).at(&name, "", 0));
            seen.push(name);
        }
    }
}

/// One name contains the other (ACCOUNTS, IT_ACCOUNT), or they differ in one letter.
fn is_similar(place: Value<'_>, read: &Name) -> bool {
    let name: Vec<u8> = folded(&place.name()).collect();
    let read = read.as_str().as_bytes();
    let contains = |outer: &[u8], inner: &[u8]| outer.windows(inner.len().max(1)).any(|part| part == inner);
    if contains(&name, read) || (name.len() > 3 && contains(read, &name)) {
        return true;
    }
    let same_start = name.iter().zip(read).take_while(|(left, right)| left == right).count();
    let ends = |left: usize, right: usize| {
        let (left, right) = (name.get(same_start + left..), read.get(same_start + right..));
        left.is_some() && left == right
    };
    // A letter more, a letter less, another letter.
    ends(1, 0) || ends(0, 1) || ends(1, 1)
}

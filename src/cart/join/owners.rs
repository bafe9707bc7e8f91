//! The owner of each row: `P_GUID` is the item's GUID, or the header's; a row nested in an item is that item's.

use crate::cart::columns::Columns;
use crate::cart::item_label::{item_in_brackets, item_label};
use crate::cart::name::Name;
use crate::cart::sections::{FoundRow, GuidKey, Row};
use crate::cart::standard::STANDARD;
use crate::cart::value::is_initial;
use crate::message::{Message, MessageCode, quoted};

/// An item that is not deleted.
#[derive(Debug, Clone, Copy)]
pub struct Item<'c> {
    /// The item's fields.
    pub row: Row<'c>,
    /// Its position in the cart as sent, counted from 1, deleted items included.
    pub position: usize,
}

/// The owner of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Header,
    /// By its index among the items that are not deleted.
    Item(usize),
    Deleted,
}

/// The rows of a section, sorted by their owner: the items in their order, then the header.
#[derive(Debug, Default)]
pub struct OwnedRows<'c> {
    rows: Vec<Row<'c>>,
    /// Where the rows of each item end.
    ends: Vec<usize>,
}

impl<'c> OwnedRows<'c> {
    /// One row that belongs to no item.
    pub fn of_all(row: Row<'c>) -> Self {
        Self { rows: vec![row], ends: Vec::new() }
    }

    /// Each item with itself as its row.
    pub fn of_items(items: &[Item<'c>]) -> Self {
        Self { rows: items.iter().map(|item| item.row).collect(), ends: (1..=items.len()).collect() }
    }

    /// Every row.
    pub fn all(&self) -> &[Row<'c>] {
        &self.rows
    }

    /// The rows of an item.
    pub fn of_item(&self, item: usize) -> &[Row<'c>] {
        let start = item.checked_sub(1).and_then(|before| self.ends.get(before).copied()).unwrap_or(0);
        self.ends.get(item).and_then(|end| self.rows.get(start..*end)).unwrap_or_default()
    }

    /// The rows that belong to no item.
    pub fn of_header(&self) -> &[Row<'c>] {
        self.rows.get(self.ends.last().copied().unwrap_or(0)..).unwrap_or_default()
    }
}

/// The owner that each GUID stands for, and its position (0 for the header), sorted: no sender can make lookups slow.
struct GuidOwners(Vec<(GuidKey, usize, Owner)>);

impl GuidOwners {
    fn of(mut guids: Vec<(GuidKey, usize, Owner)>) -> Self {
        guids.sort_unstable_by(|(left, left_position, _), (right, right_position, _)| {
            left.cmp(right).then(left_position.cmp(right_position))
        });
        Self(guids)
    }

    /// The positions of items whose GUID an earlier item or the header has, in their order.
    fn repeated_items(&self) -> Vec<usize> {
        let repeated = |pair: &[(GuidKey, usize, Owner)]| match pair {
            [(first, ..), (second, position, _)] if first == second => Some(*position),
            _ => None,
        };
        let mut positions: Vec<usize> = self.0.windows(2).filter_map(repeated).collect();
        positions.sort_unstable();
        positions
    }

    fn get(&self, guid: &GuidKey) -> Option<Owner> {
        let at = self.0.binary_search_by(|(known, ..)| known.cmp(guid)).ok()?;
        self.0.get(at).map(|(.., owner)| *owner)
    }
}

/// The items that are not deleted, and the owner that each GUID stands for.
pub struct ItemOwners<'c> {
    pub items: Vec<Item<'c>>,
    by_guid: GuidOwners,
    /// Place, position and owner of every item, deleted ones included, sorted by their place.
    places: Vec<(usize, usize, Owner)>,
}

impl<'c> ItemOwners<'c> {
    pub fn of(columns: &'c Columns<'c>, mistakes: &mut Vec<Message>) -> Self {
        let (rows, section_mistake) = match columns.rows(&STANDARD.item) {
            Ok(rows) => (rows.map(|found| found.row).collect::<Vec<_>>(), None),
            Err(mistake) => (Vec::new(), Some(mistake)),
        };
        let mut guids = Vec::with_capacity(rows.len() + 1);
        guids.extend(columns.header().guid(&STANDARD.guid).map(|guid| (guid, 0, Owner::Header)));
        let mut items = Vec::with_capacity(rows.len());
        let mut places = Vec::with_capacity(rows.len());
        for (row, position) in rows.iter().copied().zip(1..) {
            let deleted = is_deleted(row).unwrap_or_else(|problem| {
                let item = item_label(row, position);
                mistakes.push(unreadable_flag(&STANDARD.item, &format!(" of {item}"), &problem, position));
                false
            });
            let owner = if deleted { Owner::Deleted } else { Owner::Item(items.len()) };
            guids.extend(row.guid(&STANDARD.guid).map(|guid| (guid, position, owner)));
            places.push((row.value.index(), position, owner));
            if !deleted {
                items.push(Item { row, position });
            }
        }
        match section_mistake {
            Some(mistake) => mistakes.push(mistake),
            None if items.is_empty() => {
                let text = "ITEM: the cart has no item that is not deleted; expected at least one";
                mistakes.push(Message::new(MessageCode::Section, text).at("ITEM", "", 0));
            }
            None => {}
        }
        places.sort_unstable_by_key(|(place, ..)| *place);
        let by_guid = GuidOwners::of(guids);
        let repeated = by_guid.repeated_items();
        let repeated = rows.iter().zip(1..).filter(|(_, position)| repeated.binary_search(position).is_ok());
        mistakes.extend(repeated.map(|(row, position)| {
            let item = item_label(*row, position);
            let text = format!("ITEM.GUID of {item} appears twice in the cart; what belongs to it can't be told");
            Message::new(MessageCode::Orphan, text).at("ITEM", "GUID", position)
        }));
        Self { items, by_guid, places }
    }

    /// Divides a section's rows by their owner; deleted rows are left out.
    pub fn divide(
        &self,
        section: &Name,
        rows: impl Iterator<Item = FoundRow<'c>>,
        mistakes: &mut Vec<Message>,
    ) -> OwnedRows<'c> {
        let mut divided: Vec<(usize, Row<'c>)> = Vec::with_capacity(rows.size_hint().0);
        for (found, position) in rows.zip(1..) {
            // A row whose flag can't be read is there: what it says may be a further mistake, and is not left out.
            let deleted = is_deleted(found.row).unwrap_or_else(|problem| {
                let (label, item) = self.row_label(section, found, position);
                mistakes.push(unreadable_flag(section, &label, &problem, item));
                false
            });
            let found_owner = if deleted { Ok(Owner::Deleted) } else { self.owner(section, found, position) };
            match found_owner {
                Ok(Owner::Header) => divided.push((usize::MAX, found.row)),
                Ok(Owner::Item(item)) if item < self.items.len() => divided.push((item, found.row)),
                Ok(Owner::Item(_) | Owner::Deleted) => {}
                Err(mistake) => mistakes.push(mistake),
            }
        }
        divided.sort_by_key(|(owner, _)| *owner);
        let ends = (0..self.items.len()).map(|item| divided.partition_point(|(owner, _)| *owner <= item)).collect();
        OwnedRows { rows: divided.into_iter().map(|(_, row)| row).collect(), ends }
    }

    /// The owner of a row by its place or its `P_GUID`; `None` if no item and no header has this GUID.
    pub fn known_owner(&self, found: FoundRow<'c>) -> Option<Owner> {
        match (self.nested_in(found), found.row.guid(&STANDARD.p_guid)) {
            (Some((_, owner)), _) => Some(owner),
            (None, Some(guid)) => self.by_guid.get(&guid),
            (None, None) => Some(Owner::Header),
        }
    }

    /// Whether a row belongs to an item, be it because there is no other.
    pub fn is_of_an_item(&self, found: FoundRow<'c>) -> bool {
        let names_none = || found.row.guid(&STANDARD.p_guid).is_none();
        match self.known_owner(found) {
            Some(Owner::Item(_)) => true,
            Some(Owner::Header) => self.places.len() == 1 && names_none(),
            Some(Owner::Deleted) | None => false,
        }
    }

    /// ` of row 3 (item 2, NUMBER_INT 0000000020)` and the item's position; 0 for a row of no item.
    fn row_label(&self, section: &Name, found: FoundRow<'c>, position: usize) -> (String, usize) {
        let owner = self.owner(section, found, position).ok();
        let item = match owner {
            Some(Owner::Item(item)) => self.items.get(item).map(|item| (item.row, item.position)),
            _ => None,
        };
        match (item, owner, self.nested_in(found)) {
            (Some((row, item)), ..) => (format!(" of row {position} ({})", item_in_brackets(row, item)), item),
            (None, _, Some((item, _))) => (format!(" of row {position} (item {item})"), item),
            (None, Some(Owner::Header), None) => (format!(" of row {position} (of the header)"), 0),
            (None, ..) => (format!(" of row {position}"), 0),
        }
    }

    /// Position and owner of the item in which a row is nested.
    fn nested_in(&self, found: FoundRow<'c>) -> Option<(usize, Owner)> {
        let item = found.item?;
        let at = self.places.binary_search_by_key(&item, |(place, ..)| *place).ok()?;
        self.places.get(at).map(|(_, position, owner)| (*position, *owner))
    }

    fn owner(&self, section: &Name, found: FoundRow<'c>, position: usize) -> Result<Owner, Message> {
        let orphan = |text: String| Message::new(MessageCode::Orphan, text).at(section.spelling(), "P_GUID", 0);
        let quoted_guid = || quoted(&found.row.text(&STANDARD.p_guid).unwrap_or_default());
        if let Some((item, owner)) = self.nested_in(found) {
            let named = found.row.guid(&STANDARD.p_guid).map(|guid| self.by_guid.get(&guid));
            return match named {
                Some(named) if named != Some(owner) => {
                    let guid = quoted_guid();
                    Err(orphan(format!(
                        "{section}.P_GUID of row {position} is {guid}; the row is nested in item {item}"
                    )))
                }
                _ => Ok(owner),
            };
        }
        let owner = self.known_owner(found).ok_or_else(|| {
            let guid = quoted_guid();
            orphan(format!("{section}.P_GUID of row {position} is {guid}; no item of the cart has this GUID"))
        })?;
        match owner {
            // An account is money: it has one item, or the cart is refused.
            Owner::Header if *section == STANDARD.account && self.places.len() == 1 => Ok(Owner::Item(0)),
            Owner::Header if *section == STANDARD.account => Err(orphan(format!(
                "ACCOUNT.P_GUID of row {position} names no item; with several items each account has to name its own"
            ))),
            owner => Ok(owner),
        }
    }
}

/// A mistake if the whole cart is deleted.
pub fn deleted_cart(header: Row<'_>) -> Option<Message> {
    match is_deleted(header) {
        Ok(false) => None,
        Ok(true) => {
            let flag = header.text(&STANDARD.del_ind).unwrap_or_default();
            let text = format!("HEADER.DEL_IND is {}: the cart is deleted; nothing of it is ordered", quoted(&flag));
            Some(Message::new(MessageCode::Section, text).at("HEADER", "DEL_IND", 0))
        }
        Err(problem) => Some(unreadable_flag(&STANDARD.header, "", &problem, 0)),
    }
}

/// DEL_IND is a flag; a value other than X, true or initial could mean anything.
///
/// # Errors
/// What it is instead.
fn is_deleted(row: Row<'_>) -> Result<bool, String> {
    let Some(text) = row.text(&STANDARD.del_ind) else { return Ok(false) };
    match text.as_ref() {
        "false" => Ok(false),
        "X" | "x" | "true" => Ok(true),
        other if is_initial(other) => Ok(false),
        other => Err(quoted(other)),
    }
}

fn unreadable_flag(section: &Name, of_row: &str, found: &str, item: usize) -> Message {
    let text = format!("{section}.DEL_IND{of_row} is {found}; expected X, true, or nothing");
    Message::new(MessageCode::Unreadable, text).at(section.spelling(), "DEL_IND", item)
}

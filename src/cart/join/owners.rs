//! The owner of each row: `P_GUID` is the item's GUID, or the header's.

use std::collections::BTreeMap;

use crate::cart::name::Name;
use crate::cart::sections::{Cart, Row};
use crate::message::{Message, MessageCode, quoted};

/// An item that is not deleted.
#[derive(Debug, Clone, Copy)]
pub struct Item<'c> {
    /// The item's fields.
    pub row: &'c Row,
    /// Its position in the cart as sent, counted from 1, deleted items included.
    pub position: usize,
}

/// The owner of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Header,
    Item(usize),
    Deleted,
}

/// The rows of a section by their owner.
#[derive(Debug, Default)]
pub struct OwnedRows<'c> {
    pub header: Vec<&'c Row>,
    pub items: Vec<Vec<&'c Row>>,
}

/// The items that are not deleted, and the owner that each GUID stands for.
pub struct ItemOwners<'c> {
    pub items: Vec<Item<'c>>,
    owners: BTreeMap<String, Owner>,
    /// Number of items, deleted ones included.
    item_count: usize,
}

impl<'c> ItemOwners<'c> {
    pub fn of(cart: &'c Cart, mistakes: &mut Vec<Message>) -> Self {
        let mut owners = BTreeMap::from_iter(cart.header.guid("GUID").map(|guid| (guid, Owner::Header)));
        let mut items = Vec::new();
        let rows = cart.rows("ITEM");
        for (row, position) in rows.iter().zip(1..) {
            let deleted = is_deleted(row, position).unwrap_or_else(|mistake| {
                mistakes.push(mistake);
                false
            });
            let owner = if deleted { Owner::Deleted } else { Owner::Item(items.len()) };
            if let Some(guid) = row.guid("GUID")
                && owners.insert(guid, owner).is_some()
            {
                let text =
                    format!("ITEM.GUID of item {position} appears twice in the cart; what belongs to it can't be told");
                mistakes.push(Message::new(MessageCode::Orphan, text).at("ITEM", "GUID", position));
            }
            if !deleted {
                items.push(Item { row, position });
            }
        }
        match cart.sections.get("ITEM") {
            Some(Err(mistake)) => mistakes.push(mistake.clone()),
            _ if items.is_empty() => {
                let text = "ITEM: the cart has no item that is not deleted; expected at least one";
                mistakes.push(Message::new(MessageCode::Section, text).at("ITEM", "", 0));
            }
            _ => {}
        }
        Self { items, owners, item_count: rows.len() }
    }

    /// Divides a section's rows by their owner.
    pub fn divide(&self, section: &Name, rows: &'c [Row], mistakes: &mut Vec<Message>) -> OwnedRows<'c> {
        let mut owned = OwnedRows { header: Vec::new(), items: vec![Vec::new(); self.items.len()] };
        for (row, position) in rows.iter().zip(1..) {
            match self.owner(section, row, position) {
                Ok(Owner::Header) => owned.header.push(row),
                Ok(Owner::Item(item)) => owned.items.get_mut(item).into_iter().for_each(|rows| rows.push(row)),
                Ok(Owner::Deleted) => {}
                Err(mistake) => mistakes.push(mistake),
            }
        }
        owned
    }

    fn owner(&self, section: &Name, row: &Row, position: usize) -> Result<Owner, Message> {
        let orphan = |text: String| Message::new(MessageCode::Orphan, text).at(section.as_str(), "P_GUID", 0);
        let owner = match row.guid("PGUID") {
            Some(guid) => self.owners.get(&guid).copied().ok_or_else(|| {
                let guid = quoted(row.text("PGUID").unwrap_or_default());
                orphan(format!("{section}.P_GUID of row {position} is {guid}; no item of the cart has this GUID"))
            })?,
            None => Owner::Header,
        };
        match owner {
            // An account is money: it has one item, or the cart is refused.
            Owner::Header if section.as_str() == "ACCOUNT" && self.item_count == 1 => Ok(Owner::Item(0)),
            Owner::Header if section.as_str() == "ACCOUNT" => Err(orphan(format!(
                "ACCOUNT.P_GUID of row {position} names no item; with several items each account has to name its own"
            ))),
            owner => Ok(owner),
        }
    }
}

/// DEL_IND is a flag; a value other than X, true or initial could mean anything.
fn is_deleted(row: &Row, position: usize) -> Result<bool, Message> {
    match row.text("DELIND") {
        None | Some("false") => Ok(false),
        Some("X" | "x" | "true") => Ok(true),
        Some(other) => {
            let text = format!("ITEM.DEL_IND of item {position} is {}; expected X, true, or nothing", quoted(other));
            Err(Message::new(MessageCode::Unreadable, text).at("ITEM", "DEL_IND", position))
        }
    }
}

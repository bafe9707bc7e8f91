//! Which row belongs to which item: `P_GUID` = the item's GUID.

use std::collections::BTreeMap;

use super::{Cart, Name, Row, without_leading_zeros};
use crate::message::{Message, Topic, quoted};

/// An item that is not deleted.
#[derive(Debug, Clone, Copy)]
pub struct Item<'c> {
    /// The item's fields.
    pub row: &'c Row,
    /// Its position in the cart as sent, counted from 1, deleted items included.
    pub position: usize,
}

/// Where a value is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole cart.
    Header,
    /// One live item, by its index in [`Joined::items`].
    Item(usize),
    /// One account assignment of an item.
    Account(usize, usize),
}

impl Scope {
    /// The item's index, if the scope is inside one.
    pub const fn item(self) -> Option<usize> {
        match self {
            Self::Header => None,
            Self::Item(item) | Self::Account(item, _) => Some(item),
        }
    }
}

/// The rows of a section, or those of them in which one field has one value (`PARTNER[00000019]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The section.
    pub section: Name,
    /// The field and the value that it must have; an empty value stands for initial.
    pub filter: Option<(Name, String)>,
}

impl Selection {
    fn takes(&self, row: &Row) -> bool {
        let Some((field, value)) = &self.filter else { return true };
        let found = row.get(field).map_or("", super::Scalar::text);
        // cl_json writes NUMC keys as bare numbers: 19 is 00000019.
        found == value || (!found.is_empty() && without_leading_zeros(found) == without_leading_zeros(value))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Header,
    Item(usize),
    Deleted,
}

/// A cart with its rows joined to their items and its deleted items left out.
#[derive(Debug)]
pub struct Joined<'c> {
    header: &'c Row,
    /// The items that are not deleted, in the order sent.
    pub items: Vec<Item<'c>>,
    rows: BTreeMap<&'c str, Vec<(Owner, &'c Row)>>,
}

impl<'c> Joined<'c> {
    /// Joins a cart. Mistakes: a cart without a live item, rows of no item, accounts that could be anyone's.
    pub fn of(cart: &'c Cart) -> (Self, Vec<Message>) {
        let mut mistakes = Vec::new();
        let (items, owners) = items(cart, &mut mistakes);
        let mut rows = BTreeMap::new();
        for (section, section_rows) in &cart.sections {
            if section.0 != "ITEM" {
                let owned = section_rows.iter().enumerate().filter_map(|(index, row)| {
                    owner(row, section, index, &owners, items.len())
                        .map_err(|mistake| mistakes.push(mistake))
                        .ok()
                        .map(|owner| (owner, row))
                });
                rows.insert(section.0.as_str(), owned.collect());
            }
        }
        (Self { header: &cart.header, items, rows }, mistakes)
    }

    /// The header's fields.
    pub const fn header(&self) -> &'c Row {
        self.header
    }

    /// The account assignments of an item.
    pub fn accounts(&self, item: usize) -> Vec<&'c Row> {
        self.owned("ACCOUNT", |_| true, item)
    }

    /// The rows that a selection names, seen from a scope. Inside an item its own rows count, and where it has none,
    /// the header's.
    pub fn rows(&self, selection: &Selection, scope: Scope) -> Vec<&'c Row> {
        let takes = |row: &Row| selection.takes(row);
        match (selection.section.0.as_str(), scope) {
            ("HEADER", _) => Vec::from_iter(Some(self.header).filter(|row| takes(row))),
            ("ITEM", Scope::Item(item) | Scope::Account(item, _)) => {
                self.items.get(item).map(|item| item.row).filter(|row| takes(row)).into_iter().collect()
            }
            ("ACCOUNT", Scope::Account(item, account)) => {
                self.accounts(item).get(account).copied().filter(|row| takes(row)).into_iter().collect()
            }
            (section, Scope::Item(item) | Scope::Account(item, _)) => self.owned(section, takes, item),
            ("ITEM", Scope::Header) => self.items.iter().map(|item| item.row).filter(|row| takes(row)).collect(),
            (section, Scope::Header) => self
                .section(section)
                .iter()
                .filter(|(owner, row)| *owner != Owner::Deleted && takes(row))
                .map(|(_, row)| *row)
                .collect(),
        }
    }

    fn owned(&self, section: &str, takes: impl Fn(&Row) -> bool, item: usize) -> Vec<&'c Row> {
        let of = |wanted: Owner| -> Vec<&'c Row> {
            self.section(section)
                .iter()
                .filter(|(owner, row)| *owner == wanted && takes(row))
                .map(|(_, row)| *row)
                .collect()
        };
        let own = of(Owner::Item(item));
        if own.is_empty() { of(Owner::Header) } else { own }
    }

    fn section(&self, section: &str) -> &[(Owner, &'c Row)] {
        self.rows.get(section).map_or(&[], Vec::as_slice)
    }
}

/// The live items, and to whom a `P_GUID` points.
fn items<'c>(cart: &'c Cart, mistakes: &mut Vec<Message>) -> (Vec<Item<'c>>, BTreeMap<String, Owner>) {
    let mut owners = BTreeMap::from_iter(cart.header.guid("GUID").map(|guid| (guid, Owner::Header)));
    let mut items = Vec::new();
    for (index, row) in cart.rows("ITEM").iter().enumerate() {
        let deleted = row.text("DELIND").is_some();
        let owner = if deleted { Owner::Deleted } else { Owner::Item(items.len()) };
        let position = index + 1;
        if let Some(guid) = row.guid("GUID")
            && owners.insert(guid, owner).is_some()
        {
            let text = format!(
                "ITEM.GUID of item {position} stands twice in the cart; what belongs to the item can't be told"
            );
            mistakes.push(Message::new(Topic::Orphan, text).at("ITEM", "GUID", position));
        }
        if !deleted {
            items.push(Item { row, position });
        }
    }
    if items.is_empty() {
        let text = "ITEM: the cart has no item that is not deleted; expected at least one";
        mistakes.push(Message::new(Topic::Section, text).at("ITEM", "", 0));
    }
    (items, owners)
}

fn owner(
    row: &Row,
    section: &Name,
    index: usize,
    owners: &BTreeMap<String, Owner>,
    live: usize,
) -> Result<Owner, Message> {
    let position = index + 1;
    let orphan = |text: String| Message::new(Topic::Orphan, text).at(&section.to_string(), "P_GUID", 0);
    match row.guid("PGUID") {
        Some(guid) => owners.get(&guid).copied().ok_or_else(|| {
            let shown = quoted(row.text("PGUID").unwrap_or_default());
            orphan(format!("{section}.P_GUID of row {position} is {shown}; no item of the cart has this GUID"))
        }),
        None if section.0 == "ACCOUNT" && live > 1 => Err(orphan(format!(
            "ACCOUNT.P_GUID of row {position} is missing; with several items each account has to name its item"
        ))),
        None => Ok(Owner::Header),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(json: &str) -> Vec<String> {
        Joined::of(&Cart::parse(json).unwrap()).1.into_iter().map(|m| m.message).collect()
    }

    fn partners(json: &str, function: &str, scope: Scope) -> Vec<String> {
        let cart = Cart::parse(json).unwrap();
        let selection =
            Selection { section: Name::of("PARTNER"), filter: Some((Name::of("PARTNER_FCT"), function.into())) };
        Joined::of(&cart)
            .0
            .rows(&selection, scope)
            .iter()
            .map(|row| row.text("PARTNERID").unwrap().to_owned())
            .collect()
    }

    const CART: &str = r#"{"HEADER":{"GUID":"000102030405060708090a0b0c0d0e0f"},
        "ITEM":[{"GUID":"a0000000000000000000000000000001","DEL_IND":"X"},
                {"GUID":"a0000000000000000000000000000002"},{"GUID":"a0000000000000000000000000000003"}],
        "PARTNER":[{"P_GUID":"A0000000000000000000000000000001","PARTNER_FCT":"00000019","PARTNER_ID":"deleted"},
                   {"P_GUID":"A0000000000000000000000000000002","PARTNER_FCT":19,"PARTNER_ID":"own"},
                   {"P_GUID":"000102030405060708090A0B0C0D0E0F","PARTNER_FCT":"00000019","PARTNER_ID":"header"},
                   {"PARTNER_FCT":"00000027","PARTNER_ID":"ship-to"}]}"#;

    #[test]
    fn an_item_has_its_own_partners_or_else_the_headers() {
        assert_eq!(partners(CART, "00000019", Scope::Item(0)), ["own"]);
        assert_eq!(partners(CART, "00000019", Scope::Item(1)), ["header"]);
        assert_eq!(partners(CART, "00000027", Scope::Item(0)), ["ship-to"]);
        assert_eq!(partners(CART, "00000019", Scope::Header), ["own", "header"]);
    }

    #[test]
    fn positions_count_deleted_items() {
        let cart = Cart::parse(CART).unwrap();
        let (joined, mistakes) = Joined::of(&cart);
        assert_eq!(joined.items.iter().map(|i| i.position).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(mistakes, []);
    }

    #[test]
    fn rows_that_belong_to_nobody_are_mistakes() {
        let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"},{"GUID":"a0000000000000000000000000000002"}],
            "ACCOUNT":[{"COST_CTR":"1"}],"PARTNER":[{"P_GUID":"b0000000000000000000000000000001"}]}"#;
        let mistakes = mistakes(json);
        assert!(mistakes[0].starts_with("ACCOUNT.P_GUID of row 1 is missing"), "{mistakes:?}");
        assert!(mistakes[1].contains("no item of the cart has this GUID"), "{mistakes:?}");
    }

    #[test]
    fn a_cart_whose_items_are_all_deleted_is_a_mistake() {
        assert!(mistakes(r#"{"HEADER":{},"ITEM":[{"DEL_IND":true}]}"#)[0].contains("no item that is not deleted"));
    }

    #[test]
    fn two_items_with_one_guid_are_a_mistake() {
        let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"},{"GUID":"A0000000000000000000000000000001"}]}"#;
        assert!(mistakes(json)[0].contains("stands twice"));
    }
}

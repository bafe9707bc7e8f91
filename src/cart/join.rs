//! Which row belongs to which item: `P_GUID` = the item's GUID.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cart, Name, Row, without_leading_zeros};
use crate::message::{Message, MessageCode, quoted};

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
    /// One live item, by its index in [`JoinedCart::items`].
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

/// The rows of a section by whom they belong to.
#[derive(Debug, Default)]
struct Owned<'c> {
    header: Vec<&'c Row>,
    items: Vec<Vec<&'c Row>>,
}

/// A cart with its rows joined to their items and its deleted items left out.
#[derive(Debug)]
pub struct JoinedCart<'c> {
    header: &'c Row,
    /// The items that are not deleted, in the order sent.
    pub items: Vec<Item<'c>>,
    rows: BTreeMap<&'c str, Owned<'c>>,
}

impl<'c> JoinedCart<'c> {
    /// Joins the items and those sections that `wanted` names; whatever else a cart brings is nobody's business.
    /// Mistakes: a section that can't be read, a cart without a live item, rows of no item, accounts that could be
    /// anyone's.
    pub fn of(cart: &'c Cart, wanted: &BTreeSet<Name>) -> (Self, Vec<Message>) {
        let mut mistakes = Vec::new();
        let joint = ItemOwners::of(cart, &mut mistakes);
        let mut rows = BTreeMap::new();
        for (name, section) in cart.sections.iter().filter(|(name, _)| name.0 != "ITEM" && wanted.contains(*name)) {
            match section {
                Ok(section) => drop(rows.insert(name.0.as_str(), joint.owned(name, section, &mut mistakes))),
                Err(mistake) => mistakes.push(mistake.clone()),
            }
        }
        (Self { header: &cart.header, items: joint.items, rows }, mistakes)
    }

    /// The header's fields.
    pub const fn header(&self) -> &'c Row {
        self.header
    }

    /// The account assignments of an item.
    pub fn accounts(&self, item: usize) -> &[&'c Row] {
        self.rows.get("ACCOUNT").and_then(|owned| owned.items.get(item)).map_or(&[], Vec::as_slice)
    }

    /// The rows that a selection names, seen from a scope. Inside an item its own rows count, and where it has none,
    /// the header's.
    pub fn rows(&self, selection: &Selection, scope: Scope) -> Vec<&'c Row> {
        let taken =
            |rows: &[&'c Row]| -> Vec<&'c Row> { rows.iter().copied().filter(|row| selection.takes(row)).collect() };
        let item = |item: usize| self.items.get(item).map(|item| item.row);
        match (selection.section.0.as_str(), scope) {
            ("HEADER", _) => taken(&[self.header]),
            ("ITEM", Scope::Header) => taken(&self.items.iter().map(|item| item.row).collect::<Vec<_>>()),
            ("ITEM", Scope::Item(index) | Scope::Account(index, _)) => taken(item(index).as_slice()),
            ("ACCOUNT", Scope::Account(item, account)) => {
                taken(self.accounts(item).get(account).map_or(&[], std::slice::from_ref))
            }
            (section, Scope::Item(item) | Scope::Account(item, _)) => {
                let Some(owned) = self.rows.get(section) else { return Vec::new() };
                let own = taken(owned.items.get(item).map_or(&[], Vec::as_slice));
                if own.is_empty() { taken(&owned.header) } else { own }
            }
            (section, Scope::Header) => {
                let Some(owned) = self.rows.get(section) else { return Vec::new() };
                owned.items.iter().chain([&owned.header]).flat_map(|rows| taken(rows)).collect()
            }
        }
    }
}

/// The live items, and to whom a `P_GUID` points.
struct ItemOwners<'c> {
    items: Vec<Item<'c>>,
    owners: BTreeMap<String, Owner>,
    /// How many items there are, deleted ones included.
    all: usize,
}

impl<'c> ItemOwners<'c> {
    fn of(cart: &'c Cart, mistakes: &mut Vec<Message>) -> Self {
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
                    format!("ITEM.GUID of item {position} stands twice in the cart; what belongs to it can't be told");
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
        Self { items, owners, all: rows.len() }
    }

    fn owned(&self, section: &Name, rows: &'c [Row], mistakes: &mut Vec<Message>) -> Owned<'c> {
        let mut owned = Owned { header: Vec::new(), items: vec![Vec::new(); self.items.len()] };
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
        let orphan = |text: String| Message::new(MessageCode::Orphan, text).at(&section.to_string(), "P_GUID", 0);
        let owner = match row.guid("PGUID") {
            Some(guid) => self.owners.get(&guid).copied().ok_or_else(|| {
                let shown = quoted(row.text("PGUID").unwrap_or_default());
                orphan(format!("{section}.P_GUID of row {position} is {shown}; no item of the cart has this GUID"))
            })?,
            None => Owner::Header,
        };
        match owner {
            // An account is money: it has one item, or the cart is refused.
            Owner::Header if section.0 == "ACCOUNT" && self.all == 1 => Ok(Owner::Item(0)),
            Owner::Header if section.0 == "ACCOUNT" => Err(orphan(format!(
                "ACCOUNT.P_GUID of row {position} names no item; with several items each account has to name its own"
            ))),
            owner => Ok(owner),
        }
    }
}

/// DEL_IND is a flag; what is neither X nor true nor initial could mean anything.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> BTreeSet<Name> {
        ["HEADER", "ITEM", "ACCOUNT", "PARTNER"].map(Name::of).into()
    }

    fn mistakes(json: &str) -> Vec<String> {
        JoinedCart::of(&Cart::parse(json).unwrap(), &wanted()).1.into_iter().map(|m| m.message).collect()
    }

    fn partners(json: &str, function: &str, scope: Scope) -> Vec<String> {
        let cart = Cart::parse(json).unwrap();
        let selection =
            Selection { section: Name::of("PARTNER"), filter: Some((Name::of("PARTNER_FCT"), function.into())) };
        JoinedCart::of(&cart, &wanted())
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
        let (joined, mistakes) = JoinedCart::of(&cart, &wanted());
        assert_eq!(joined.items.iter().map(|i| i.position).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(mistakes, []);
    }

    #[test]
    fn rows_that_belong_to_nobody_are_mistakes() {
        let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"},{"GUID":"a0000000000000000000000000000002"}],
            "ACCOUNT":[{"COST_CTR":"1"}],"PARTNER":[{"P_GUID":"b0000000000000000000000000000001"}]}"#;
        let mistakes = mistakes(json);
        assert!(mistakes[0].starts_with("ACCOUNT.P_GUID of row 1 names no item"), "{mistakes:?}");
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

    #[test]
    fn sections_are_mistakes_only_if_somebody_wants_them() {
        let rows = vec!["{}"; crate::cart::Bounds::default().rows + 1].join(",");
        let unwanted =
            format!(r#""VERSION":"1.0","TEXTS":["a"],"LONGTEXT":[{rows}],"ATTACH":[{{"P_GUID":"elsewhere"}}]"#);
        assert_eq!(mistakes(&format!(r#"{{"HEADER":{{}},"ITEM":[{{"A":1}}],{unwanted}}}"#)), Vec::<String>::new());
        assert_eq!(
            mistakes(r#"{"HEADER":{},"ITEM":7,"ACCOUNT":[1]}"#),
            ["ITEM: expected a list of objects", "ACCOUNT: entry 1: expected an object"]
        );
        assert!(
            mistakes(&format!(r#"{{"HEADER":{{}},"ITEM":[{{}}],"PARTNER":[{rows}]}}"#))[0].contains("at most 1000")
        );
    }

    #[test]
    fn a_single_item_has_the_accounts_that_name_none() {
        let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"}],
            "ACCOUNT":[{"P_GUID":"a0000000000000000000000000000001"},{"COST_CTR":"1"}]}"#;
        let cart = Cart::parse(json).unwrap();
        assert_eq!(JoinedCart::of(&cart, &wanted()).0.accounts(0).len(), 2);
        let with_deleted = r#"{"HEADER":{},"ITEM":[{"A":1},{"DEL_IND":"X"}],"ACCOUNT":[{"COST_CTR":"1"}]}"#;
        assert!(mistakes(with_deleted)[0].contains("names no item"), "it may be the deleted item's");
    }

    #[test]
    fn what_is_no_flag_deletes_nothing() {
        let cart = |flag: &str| mistakes(&format!(r#"{{"HEADER":{{}},"ITEM":[{{"A":1,"DEL_IND":{flag}}}]}}"#));
        for kept in ["\"\"", "false", "\"false\"", "null"] {
            assert_eq!(cart(kept), Vec::<String>::new(), "{kept}");
        }
        assert!(cart("\"N\"")[0].contains("DEL_IND of item 1 is \"N\""));
    }
}

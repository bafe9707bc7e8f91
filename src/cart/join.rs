//! The join of a cart's rows with its items.

mod owners;

use std::collections::{BTreeMap, BTreeSet};

use super::name::Name;
use super::sections::{Cart, Row};
use super::selection::{Scope, Selection};
use crate::message::Message;
pub use owners::Item;
use owners::{ItemOwners, OwnedRows};

/// A cart with its rows joined to their items and its deleted items left out.
#[derive(Debug)]
pub struct JoinedCart<'c> {
    header: &'c Row,
    /// The items that are not deleted, in the order sent.
    pub items: Vec<Item<'c>>,
    rows: BTreeMap<&'c str, OwnedRows<'c>>,
}

impl<'c> JoinedCart<'c> {
    /// Joins the items and the sections that `wanted` names; other sections are ignored.
    /// Mistakes: a section that can't be read, a cart whose items are all deleted, rows of no item, accounts that could
    /// belong to several.
    pub fn of(cart: &'c Cart, wanted: &BTreeSet<Name>) -> (Self, Vec<Message>) {
        let mut mistakes = Vec::new();
        let owners = ItemOwners::of(cart, &mut mistakes);
        let mut rows = BTreeMap::new();
        for (name, section) in
            cart.sections.iter().filter(|(name, _)| name.as_str() != "ITEM" && wanted.contains(*name))
        {
            match section {
                Ok(section) => drop(rows.insert(name.as_str(), owners.divide(name, section, &mut mistakes))),
                Err(mistake) => mistakes.push(mistake.clone()),
            }
        }
        (Self { header: &cart.header, items: owners.items, rows }, mistakes)
    }

    /// The header's fields.
    pub const fn header(&self) -> &'c Row {
        self.header
    }

    /// The account assignments of an item.
    pub fn accounts(&self, item: usize) -> &[&'c Row] {
        self.rows.get("ACCOUNT").and_then(|owned| owned.items.get(item)).map_or(&[], Vec::as_slice)
    }

    /// The scopes one level down: the items of the header, the accounts of an item; an account itself.
    pub fn scopes_below(&self, scope: Scope) -> Vec<Scope> {
        match scope {
            Scope::Header => (0..self.items.len()).map(Scope::Item).collect(),
            Scope::Item(item) => (0..self.accounts(item).len()).map(|account| Scope::Account(item, account)).collect(),
            Scope::Account(..) => vec![scope],
        }
    }

    /// The item's position in the cart as sent, counted from 1; 0 for the header.
    pub fn position(&self, scope: Scope) -> usize {
        scope.item().and_then(|item| self.items.get(item)).map_or(0, |item| item.position)
    }

    /// The rows that a selection names and that belong to the scope itself: the header's rows are not an item's. An
    /// account has itself, and else what its item has.
    pub fn own_rows(&self, selection: &Selection, scope: Scope) -> Vec<&'c Row> {
        match (selection.section.as_str(), scope) {
            ("HEADER" | "ITEM", _) | ("ACCOUNT", Scope::Account(..)) => self.rows(selection, scope),
            (section, _) => {
                let Some(owned) = self.rows.get(section) else { return Vec::new() };
                let own = scope.item().map_or(Some(&owned.header), |item| owned.items.get(item));
                own.into_iter().flatten().copied().filter(|row| selection.includes(row)).collect()
            }
        }
    }

    /// The rows that a selection names, as a scope sees them: an item's own rows, or the header's where it has none.
    pub fn rows(&self, selection: &Selection, scope: Scope) -> Vec<&'c Row> {
        let included =
            |rows: &[&'c Row]| -> Vec<&'c Row> { rows.iter().copied().filter(|row| selection.includes(row)).collect() };
        let item = |item: usize| self.items.get(item).map(|item| item.row);
        match (selection.section.as_str(), scope) {
            ("HEADER", _) => included(&[self.header]),
            ("ITEM", Scope::Header) => included(&self.items.iter().map(|item| item.row).collect::<Vec<_>>()),
            ("ITEM", Scope::Item(index) | Scope::Account(index, _)) => included(item(index).as_slice()),
            ("ACCOUNT", Scope::Account(item, account)) => {
                included(self.accounts(item).get(account).map_or(&[], std::slice::from_ref))
            }
            (section, Scope::Item(item) | Scope::Account(item, _)) => {
                let Some(owned) = self.rows.get(section) else { return Vec::new() };
                let own = included(owned.items.get(item).map_or(&[], Vec::as_slice));
                if own.is_empty() { included(&owned.header) } else { own }
            }
            (section, Scope::Header) => {
                let Some(owned) = self.rows.get(section) else { return Vec::new() };
                owned.items.iter().chain([&owned.header]).flat_map(|rows| included(rows)).collect()
            }
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
            Selection { section: Name::of("PARTNER"), conditions: vec![(Name::of("PARTNER_FCT"), function.into())] };
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
    fn rows_that_belong_to_no_item_are_mistakes() {
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
        assert!(mistakes(json)[0].contains("appears twice"));
    }

    #[test]
    fn unreadable_sections_are_mistakes_only_if_the_sheet_reads_them() {
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
    fn accounts_that_name_no_item_belong_to_the_only_one() {
        let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"}],
            "ACCOUNT":[{"P_GUID":"a0000000000000000000000000000001"},{"COST_CTR":"1"}]}"#;
        let cart = Cart::parse(json).unwrap();
        assert_eq!(JoinedCart::of(&cart, &wanted()).0.accounts(0).len(), 2);
        let with_deleted = r#"{"HEADER":{},"ITEM":[{"A":1},{"DEL_IND":"X"}],"ACCOUNT":[{"COST_CTR":"1"}]}"#;
        assert!(mistakes(with_deleted)[0].contains("names no item"), "it may be the deleted item's");
    }

    #[test]
    fn only_a_flag_deletes_an_item() {
        let cart = |flag: &str| mistakes(&format!(r#"{{"HEADER":{{}},"ITEM":[{{"A":1,"DEL_IND":{flag}}}]}}"#));
        for kept in ["\"\"", "false", "\"false\"", "null"] {
            assert_eq!(cart(kept), Vec::<String>::new(), "{kept}");
        }
        assert!(cart("\"N\"")[0].contains("DEL_IND of item 1 is \"N\""));
    }
}

//! The join of a cart's rows with its items.

mod owners;
mod unread;

use super::columns::Columns;
use super::name::Name;
use super::sections::Row;
use super::selection::{Scope, Selection};
use super::standard::STANDARD;
use crate::message::Message;
pub use owners::Item;
use owners::{ItemOwners, OwnedRows, deleted_cart};
use unread::unread_sections;

/// A cart with its rows joined to their items, and without what is deleted.
#[derive(Debug)]
pub struct JoinedCart<'c> {
    header: Row<'c>,
    /// The items that are not deleted, in the order sent.
    pub items: Vec<Item<'c>>,
    /// The name and the rows of each section, in the order of the vocabulary.
    sections: Vec<(&'c Name, OwnedRows<'c>)>,
    /// Where the accounts are among them.
    accounts: Option<usize>,
    has_flags: bool,
}

/// What was found while a cart was joined.
#[derive(Debug, Default)]
pub struct Findings {
    /// The cart is refused for them.
    pub mistakes: Vec<Message>,
    /// A person should look at them.
    pub warnings: Vec<Message>,
}

impl<'c> JoinedCart<'c> {
    /// Joins the items and the other sections of the sheet's vocabulary; further sections are ignored.
    /// Mistakes: a cart that is deleted, a section that can't be read, a cart whose items are all deleted, rows of no item, accounts that could
    /// belong to several. Warnings: ignored rows of items that look like a section that is read.
    pub fn of(columns: &'c Columns<'c>) -> (Self, Findings) {
        let mut findings = Findings::default();
        let header = columns.header();
        findings.mistakes.extend(deleted_cart(header));
        let owners = ItemOwners::of(columns, &mut findings.mistakes);
        let mut sections = Vec::with_capacity(USUAL_SECTIONS);
        sections.push((&STANDARD.header, OwnedRows::of_all(header)));
        sections.push((&STANDARD.item, OwnedRows::of_items(&owners.items)));
        for name in columns.other_sections() {
            let owned = match columns.rows(name) {
                Ok(rows) => owners.divide(name, rows, &mut findings.mistakes),
                Err(mistake) => {
                    findings.mistakes.push(mistake);
                    OwnedRows::default()
                }
            };
            sections.push((name, owned));
        }
        let accounts = sections.iter().position(|(name, _)| **name == STANDARD.account);
        unread_sections(columns, &owners, &mut findings.warnings);
        let has_flags = columns.cart.document.has_true();
        (Self { header, items: owners.items, sections, accounts, has_flags }, findings)
    }

    /// Whether anything in the cart is `true`.
    pub const fn has_flags(&self) -> bool {
        self.has_flags
    }

    /// The sections that the sheet reads.
    pub fn section_names(&self) -> impl Iterator<Item = &'c Name> {
        self.sections.iter().map(|(name, _)| *name)
    }

    /// The header's fields.
    pub const fn header(&self) -> Row<'c> {
        self.header
    }

    /// The account assignments of an item.
    pub fn accounts(&self, item: usize) -> &[Row<'c>] {
        let owned = self.accounts.and_then(|index| self.sections.get(index));
        owned.map_or(&[], |(_, owned)| owned.of_item(item))
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
    pub fn own_rows<'s>(&'s self, selection: &'s Selection, scope: Scope) -> impl Iterator<Item = Row<'c>> + 's {
        let rows = match (self.section(&selection.section), scope) {
            (Some((index, owned)), Scope::Header) if index > ITEMS => owned.of_header(),
            _ => self.candidates(selection, scope).0,
        };
        rows.iter().copied().filter(|row| selection.includes(row))
    }

    /// The rows that a selection names, as a scope sees them: an item's own rows, or the header's where it has none.
    #[inline]
    pub fn rows<'s>(&'s self, selection: &'s Selection, scope: Scope) -> impl Iterator<Item = Row<'c>> + 's {
        let (own, general) = self.candidates(selection, scope);
        let rows = if general.is_empty() || own.iter().any(|row| selection.includes(row)) { own } else { general };
        rows.iter().copied().filter(|row| selection.includes(row))
    }

    /// The rows of a selection's section in a scope, and those that count where none of them is selected.
    #[inline]
    fn candidates(&self, selection: &Selection, scope: Scope) -> (&[Row<'c>], &[Row<'c>]) {
        let Some((index, owned)) = self.section(&selection.section) else { return (&[], &[]) };
        match scope {
            _ if index == HEADER => (owned.all(), &[]),
            Scope::Header => (owned.all(), &[]),
            Scope::Account(item, account) if self.accounts == Some(index) => {
                (owned.of_item(item).get(account).map_or(&[], std::slice::from_ref), &[])
            }
            Scope::Item(item) | Scope::Account(item, _) => (owned.of_item(item), owned.of_header()),
        }
    }

    /// The place and the rows of a section: by the place that a vocabulary gave its name, else by its name.
    #[inline]
    fn section(&self, section: &Name) -> Option<(usize, &OwnedRows<'c>)> {
        let is_it = |(name, _): &(&Name, _)| *name == section;
        let known = section.column().map(usize::from).filter(|index| self.sections.get(*index).is_some_and(is_it));
        let index = known.or_else(|| self.sections.iter().position(is_it))?;
        self.sections.get(index).map(|(_, owned)| (index, owned))
    }
}

/// The place of the header among the sections of every vocabulary.
const HEADER: usize = 0;

/// The place of the items among the sections of every vocabulary.
const ITEMS: usize = 1;

/// Sections that most sheets read: HEADER, ITEM, ACCOUNT, PARTNER, ORGDATA, LIMIT, and two more.
const USUAL_SECTIONS: usize = 8;

#[cfg(test)]
mod tests;

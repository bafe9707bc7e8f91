//! Fields of SAP that are read whatever the sheet says: the figures that are compared, and limits.

use std::collections::BTreeSet;

use super::sheet::LIMIT;
use crate::cart::{Name, STANDARD, Selection, Vocabulary};

/// Names of the structures BBP_PDS_*. Those of a section that is not read have no place in the vocabulary.
#[derive(Debug)]
pub struct Names {
    /// The total of a header.
    pub total_value: Name,
    /// The kind of an item.
    pub item_type: Name,
    /// The quantity of an item.
    pub quantity: Name,
    /// The price of an item.
    pub price: Name,
    /// The number of units that the price is for.
    pub price_unit: Name,
    /// The value of an item.
    pub value: Name,
    /// The measure of an account's share.
    pub indicator: Name,
    /// A share in percent.
    pub percent: Name,
    /// A share as a quantity.
    pub share_of_quantity: Name,
    /// A share as a value.
    pub share_of_value: Name,
    /// The rows of limits.
    pub limits: Selection,
    /// The value of a limit.
    pub limit: Name,
    /// The value that is expected within a limit.
    pub expected_value: Name,
}

impl Names {
    /// Gives each name its place among the fields of a sheet that reads these sections.
    pub fn of(sections: &BTreeSet<Name>, vocabulary: &mut Vocabulary) -> Self {
        let mut place = |section: &Name, field: &str| {
            let (mut section, mut field) = (section.clone(), Name::of(field));
            if [&STANDARD.header, &STANDARD.item].contains(&&section) || sections.contains(&section) {
                vocabulary.add_field(&mut section, &mut field);
            }
            field
        };
        let (header, item, account, limit) = (&STANDARD.header, &STANDARD.item, &STANDARD.account, Name::of(LIMIT));
        let mut names = Self {
            total_value: place(header, "TOTAL_VALUE"),
            item_type: place(item, "ITM_TYPE"),
            quantity: place(item, "QUANTITY"),
            price: place(item, "PRICE"),
            price_unit: place(item, "PRICE_UNIT"),
            value: place(item, "VALUE"),
            indicator: place(account, "DIST_IND"),
            percent: place(account, "DISTR_PERC"),
            share_of_quantity: place(account, "DIST_QUAN"),
            share_of_value: place(account, "DIST_VALUE"),
            limit: place(&limit, "LIMIT"),
            expected_value: place(&limit, "EXP_VALUE"),
            limits: Selection { section: limit, conditions: Vec::new() },
        };
        vocabulary.add_section(&mut names.limits.section);
        names
    }
}

//! Currencies without two decimals, whose amounts SAP may store shifted (TCURX).

mod delivered;

use std::sync::LazyLock;

use rust_decimal::Decimal;

use super::conversion::{Conversion, decimal};
use super::defect::Defect;
use super::sheet::{Rule, Source};
use super::table::{ReadTable, Tables};
use crate::cart::Name;
use crate::message::quoted;

/// The folder's own table of decimals, which goes before the delivered one: customers change TCURX.
pub const CURRENCY_DECIMALS: &str = "currency-decimals";

/// No currency of TCURX has more (USDN).
const MAX_DECIMALS: u32 = 5;

/// Decimals of most currencies, and of every amount that is stored shifted.
const USUAL_DECIMALS: u32 = 2;

/// Standard fields of type CURR (BBP_PDS structures): what `mapping.shifted_amounts` shifts in a plain `decimal` row.
static CURRENCY_FIELDS: LazyLock<[Name; 7]> = LazyLock::new(|| {
    ["TOTAL_VALUE", "PRICE", "VALUE", "DIST_VALUE", "GROSS_PRICE", "LIMIT", "EXP_VALUE"].map(Name::of)
});

/// How the sender stores currency amounts (TCURX).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// 100 JPY is 100.
    Unshifted,
    /// 100 JPY is 1.00: every amount as if its currency had two decimals.
    Shifted,
}

impl Amounts {
    /// The setting's part in the hash that names a mapping's version: another text would change every version.
    pub(super) const fn version_label(self) -> &'static str {
        match self {
            Self::Unshifted => "AsTheyAre",
            Self::Shifted => "Shifted",
        }
    }
}

/// What is wrong with the folder's own table of decimals: a wrong number would move every amount of a currency by powers of ten.
pub fn decimals_defects(file: &str, read: &ReadTable) -> Vec<Defect> {
    if read.table.key_columns.len() > 1 {
        let problem = "expected the columns currency,decimals: mapping.shifted_amounts looks up the currency alone";
        return vec![Defect::new(file, problem)];
    }
    if let Some(any_other) = read.rows.iter().find(|row| row.is_any_other()) {
        let problem =
            "* stands for any other currency; decimals are never guessed, so each currency needs a row of its own";
        return vec![Defect::in_line(file, any_other.line, problem)];
    }
    let fits = |value: &str| value.parse().is_ok_and(|decimals: u32| decimals <= MAX_DECIMALS);
    let wrong = read.rows.iter().filter(|row| !row.value.is_empty() && !fits(&row.value));
    wrong
        .map(|row| {
            let problem = format!("{} is no number of decimals; expected 0 to {MAX_DECIMALS}", quoted(&row.value));
            Defect::in_cell(file, row.line, &read.value_column, problem)
        })
        .collect()
}

/// The decimals of a currency: those of the folder's table, else as SAP delivers them; `None` for one that neither has.
pub fn decimals(currency: &str, tables: &Tables) -> Option<u32> {
    let listed = tables.get(CURRENCY_DECIMALS).and_then(|table| table.get(&[currency.to_owned()]));
    listed.map_or_else(|| delivered::decimals(currency), |decimals| decimals.parse().ok())
}

/// A stored amount without its shift; `None` where a digit would be lost.
pub fn unshifted(stored: Decimal, decimals: u32) -> Option<Decimal> {
    decimal::times_ten_to(USUAL_DECIMALS.cast_signed().checked_sub(i32::try_from(decimals).ok()?)?, stored)
}

/// True for a rule whose value is a currency amount: `as amount`, or `as decimal` of a standard CURR field.
pub fn is_amount(rule: &Rule) -> bool {
    match rule.conversion {
        Conversion::Amount => true,
        Conversion::Decimal => rule.sources.first().is_some_and(is_standard_amount),
        _ => false,
    }
}

/// True for a standard CURR field.
pub fn is_standard_amount(source: &Source) -> bool {
    source.field().is_some_and(|field| CURRENCY_FIELDS.contains(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::table::Table;

    fn shipped() -> Table {
        Table::parse(CURRENCY_DECIMALS, include_str!("../../mapping/tables/currency-decimals.csv")).unwrap()
    }

    #[test]
    fn the_shipped_table_is_the_delivered_one() {
        let shipped = shipped();
        for (list, decimals) in delivered::LISTS {
            for currency in list.split(' ') {
                let listed =
                    shipped.get(&[currency.to_owned()]).map_or(USUAL_DECIMALS, |listed| listed.parse().unwrap());
                assert_eq!(listed, decimals, "{currency}");
            }
        }
        let unusual = delivered::LISTS.iter().filter(|(_, decimals)| *decimals != USUAL_DECIMALS);
        let listed: usize = unusual.map(|(list, _)| list.split(' ').count()).sum();
        assert_eq!(shipped.values().count(), listed);
    }

    #[test]
    fn amounts_move_by_the_decimals_of_their_currency() {
        let table = |text| Tables::from([(CURRENCY_DECIMALS.to_owned(), Table::parse("t", text).unwrap())]);
        let own = table("currency,decimals\nISK,0\nHUF,2\nPTS,1\n");
        for (currency, tables, expected) in [
            ("HUF", &Tables::new(), Some("5000")),
            ("JPY", &Tables::new(), Some("5000")),
            ("EUR", &Tables::new(), Some("50")),
            ("ISK", &Tables::new(), Some("50")),
            ("TND", &Tables::new(), Some("5")),
            ("USDN", &Tables::new(), Some("0.05")),
            ("XYZ", &Tables::new(), None),
            ("", &Tables::new(), None),
            ("ISK", &own, Some("5000")),
            ("HUF", &own, Some("50")),
            ("PTS", &own, Some("500")),
            ("JPY", &own, Some("5000")),
            ("XYZ", &own, None),
        ] {
            let stored = decimal::parse("50.00").unwrap();
            let amount =
                decimals(currency, tables).and_then(|decimals| unshifted(stored, decimals)).map(decimal::to_text);
            assert_eq!(amount.as_deref(), expected, "{currency}");
        }
    }
}

//! Currencies without two decimals, whose amounts SAP may store shifted (TCURX).

use rust_decimal::Decimal;

use super::conversion::{Conversion, decimal};
use super::defect::Defect;
use super::sheet::{Rule, Source};
use super::table::Tables;
use crate::cart::Name;

/// The table of currencies without two decimals (ISO 4217), needed by `mapping.shifted_amounts`.
const CURRENCY_DECIMALS: &str = "currency-decimals";

/// No currency of ISO 4217 has more.
const MAX_DECIMALS: u32 = 4;

/// Decimals of a currency that the table does not list, and of every amount that is stored shifted.
const USUAL_DECIMALS: u32 = 2;

/// Standard fields of type CURR (BBP_PDS structures): what `mapping.shifted_amounts` shifts in a plain `decimal` row.
const CURRENCY_FIELDS: [&str; 5] = ["TOTAL_VALUE", "PRICE", "VALUE", "DIST_VALUE", "GROSS_PRICE"];

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

/// A wrong number of decimals would move every amount of a currency by powers of ten.
pub fn decimals_defect(tables: &Tables) -> Option<Defect> {
    let fits = |value: &str| value.parse().is_ok_and(|decimals: u32| decimals <= MAX_DECIMALS);
    let expected = "mapping.shifted_amounts needs it with the columns currency,decimals, and decimals from 0 to 4";
    let problem = match tables.get(CURRENCY_DECIMALS) {
        None => "missing",
        Some(table) if table.key_columns.len() != 1 || !table.values().all(fits) => "can't be used",
        Some(_) => return None,
    };
    Some(Defect::new(&format!("tables/{CURRENCY_DECIMALS}.csv"), format!("{problem}; {expected}")))
}

/// A stored amount without its shift; `None` where a digit would be lost.
pub fn unshifted(stored: Decimal, currency: &str, tables: &Tables) -> Option<Decimal> {
    let listed = tables.get(CURRENCY_DECIMALS).and_then(|table| table.get(&[currency.to_owned()]));
    let decimals = listed.and_then(|decimals| decimals.parse().ok()).unwrap_or(USUAL_DECIMALS);
    decimal::times_ten_to(USUAL_DECIMALS.cast_signed().checked_sub(i32::try_from(decimals).ok()?)?, stored)
}

/// True for a rule whose value is a currency amount: `as amount`, or `as decimal` of a standard CURR field.
pub fn is_amount(rule: &Rule) -> bool {
    let is_standard = |source: &Source| {
        let (_, field) = source.section_and_field();
        CURRENCY_FIELDS.iter().any(|standard| Name::of(standard) == Name::of(field))
    };
    match rule.conversion {
        Conversion::Amount => true,
        Conversion::Decimal => rule.sources.first().is_some_and(is_standard),
        _ => false,
    }
}

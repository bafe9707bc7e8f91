//! Amounts that SAP stores by the decimals of their currency (`mapping.shifted_amounts`).

use rust_decimal::Decimal;

use super::mistake::mistake;
use super::place::of_item;
use crate::cart::{JoinedCart, Row, STANDARD, Scope};
use crate::mapping::conversion::{OrderValue, decimal};
use crate::mapping::currency;
use crate::mapping::sheet::{Rule, Source};
use crate::mapping::table::Tables;
use crate::message::{Message, MessageCode, quoted};

/// An amount without its shift.
///
/// # Errors
/// A value that is no decimal, or whose currency has unknown decimals: they are never guessed.
pub fn amount(
    cart: &JoinedCart<'_>,
    tables: &Tables,
    rule: &Rule,
    scope: Scope,
    text: &str,
) -> Result<OrderValue<'static>, Message> {
    let source = rule.sources.first();
    let unreadable = || {
        let problem = format!("is {}; expected {}", quoted(text), rule.conversion.expected());
        mistake(cart, MessageCode::Unreadable, source, scope, &problem)
    };
    let stored = decimal::parse(text).ok_or_else(unreadable)?;
    let number = unshifted(cart, tables, source, scope, stored)?.ok_or_else(unreadable)?;
    Ok(decimal::to_text(number).into())
}

/// A stored number of a source without its shift; `None` where a digit would be lost.
///
/// # Errors
/// A currency whose decimals are unknown.
pub fn unshifted(
    cart: &JoinedCart<'_>,
    tables: &Tables,
    source: Option<&Source>,
    scope: Scope,
    stored: Decimal,
) -> Result<Option<Decimal>, Message> {
    let (section, position, currency) = currency_of(cart, source, scope);
    let decimals = currency::decimals(&currency, tables).ok_or_else(|| {
        let of_item = if position == 0 { String::new() } else { of_item(cart, scope) };
        let text = format!(
            "{section}.CURRENCY{of_item} is {}; mapping.shifted_amounts needs its decimals, and neither SAP's delivered TCURX \
             nor tables/{}.csv has it",
            if currency.is_empty() { "missing".to_owned() } else { quoted(&currency) },
            currency::CURRENCY_DECIMALS,
        );
        Message::new(MessageCode::UnknownKey, text).at(&section, "CURRENCY", position)
    })?;
    Ok(currency::unshifted(stored, decimals))
}

/// The currency of an amount, with the section and the position that it is from: of the amount's own row (LIMIT has one),
/// else of its item, else of the header.
fn currency_of(cart: &JoinedCart<'_>, source: Option<&Source>, scope: Scope) -> (String, usize, String) {
    let currency = |row: Row<'_>| row.text(&STANDARD.currency).map(|text| text.to_ascii_uppercase());
    let position = cart.position(scope);
    let of_row = source.and_then(Source::selection).filter(|selection| selection.section != STANDARD.header);
    let own =
        of_row.and_then(|selection| Some((&selection.section, cart.rows(selection, scope).next().and_then(currency)?)));
    let item = scope.item().and_then(|item| cart.items.get(item));
    match (own, item.and_then(|item| currency(item.row))) {
        (Some((section, own)), _) => (section.spelling().to_owned(), position, own),
        (None, Some(of_item)) => ("ITEM".to_owned(), position, of_item),
        (None, None) => ("HEADER".to_owned(), 0, currency(cart.header()).unwrap_or_default()),
    }
}

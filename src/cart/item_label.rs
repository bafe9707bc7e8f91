//! How messages name an item: by its position in the cart as sent, and by its number, which people see in SRM.

use super::sections::Row;
use super::standard::STANDARD;
use crate::message::quoted_up_to;

/// NUMBER_INT is NUMC10.
const NUMBER_CHARS: usize = 10;

/// `item 2 (NUMBER_INT 0000000020)`; the position counts from 1.
pub fn item_label(row: Row<'_>, position: usize) -> String {
    number(row).map_or_else(|| format!("item {position}"), |number| format!("item {position} (NUMBER_INT {number})"))
}

/// `item 2, NUMBER_INT 0000000020`, for a place that has brackets around it.
pub fn item_in_brackets(row: Row<'_>, position: usize) -> String {
    number(row).map_or_else(|| format!("item {position}"), |number| format!("item {position}, NUMBER_INT {number}"))
}

/// The number as sent; quoted where it is none.
fn number(row: Row<'_>) -> Option<String> {
    let number = row.text(&STANDARD.number_int)?;
    let is_plain = number.len() <= NUMBER_CHARS && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Some(if is_plain { number.into_owned() } else { quoted_up_to(&number, NUMBER_CHARS) })
}

//! Lines of one number: what is said about one of them later could be about any.

use std::borrow::Cow;

use super::skips::Skips;
use crate::cart::{JoinedCart, STANDARD, Scope, is_initial, without_leading_zeros};
use crate::message::{Message, MessageCode, quoted};

/// A mistake for each item that has the number of an earlier one. Deleted and skipped items are no lines.
pub fn repeated_numbers(cart: &JoinedCart<'_>, skips: &Skips<'_>) -> Vec<Message> {
    let mut numbers: Vec<(Cow<'_, str>, usize)> = Vec::with_capacity(cart.items.len());
    for (index, item) in cart.items.iter().enumerate() {
        let number = item.row.text(&STANDARD.number_int).filter(|number| !is_initial(number));
        numbers.extend(number.filter(|_| skips.counts(Scope::Item(index))).map(|number| (number, item.position)));
    }
    // Most carts count upwards, in numbers of one width.
    if numbers.is_sorted_by(|(left, _), (right, _)| left.len() == right.len() && left < right) {
        return Vec::new();
    }
    numbers.sort_by(|(left, _), (right, _)| without_leading_zeros(left).cmp(without_leading_zeros(right)));
    let mut mistakes = Vec::new();
    for same in numbers.chunk_by(|(left, _), (right, _)| without_leading_zeros(left) == without_leading_zeros(right)) {
        let Some(((_, first), others)) = same.split_first() else { continue };
        for (number, position) in others {
            let number = quoted(number);
            let text = format!("ITEM.NUMBER_INT of item {position} is {number}, the number of item {first} too");
            mistakes.push(Message::new(MessageCode::RepeatedNumber, text).at("ITEM", "NUMBER_INT", *position));
        }
    }
    mistakes.sort_by_key(|mistake| mistake.row);
    mistakes
}

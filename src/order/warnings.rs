//! The warnings of an accepted cart, as many as an order keeps. Pure.

use crate::message::{Message, MessageCode};

/// Warnings that an order keeps: enough to see what is wrong with a cart, and a few kilobytes in each record and answer. A
/// cart of a thousand items may have one for each.
const MAX_WARNINGS_KEPT: usize = 20;

/// The first warnings, and after them how many more there were.
pub fn bounded_warnings(mut warnings: Vec<Message>) -> Vec<Message> {
    let more = warnings.len().saturating_sub(MAX_WARNINGS_KEPT);
    if more > 0 {
        warnings.truncate(MAX_WARNINGS_KEPT);
        let text = format!("{more} more warnings are not kept; the preview of the cart lists them all");
        warnings.push(Message::new(MessageCode::FurtherWarnings, text));
        warnings.shrink_to_fit();
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_warnings_are_kept_and_the_others_counted() {
        let warnings = |count: usize| -> Vec<Message> {
            (0..count).map(|row| Message::new(MessageCode::Duplicate, "check it").at("ITEM", "VALUE", row)).collect()
        };
        for few in [0, 1, MAX_WARNINGS_KEPT] {
            assert_eq!(bounded_warnings(warnings(few)), warnings(few), "{few}");
        }
        let kept = bounded_warnings(warnings(1_000));
        assert_eq!(kept[..MAX_WARNINGS_KEPT], warnings(MAX_WARNINGS_KEPT));
        assert_eq!(kept.len(), MAX_WARNINGS_KEPT + 1);
        assert!(kept[MAX_WARNINGS_KEPT].message.starts_with("980 more warnings"), "{kept:?}");
    }
}

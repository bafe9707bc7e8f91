//! A cart that is a part of a text, unread.

use crate::cart::CartError;

/// One cart of a text, unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawCart<'t> {
    /// The cart's text.
    pub text: &'t str,
    /// The whole text before the cart.
    before: &'t str,
}

impl<'t> RawCart<'t> {
    /// The cart `text`, which is a part of the whole text `all`.
    pub fn in_text(all: &'t str, text: &'t str) -> Self {
        let before = all.get(..(text.as_ptr() as usize).saturating_sub(all.as_ptr() as usize));
        Self { text, before: before.unwrap_or_default() }
    }

    /// Counts the place of a mistake in the cart from the start of the whole text.
    pub fn place_in_text(self, error: CartError) -> CartError {
        let CartError::Malformed { line, column, detail } = error else { return error };
        let lines = self.before.matches('\n').count();
        let columns = self.before.len() - self.before.rfind('\n').map_or(0, |at| at + 1);
        CartError::Malformed { line: line + lines, column: if line == 1 { column + columns } else { column }, detail }
    }
}

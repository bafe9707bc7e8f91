//! The order's body, written as JSON text from its start to its end.

use crate::mapping::conversion::OrderValue;

/// Bytes that are reserved at the start: an order of three lines.
const USUAL_BYTES: usize = 2048;

/// The text so far. What turns out to be empty is taken back.
#[derive(Debug)]
pub struct Body(Vec<u8>);

impl Default for Body {
    fn default() -> Self {
        Self(Vec::with_capacity(USUAL_BYTES))
    }
}

/// A length of the text to which it can be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize);

impl Body {
    /// Opens an object or a list.
    pub fn begin(&mut self, bracket: u8) -> Mark {
        let mark = Mark(self.0.len());
        self.0.push(bracket);
        mark
    }

    /// Begins a member of the object that was opened at `object`. The names of targets need no escapes.
    pub fn begin_member(&mut self, object: Mark, name: &str) -> Mark {
        let mark = self.begin_entry(object);
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        mark
    }

    /// Begins an entry of the list that was opened at `list`.
    pub fn begin_entry(&mut self, list: Mark) -> Mark {
        let mark = Mark(self.0.len());
        if self.has_content(list) {
            self.0.push(b',');
        }
        mark
    }

    /// Writes a value.
    pub fn value(&mut self, value: &OrderValue<'_>) {
        // Writing into memory can't fail, nor can a value without other keys than strings.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    /// Takes back what was written since a mark.
    pub fn undo(&mut self, mark: Mark) {
        self.0.truncate(mark.0);
    }

    /// Closes what was opened at `start`; takes it back, and returns false, if it is empty.
    pub fn end(&mut self, start: Mark, bracket: u8) -> bool {
        let has_content = self.has_content(start);
        if has_content {
            self.0.push(bracket);
        } else {
            self.undo(start);
        }
        has_content
    }

    /// Writes an object without members.
    pub fn empty_object(&mut self) {
        self.0.extend_from_slice(b"{}");
    }

    /// The whole text.
    pub fn take(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.0)).unwrap_or_default()
    }

    const fn has_content(&self, start: Mark) -> bool {
        self.0.len() > start.0 + 1
    }
}

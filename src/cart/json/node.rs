//! One value of a scanned text, as positions.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string that is its own text.
    Text,
    /// A string with escapes.
    EscapedText,
    Object,
    List,
}

/// A member's name as positions in the text, without its quotation marks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NameSpan {
    pub at: u32,
    pub len: u32,
    /// Of the folded form.
    pub hash: u32,
    pub escaped: bool,
}

impl NameSpan {
    /// Start and end.
    pub const fn range(self) -> (usize, usize) {
        (self.at as usize, self.at as usize + self.len as usize)
    }
}

/// A value: where it is, and what it is called. Positions have 32 bits, because a text may have as many nodes as bytes.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub kind: Kind,
    pub name_escaped: bool,
    /// Whether a list or an object is directly inside of it.
    pub is_nesting: bool,
    name_at: u32,
    name_len: u32,
    /// Of the folded form.
    pub name_hash: u32,
    at: u32,
    end: u32,
    /// The index of the value that follows this one and all that is inside of it.
    pub next: u32,
    /// Of an object: the first of a series of objects whose members have the same names in the same order.
    pub alike: u32,
}

impl Node {
    /// Stands for a value that is not there.
    pub const NULL: Self = Self::new(Kind::Null, NameSpan { at: 0, len: 0, hash: 0, escaped: false }, 0, 0, 0);

    pub const fn new(kind: Kind, name: NameSpan, at: u32, end: u32, next: u32) -> Self {
        let NameSpan { at: name_at, len: name_len, hash: name_hash, escaped: name_escaped } = name;
        Self { kind, name_escaped, is_nesting: false, name_at, name_len, name_hash, at, end, next, alike: 0 }
    }

    /// Start and end of a string's content or of a number.
    pub const fn content(&self) -> (usize, usize) {
        (self.at as usize, self.end as usize)
    }

    /// Its name, as another value has it whose name begins at `at`.
    pub const fn name_span(&self, at: u32) -> NameSpan {
        NameSpan { at, len: self.name_len, hash: self.name_hash, escaped: self.name_escaped }
    }

    /// Start and end of the name.
    pub const fn name(&self) -> (usize, usize) {
        (self.name_at as usize, self.name_at as usize + self.name_len as usize)
    }
}

//! JSON (RFC 8259) as positions in its text: one strict pass over it, nothing copied, no number turned into a float.

mod node;
mod number;
mod open;
mod scanner;
mod text;

use std::borrow::Cow;
use std::fmt;

use super::name::Name;
use node::{Kind, Node};
pub use number::{Digits, whole};
pub use scanner::Fault;
use scanner::Scanner;
pub use text::REPLACEMENT;

/// A scanned text: its values in the order of the text, each followed by the values inside of it.
pub struct Document<'j> {
    text: &'j str,
    nodes: Vec<Node>,
    has_true: bool,
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("values", &self.nodes.len()).finish_non_exhaustive()
    }
}

impl<'j> Document<'j> {
    /// Scans a text.
    ///
    /// # Errors
    /// The first place where the text is no JSON, names a member of an object twice in one spelling, or opens more than
    /// `max_depth` lists and objects inside of each other.
    pub fn scan(text: &'j str, max_depth: usize) -> Result<Self, Fault> {
        let (nodes, has_true) = Scanner::new(text, max_depth)?.document()?;
        Ok(Self { text, nodes, has_true })
    }

    /// Whether a value is `true`.
    pub const fn has_true(&self) -> bool {
        self.has_true
    }

    /// The whole text.
    pub const fn text(&self) -> &'j str {
        self.text
    }

    /// Bytes of the text.
    pub const fn len(&self) -> usize {
        self.text.len()
    }

    /// The value at an index, which an earlier [`Value::index`] gave; 0 is the whole text.
    pub fn value(&self, index: usize) -> Value<'_> {
        Value { document: self, index }
    }
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, digit for digit.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

/// One value of a document.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    document: &'d Document<'d>,
    index: usize,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.form(), self.index)
    }
}

impl<'d> Value<'d> {
    #[inline]
    fn node(self) -> &'d Node {
        self.document.nodes.get(self.index).unwrap_or(&Node::NULL)
    }

    /// Where the document has this value.
    pub const fn index(self) -> usize {
        self.index
    }

    /// Another value of the same document.
    pub const fn at(self, index: usize) -> Self {
        Self { document: self.document, index }
    }

    /// What it is.
    #[inline]
    pub fn form(self) -> Form {
        match self.node().kind {
            Kind::Null => Form::Null,
            Kind::True => Form::Flag(true),
            Kind::False => Form::Flag(false),
            Kind::Number => Form::Number,
            Kind::Text | Kind::EscapedText => Form::Text,
            Kind::List => Form::List,
            Kind::Object => Form::Object,
        }
    }

    /// The text of a string; the digits of a number; nothing of any other value.
    #[inline]
    pub fn text(self) -> Cow<'d, str> {
        let node = self.node();
        match node.kind {
            Kind::Text | Kind::Number => Cow::Borrowed(self.document.part(node.content())),
            Kind::EscapedText => text::decode(self.document.part(node.content())),
            _ => Cow::Borrowed(""),
        }
    }

    /// The name under which its object has it; empty for an entry of a list.
    #[inline]
    pub fn name(self) -> Cow<'d, str> {
        self.document.name(self.node())
    }

    /// Whether `name` is the name's folded form.
    pub fn is_named(self, name: &Name) -> bool {
        let node = self.node();
        node.name_hash == name.hash() && name.matches(&self.document.name(node))
    }

    /// The hash of the name's folded form ([`super::name::FoldedHash`]).
    pub fn name_hash(self) -> u32 {
        self.node().name_hash
    }

    /// Whether a list or an object is directly inside of it.
    pub fn is_nesting(self) -> bool {
        self.node().is_nesting
    }

    /// The same for objects whose members certainly have the same names in the same order: rows of one section.
    pub fn alike(self) -> usize {
        self.node().alike as usize
    }

    /// The members of an object or the entries of a list, in the order of the text.
    pub fn inside(self) -> Inside<'d> {
        let end = match self.node().kind {
            Kind::List | Kind::Object => self.node().next as usize,
            _ => 0,
        };
        Inside { document: self.document, at: self.index + 1, end }
    }
}

impl<'j> Document<'j> {
    #[inline]
    fn part(&self, (start, end): (usize, usize)) -> &'j str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn name(&self, node: &Node) -> Cow<'j, str> {
        let raw = self.part(node.name());
        if node.name_escaped { text::decode(raw) } else { Cow::Borrowed(raw) }
    }
}

/// The values directly inside of an object or a list.
#[derive(Debug, Clone)]
pub struct Inside<'d> {
    document: &'d Document<'d>,
    at: usize,
    end: usize,
}

impl<'d> Iterator for Inside<'d> {
    type Item = Value<'d>;

    fn next(&mut self) -> Option<Value<'d>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { document: self.document, index: self.at };
        self.at = (value.node().next as usize).max(self.at + 1);
        Some(value)
    }
}

#[cfg(test)]
mod tests;

//! The one pass over a text: RFC 8259 to the letter, with bounded nesting and no name twice in one object.

use std::borrow::Cow;

use super::node::{Kind, NameSpan, Node};
use super::open::Open;
use super::text::{decode, is_plain};
use crate::cart::name::FoldedHash;

/// Bytes of text for each node that is reserved at the start: a cart has about 17 a value.
const BYTES_PER_NODE: usize = 16;

/// Why a text is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    /// The problem at that place.
    pub detail: Cow<'static, str>,
}

type Scanned<T> = Result<T, Fault>;

/// Reads a text from its start.
pub struct Scanner<'j> {
    text: &'j str,
    bytes: &'j [u8],
    at: usize,
    nodes: Vec<Node>,
    open: Vec<Open<'j>>,
    max_depth: usize,
    /// Whether a value so far is `true`.
    has_true: bool,
}

impl<'j> Scanner<'j> {
    pub fn new(text: &'j str, max_depth: usize) -> Scanned<Self> {
        let scanner = Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            nodes: Vec::with_capacity(text.len() / BYTES_PER_NODE + 1),
            open: Vec::with_capacity(max_depth.min(8)),
            max_depth,
            has_true: false,
        };
        // Positions have 32 bits.
        if u32::try_from(text.len()).is_ok() { Ok(scanner) } else { scanner.fault("the text is too long") }
    }

    /// The nodes of the whole text, and whether `true` is one of them.
    pub fn document(mut self) -> Scanned<(Vec<Node>, bool)> {
        self.skip_blanks();
        self.value(NameSpan::default())?;
        while let Some(open) = self.open.last() {
            let first = open.members == 0;
            if open.is_list { self.next_entry(first)? } else { self.next_member(first)? }
        }
        self.skip_blanks();
        if self.at < self.bytes.len() {
            return self.fault("trailing characters");
        }
        Ok((self.nodes, self.has_true))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn next_entry(&mut self, first: bool) -> Scanned<()> {
        self.skip_blanks();
        match self.peek() {
            Some(b']') => {
                self.close();
                return Ok(());
            }
            Some(b',') if !first => {
                self.at += 1;
                self.skip_blanks();
                if self.peek() == Some(b']') {
                    return self.fault("trailing comma");
                }
            }
            None => return self.fault("EOF while parsing a list"),
            _ if first => {}
            _ => return self.fault("expected `,` or `]`"),
        }
        if let Some(open) = self.open.last_mut() {
            open.count_entry();
        }
        self.value(NameSpan::default())
    }

    fn next_member(&mut self, first: bool) -> Scanned<()> {
        self.skip_blanks();
        match self.peek() {
            Some(b'}') => {
                self.close();
                return Ok(());
            }
            Some(b',') if !first => {
                self.at += 1;
                self.skip_blanks();
                match self.peek() {
                    Some(b'}') => return self.fault("trailing comma"),
                    None => return self.fault("EOF while parsing a value"),
                    _ => {}
                }
            }
            None => return self.fault("EOF while parsing an object"),
            _ if first => {}
            _ => return self.fault("expected `,` or `}`"),
        }
        if self.peek() != Some(b'"') {
            return self.fault("key must be a string");
        }
        let name = match self.expected_name() {
            Some(name) => name,
            None => self.name()?,
        };
        self.skip_blanks();
        match self.peek() {
            Some(b':') => self.at += 1,
            None => return self.fault("EOF while parsing an object"),
            Some(_) => return self.fault("expected `:`"),
        }
        self.skip_blanks();
        self.value(name)
    }

    fn value(&mut self, name: NameSpan) -> Scanned<()> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => {
                let escaped = self.string()?;
                let kind = if escaped { Kind::EscapedText } else { Kind::Text };
                self.push(kind, name, start + 1, self.at - 1);
                return Ok(());
            }
            Some(b'{') => return self.open(Kind::Object, name),
            Some(b'[') => return self.open(Kind::List, name),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => {
                self.has_true = true;
                self.word(b"true", Kind::True)?
            }
            Some(b'f') => self.word(b"false", Kind::False)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            None => return self.fault("EOF while parsing a value"),
            Some(_) => return self.fault("expected value"),
        };
        self.push(kind, name, start, self.at);
        Ok(())
    }

    /// Every position fits: the text's length does, and it has at least as many bytes as nodes.
    #[expect(clippy::cast_possible_truncation, reason = "`new` refuses a text whose length has more than 32 bits")]
    fn push(&mut self, kind: Kind, name: NameSpan, start: usize, end: usize) {
        let next = self.nodes.len() + 1;
        self.nodes.push(Node::new(kind, name, start as u32, end as u32, next as u32));
    }

    fn open(&mut self, kind: Kind, name: NameSpan) -> Scanned<()> {
        if self.open.len() >= self.max_depth {
            let most = self.max_depth;
            return self.fault(format!("nested too deep; at most {most} lists and objects inside of each other"));
        }
        let outer = self.open.last().and_then(|outer| self.nodes.get_mut(outer.node));
        if let Some(outer) = outer {
            outer.is_nesting = true;
        }
        let node = self.nodes.len();
        self.open.push(Open::new(node, kind == Kind::List, self.open.last(), &self.nodes));
        self.push(kind, name, self.at, self.at);
        self.at += 1;
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "`new` refuses a text whose length has more than 32 bits")]
    fn close(&mut self) {
        self.at += 1;
        let next = self.nodes.len() as u32;
        let Some(closed) = self.open.pop() else { return };
        if let Some(node) = self.nodes.get_mut(closed.node) {
            node.next = next;
            node.alike = closed.alike().unwrap_or(closed.node as u32);
        }
        if let Some(list) = self.open.last_mut().filter(|outer| outer.is_list && !closed.is_list) {
            list.closed(closed.node);
        }
    }

    /// Reads a string, whose opening quotation mark is next; true if it has escapes.
    fn string(&mut self) -> Scanned<bool> {
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| !is_plain(*byte));
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.fault("control character (\\u0000-\\u001F) found while parsing a string"),
                None => return self.fault("EOF while parsing a string"),
            }
        }
    }

    /// Checks an escape, whose backslash is next.
    fn escape(&mut self) -> Scanned<()> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    match self.peek() {
                        Some(digit) if digit.is_ascii_hexdigit() => self.at += 1,
                        Some(_) => return self.fault("invalid escape"),
                        None => return self.fault("EOF while parsing a string"),
                    }
                }
            }
            Some(_) => return self.fault("invalid escape"),
            None => return self.fault("EOF while parsing a string"),
        }
        Ok(())
    }

    /// Reads a member's name, whose opening quotation mark is next, and counts the member, if an earlier object has the
    /// same name in this place.
    #[expect(clippy::cast_possible_truncation, reason = "`new` refuses a text whose length has more than 32 bits")]
    fn expected_name(&mut self) -> Option<NameSpan> {
        let open = self.open.last_mut()?;
        let expected = open.expected(&self.nodes)?;
        let (start, end) = expected.name();
        let rest = self.bytes.get(self.at + 1..)?.strip_prefix(self.bytes.get(start..end)?)?;
        if rest.first() != Some(&b'"') {
            return None;
        }
        open.count_expected(expected);
        let at = self.at + 1;
        self.at = at + (end - start) + 1;
        Some(expected.name_span(at as u32))
    }

    /// Reads a member's name, whose opening quotation mark is next, and counts the member.
    #[expect(clippy::cast_possible_truncation, reason = "`new` refuses a text whose length has more than 32 bits")]
    fn name(&mut self) -> Scanned<NameSpan> {
        let quote = self.at;
        let rest = self.bytes.get(quote + 1..).unwrap_or_default();
        let mut hash = FoldedHash::EMPTY;
        let mut len = 0;
        for byte in rest {
            if !is_plain(*byte) {
                break;
            }
            hash = hash.with(*byte);
            len += 1;
        }
        let escaped = rest.get(len) != Some(&b'"') && self.string()?;
        if escaped {
            hash = self.decoded(quote + 1, self.at - 1).bytes().fold(FoldedHash::EMPTY, FoldedHash::with);
        } else {
            self.at = quote + len + 2;
        }
        let end = self.at - 1;
        let span = NameSpan { at: quote as u32 + 1, len: (end - quote - 1) as u32, hash: hash.finish(), escaped };
        let is_new = self.open.last_mut().is_none_or(|open| open.count(span, self.text, &self.nodes));
        if !is_new {
            let name = self.decoded(quote + 1, end).into_owned();
            self.at = quote;
            return self.fault(format!("the name {name:?} appears twice in one object"));
        }
        Ok(span)
    }

    fn decoded(&self, start: usize, end: usize) -> Cow<'j, str> {
        decode(self.text.get(start..end).unwrap_or_default())
    }

    /// Reads a number, of which the first byte is next.
    fn number(&mut self) -> Scanned<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => {
                self.at += 1;
                if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                    return self.fault("invalid number");
                }
            }
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Scanned<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > start => Ok(()),
            Some(_) => self.fault("invalid number"),
            None => self.fault("EOF while parsing a value"),
        }
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Scanned<Kind> {
        for expected in word {
            match self.peek() {
                Some(byte) if byte == *expected => self.at += 1,
                Some(_) => return self.fault("expected ident"),
                None => return self.fault("EOF while parsing a value"),
            }
        }
        Ok(kind)
    }

    /// A fault at the byte that is next; at the end of the text, at the last one.
    #[cold]
    fn fault<T>(&self, detail: impl Into<Cow<'static, str>>) -> Scanned<T> {
        let before = self.bytes.get(..self.at).unwrap_or(self.bytes);
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.split(|byte| *byte == b'\n').count();
        let at_end = usize::from(self.at >= self.bytes.len());
        let column = (before.len() - line_start + 1 - at_end).max(1);
        Err(Fault { line, column, detail: detail.into() })
    }
}

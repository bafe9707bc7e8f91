//! The tables of messages, read from the page of the documentation that has them: one text for both.

use std::sync::LazyLock;

const DOCUMENT: &str = include_str!("../../docs/messages.md");

/// The messages of one subject.
#[derive(Debug, PartialEq, Eq)]
pub struct MessageGroup {
    /// Its heading.
    pub title: &'static str,
    /// What is said of all of them.
    pub introduction: Vec<Span>,
    /// Each message.
    pub entries: Vec<MessageEntry>,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub struct MessageEntry {
    /// BAPIRET2-NUMBER.
    pub number: &'static str,
    /// BAPIRET2-TYPE.
    pub kind: &'static str,
    /// What it means.
    pub meaning: Vec<Span>,
    /// Who acts, and how.
    pub action: Vec<Span>,
    /// Texts that it has.
    pub samples: Vec<String>,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Span {
    /// As it is.
    Text(String),
    /// In backticks.
    Code(String),
    /// In two asterisks.
    Strong(String),
}

/// Every group with a table of messages.
pub fn groups() -> &'static [MessageGroup] {
    static GROUPS: LazyLock<Vec<MessageGroup>> = LazyLock::new(|| read(DOCUMENT));
    &GROUPS
}

fn read(document: &'static str) -> Vec<MessageGroup> {
    document.split("\n## ").skip(1).filter_map(group).collect()
}

fn group(text: &'static str) -> Option<MessageGroup> {
    let (title, body) = text.split_once('\n')?;
    let mut paragraphs = body.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).peekable();
    let introduction = paragraphs.next_if(|first| !first.starts_with('|')).map(unwrapped).unwrap_or_default();
    let mut entries = Vec::new();
    for paragraph in paragraphs {
        if paragraph.starts_with('|') {
            entries.extend(paragraph.lines().filter_map(entry));
        } else if paragraph.starts_with("- ") {
            paragraph.split("\n- ").for_each(|item| add_sample(&mut entries, item.trim_start_matches("- ")));
        }
    }
    (!entries.is_empty()).then(|| MessageGroup { title, introduction: spans(&introduction), entries })
}

/// A row such as `| **001** | E | meaning | action |`.
fn entry(row: &'static str) -> Option<MessageEntry> {
    let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
    let number = cells.next()?.strip_prefix("**")?.strip_suffix("**")?;
    let (kind, meaning, action) = (cells.next()?, cells.next()?, cells.next()?);
    Some(MessageEntry { number, kind, meaning: spans(meaning), action: spans(action), samples: Vec::new() })
}

/// An item such as ``001: `text` ``.
fn add_sample(entries: &mut [MessageEntry], item: &str) {
    let Some((number, text)) = item.split_once(": ") else { return };
    if let Some(entry) = entries.iter_mut().find(|entry| entry.number == number) {
        entry.samples.push(unwrapped(text).trim_matches('`').to_owned());
    }
}

/// A text without its line breaks.
fn unwrapped(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The parts of a text with backticks and asterisks.
fn spans(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    for (at, code) in text.split('`').enumerate() {
        if at % 2 == 1 {
            spans.push(Span::Code(code.to_owned()));
            continue;
        }
        for (at, part) in code.split("**").enumerate().filter(|(_, part)| !part.is_empty()) {
            spans.push(if at % 2 == 1 { Span::Strong(part.to_owned()) } else { Span::Text(part.to_owned()) });
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_tables_are_read_with_their_texts() {
        let entries: Vec<_> = groups().iter().flat_map(|group| &group.entries).collect();
        assert_eq!(entries.len(), DOCUMENT.matches("\n| **").count());
        for entry in entries {
            assert!(!entry.meaning.is_empty() && !entry.action.is_empty(), "{entry:?}");
            assert!(entry.samples.iter().all(|sample| !sample.contains(['`', '\n'])), "{entry:?}");
        }
        let samples: usize = groups().iter().flat_map(|group| &group.entries).map(|entry| entry.samples.len()).sum();
        assert!(samples > 20, "{samples} texts");
    }

    #[test]
    fn backticks_and_asterisks_mark_parts_of_a_text() {
        let text = |text: &str| Span::Text(text.to_owned());
        assert_eq!(
            spans("**The buyer** fills `a ** b`, or not"),
            [Span::Strong("The buyer".to_owned()), text(" fills "), Span::Code("a ** b".to_owned()), text(", or not"),]
        );
    }
}

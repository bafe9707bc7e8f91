//! The result for people, and in one line for the log.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::Hash;

use super::difference::Change;
use super::tally::{Count, Tally};
use super::{Comparison, Findings, MessageChange, MessageKind};

/// Lines of each section that are shown to people.
const MAX_LINES: usize = 40;

/// Differences that the one line for the log names.
const MAX_IN_LINE: usize = 5;

/// Kinds of difference of one field, up to which each has a line of its own. A text that differs in each order has one line
/// for all of them.
const MAX_KINDS_OF_FIELD: usize = 10;

/// Examples below that line.
const EXAMPLES_OF_FIELD: usize = 3;

/// One line of a section.
struct Line {
    orders: u64,
    places: u64,
    text: String,
    carts: Vec<String>,
    examples: Vec<String>,
}

impl Line {
    fn new(text: &str, count: &Count) -> Self {
        let &Count { orders, places, ref carts, .. } = count;
        let carts = carts.iter().map(|cart| printable(cart)).collect();
        Self { orders, places, text: printable(text), carts, examples: Vec::new() }
    }

    /// `regionCode "EMEA-SOUTH" → "EMEA-CENTRAL" (100)`
    fn in_line(&self) -> String {
        format!("{} ({})", self.text, self.places)
    }
}

/// A heading, and what is below it.
struct Section {
    heading: &'static str,
    /// What the line for the log puts before each of its parts.
    prefix: &'static str,
    lines: Vec<Line>,
    /// Places that no line counts.
    beyond: u64,
}

impl Comparison<'_> {
    /// The whole result in one line, for the log: `100 of 300: regionCode "EMEA-SOUTH" → "EMEA-CENTRAL" (100)`.
    pub fn summary(&self) -> String {
        let sections = self.found.sections();
        let mut parts = sections
            .iter()
            .flat_map(|section| section.lines.iter().map(|line| format!("{}{}", section.prefix, line.in_line())));
        let named: Vec<String> = parts.by_ref().take(MAX_IN_LINE).collect();
        let more = match parts.count() {
            0 => String::new(),
            count => format!("; and {count} more"),
        };
        let counts = format!("{} of {}", self.found.differing, self.found.carts);
        if named.is_empty() {
            format!("{counts}: no difference")
        } else {
            format!("{counts}: {}{more}", named.join("; "))
        }
    }
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.found;
        writeln!(f, "{} of {} orders would differ", found.differing, found.carts)?;
        if found.refused_by_both > 0 {
            writeln!(f, "{} of {} carts are refused by both", found.refused_by_both, found.carts)?;
        }
        for section in found.sections() {
            writeln!(f, "\n{}", section.heading)?;
            for line in section.lines.iter().take(MAX_LINES) {
                writeln!(f, "  {} of {}: {}", line.orders, found.carts, line.in_line())?;
                for example in &line.examples {
                    writeln!(f, "      {example}")?;
                }
                let more = if line.orders > line.carts.len() as u64 { ", …" } else { "" };
                writeln!(f, "      carts {}{more}", line.carts.join(", "))?;
            }
            match section.lines.len().saturating_sub(MAX_LINES) {
                0 => {}
                more => writeln!(f, "  and {more} more, see --json")?,
            }
            if section.beyond > 0 {
                writeln!(f, "  and {} places more, of too many kinds to tell them apart", section.beyond)?;
            }
        }
        Ok(())
    }
}

impl Findings {
    /// The sections that have something, the most dangerous first.
    fn sections(&self) -> Vec<Section> {
        let sections = [
            Section {
                heading: "Orders that would have another id: a cart that was ordered already would be ordered again",
                prefix: "another id: ",
                beyond: 0,
                lines: field_lines(&self.ids),
            },
            section("Refused from now on", "refused now: ", &self.refused_now, message_text),
            section("No longer refused; it was", "no longer refused: ", &self.mapped_now, message_text),
            Section { heading: "Fields that would differ", prefix: "", beyond: 0, lines: field_lines(&self.fields) },
            section("Warnings that would differ", "warning ", &self.warnings, change_text),
            section("Refused by both, with other messages", "refused, ", &self.refused_otherwise, change_text),
            section("No carts", "no cart: ", &self.unreadable, Clone::clone),
        ];
        sections.into_iter().filter(|section| !section.lines.is_empty()).collect()
    }
}

fn section<K: Eq + Hash + Ord>(
    heading: &'static str,
    prefix: &'static str,
    tally: &Tally<K>,
    text: impl Fn(&K) -> String,
) -> Section {
    let lines = tally.sorted().into_iter().map(|(kind, count)| Line::new(&text(kind), count)).collect();
    Section { heading, prefix, lines, beyond: tally.beyond.places }
}

/// The lines of all fields, the most frequent first.
fn field_lines(fields: &BTreeMap<String, Tally<Change>>) -> Vec<Line> {
    let of_field = |(field, tally): (&String, &Tally<Change>)| -> Vec<Line> {
        let line =
            |(change, count): (&Change, &Count)| Line::new(&format!("{field} {}", change_of_value(change)), count);
        let kinds = tally.sorted();
        if kinds.len() <= MAX_KINDS_OF_FIELD {
            return kinds.into_iter().map(line).collect();
        }
        let more = if tally.beyond.places > 0 { "more than " } else { "" };
        let all = Line::new(&format!("{field}, {more}{} different changes", tally.len()), &tally.all);
        let examples = kinds.into_iter().take(EXAMPLES_OF_FIELD).map(line).map(|line| line.in_line());
        vec![Line { examples: examples.chain([format!("and more of {field}, see --json")]).collect(), ..all }]
    };
    let mut lines: Vec<Line> = fields.iter().flat_map(of_field).collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.orders, line.places)));
    lines
}

fn change_of_value(change: &Change) -> String {
    let value = |text: &Option<String>| text.clone().unwrap_or_else(|| "(absent)".to_owned());
    match change {
        Change::Value { old, new } => format!("{} → {}", value(old), value(new)),
        Change::EntryAdded => "an entry more".to_owned(),
        Change::EntryRemoved => "an entry fewer".to_owned(),
    }
}

fn message_text(message: &MessageKind) -> String {
    format!("{} {}", message.number, message.text)
}

fn change_text(change: &MessageChange) -> String {
    match change {
        MessageChange::Newly(message) => format!("new: {}", message_text(message)),
        MessageChange::NoLonger(message) => format!("gone: {}", message_text(message)),
    }
}

/// What a terminal could take for a command is not shown.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

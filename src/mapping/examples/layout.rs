//! The layout of the files of `examples/`: several fields a line, so that an order fits on a screen; an entry of a list on a
//! line of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::refusal::ExpectedMessage;
use crate::message::{Message, Severity};

/// A line of a new file is broken before it is longer: it fits beside another on a screen.
const LINE_CHARS: usize = 110;

/// A single entry of a list is on the line of its list up to this length.
const SINGLE_ENTRY_CHARS: usize = 100;

/// Where lines are broken between the fields of an object.
enum Breaks {
    /// Before these fields, as in the file before: a changed rule then changes the lines that it concerns.
    Before(BTreeSet<(usize, String)>),
    /// Where a line is full.
    WhereFull,
}

/// An order as the text of a file; laid out as the text `before`, if there is one.
pub fn order_text(order: &Value, before: Option<&str>) -> String {
    let is_indented =
        before.is_some_and(|text| text.trim_start().lines().next().is_some_and(|line| line.trim() == "{"));
    if is_indented {
        return format!("{}\n", serde_json::to_string_pretty(order).unwrap_or_default());
    }
    let breaks = before
        .filter(|text| text.trim().contains('\n'))
        .map_or(Breaks::WhereFull, |text| Breaks::Before(fields_that_begin_lines(text)));
    let mut writer = Writer { text: String::new(), line_start: 0, breaks };
    writer.value(order, 0);
    format!("{}\n", writer.text)
}

/// The messages of a refusal as the text of a file, one a line. Warnings are left out: settings decide about them.
pub fn refusal_text(messages: &[Message]) -> String {
    let mistakes = messages.iter().filter(|message| message.severity == Severity::Error);
    let lines: Vec<String> = mistakes.map(|message| ExpectedMessage::of(message).to_json()).collect();
    format!("[{}]\n", lines.join(",\n "))
}

/// The fields that are the first of their line, each with the number of objects and lists around it.
fn fields_that_begin_lines(text: &str) -> BTreeSet<(usize, String)> {
    let mut fields = BTreeSet::new();
    let mut depth = 0;
    for line in text.lines() {
        let field = line.trim_start().strip_prefix('"').and_then(|rest| rest.split_once("\":"));
        fields.extend(field.map(|(name, _)| (depth, name.to_owned())));
        depth = depth_after(line, depth);
    }
    fields
}

/// The number of open objects and lists behind a line of JSON; no text goes over a line.
fn depth_after(line: &str, mut depth: usize) -> usize {
    let (mut in_text, mut is_escaped) = (false, false);
    for c in line.chars() {
        match c {
            '"' if !is_escaped => in_text = !in_text,
            '{' | '[' if !in_text => depth += 1,
            '}' | ']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    depth
}

struct Writer {
    text: String,
    /// Where the last line begins.
    line_start: usize,
    breaks: Breaks,
}

impl Writer {
    /// Writes a value; `column` is the number of objects and lists around it, and where its first line begins.
    fn value(&mut self, value: &Value, column: usize) {
        match value {
            Value::Object(members) => self.object(members, column),
            Value::Array(entries) => self.list(entries, column + 1),
            other => self.text.push_str(&other.to_string()),
        }
    }

    fn object(&mut self, members: &Map<String, Value>, column: usize) {
        self.text.push('{');
        for (index, (name, value)) in members.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
                if self.is_broken_before(name, value, column + 1) {
                    self.new_line(column + 1);
                }
            }
            self.text.push_str(&Value::from(name.as_str()).to_string());
            self.text.push(':');
            self.value(value, column + 1);
        }
        self.text.push('}');
    }

    fn is_broken_before(&self, name: &str, value: &Value, depth: usize) -> bool {
        match &self.breaks {
            Breaks::Before(fields) => fields.contains(&(depth, name.to_owned())),
            Breaks::WhereFull => {
                let length = name.chars().count() + "\"\":,".len() + value.to_string().chars().count();
                value.is_array() || self.line_chars() + length > LINE_CHARS
            }
        }
    }

    fn list(&mut self, entries: &[Value], column: usize) {
        let is_short = |entry: &Value| {
            let text = entry.to_string();
            !text.contains('[') && text.chars().count() <= SINGLE_ENTRY_CHARS
        };
        let is_on_one_line = match entries {
            [only] => is_short(only),
            several => several.iter().all(|entry| !entry.is_object()),
        };
        self.text.push('[');
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            if !is_on_one_line {
                self.new_line(column);
            }
            self.value(entry, column);
        }
        self.text.push(']');
    }

    fn new_line(&mut self, column: usize) {
        self.text.push('\n');
        self.line_start = self.text.len();
        self.text.extend(std::iter::repeat_n(' ', column));
    }

    fn line_chars(&self) -> usize {
        self.text.get(self.line_start..).map_or(0, |line| line.chars().count())
    }
}

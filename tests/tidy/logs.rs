//! A log line has a message, and its fields are in the list of `src/telemetry/fields.rs`, which has no others.

use std::collections::BTreeSet;

use crate::texts::{Text, masked, repository};
use crate::{Finding, assert_none, lines};

/// The list of fields, with their meaning.
const LIST: &str = "src/telemetry/fields.rs";

const EVENTS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

const SPANS: [&str; 5] = ["trace_span", "debug_span", "info_span", "warn_span", "error_span"];

/// One call of a macro of `tracing`.
struct Line {
    /// Line of the file, counted from 1.
    number: usize,
    /// The fields of a span are behind its name, those of an event before its message.
    is_event: bool,
    fields: Vec<String>,
    /// The text between the quotes; a span's is its name.
    message: Option<String>,
}

/// Cuts at the commas that are in no brackets. `mask` is `text` without strings and comments.
fn arguments<'t>(text: &'t str, mask: &'t str) -> Vec<(&'t str, &'t str)> {
    let (mut depth, mut start) = (0, 0);
    let mut cuts = Vec::new();
    for (at, c) in mask.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                cuts.push((&text[start..at], &mask[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    cuts.push((&text[start..], &mask[start..]));
    cuts.retain(|(text, _)| !text.trim().is_empty());
    cuts
}

/// Where the bracket closes that is open at the beginning of the text.
fn closing(mask: &str) -> usize {
    let mut depth = 1;
    for (at, c) in mask.char_indices() {
        depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
        if depth == 0 {
            return at;
        }
    }
    mask.len()
}

impl Line {
    fn read(&mut self, text: &str, mask: &str) {
        for (text, mask) in arguments(text, mask) {
            let lead = text.len() - text.trim_start().len();
            let (text, mask) = (text.trim(), &mask[lead..lead + text.trim().len()]);
            if let Some(inner) = text.strip_prefix('{') {
                self.read(&inner[..inner.len() - 1], &mask[1..mask.len() - 1]);
            } else if let Some(message) = text.strip_prefix('"') {
                self.message = Some(message.trim_end_matches('"').to_owned());
                if self.is_event {
                    // Behind the message are its arguments.
                    return;
                }
            } else if !["target:", "parent:", "name:"].iter().any(|word| text.starts_with(word)) {
                let name = mask.split('=').next().unwrap().trim().trim_start_matches(['%', '?']);
                self.fields.push(name.to_owned());
            }
        }
    }
}

fn log_lines(file: &Text, macros: &[&str]) -> Vec<Line> {
    let mask = masked(&file.text);
    let mut found = Vec::new();
    for name in macros {
        for (at, start) in mask.match_indices(&format!("{name}!(")) {
            let is_whole = !mask[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let open = at + start.len();
            let close = open + closing(&mask[open..]);
            let is_event = EVENTS.contains(name);
            let mut line = Line { number: file.line_of(at), is_event, fields: Vec::new(), message: None };
            line.read(&file.text[open..close], &mask[open..close]);
            found.extend(is_whole.then_some(line));
        }
    }
    found.sort_by_key(|line| line.number);
    found
}

/// Line, level and message of every warning and error of a file.
pub fn log_messages(file: &Text) -> Vec<(usize, &'static str, String)> {
    let of_level = |level: &'static str| log_lines(file, &[level]).into_iter().map(move |line| (level, line));
    let lines = of_level("warn").chain(of_level("error"));
    lines.filter_map(|(level, line)| Some((line.number, level, line.message?))).collect()
}

/// The names in a list such as `[("order.id", "the order"), …]`, and their lines.
fn listed(list: &Text) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    for (at, _) in list.text.match_indices("(\"").chain(list.text.match_indices("(\n")) {
        let name = list.text[at + 1..].trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
        names.extend(name.map(|name| (list.line_of(at), name)));
    }
    names.sort_unstable();
    names
}

fn unknown_fields(file: &Text, list: &Text) -> Vec<Finding> {
    let known = listed(list);
    let macros = [EVENTS, SPANS].concat();
    let lines = log_lines(file, &macros).into_iter();
    let fields = lines.flat_map(|line| line.fields.into_iter().map(move |field| (line.number, field)));
    let unknown = fields.filter(|(_, field)| known.iter().all(|(_, name)| name != field));
    unknown.map(|(line, field)| Finding::new(&file.path, line, format!("the field {field} is not in {LIST}"))).collect()
}

fn without_message(file: &Text) -> Vec<Finding> {
    let is_wrong = |line: &Line| !line.message.as_ref().is_some_and(|text| text.starts_with(char::is_alphanumeric));
    let wrong = log_lines(file, &EVENTS).into_iter().filter(is_wrong);
    wrong
        .map(|line| Finding::new(&file.path, line.number, "a log line has a message that begins with a word"))
        .collect()
}

fn source_files(files: &[Text]) -> impl Iterator<Item = &Text> {
    files.iter().filter(|file| file.path.starts_with("src/") && file.is_rust() && file.path != LIST)
}

fn the_list(files: &[Text]) -> &Text {
    files.iter().find(|file| file.path == LIST).unwrap_or_else(|| panic!("{LIST} is missing: the list of log fields"))
}

#[test]
fn every_log_line_has_a_message() {
    let findings: Vec<_> = source_files(&repository()).flat_map(without_message).collect();
    assert_none(&findings);
}

#[test]
fn every_field_of_a_log_line_is_in_the_list() {
    let files = repository();
    let list = the_list(&files);
    let findings: Vec<_> = source_files(&files).flat_map(|file| unknown_fields(file, list)).collect();
    assert_none(&findings);
}

#[test]
fn every_field_in_the_list_is_used() {
    let files = repository();
    let list = the_list(&files);
    let macros = [EVENTS.as_slice(), &SPANS].concat();
    let used: BTreeSet<String> =
        source_files(&files).flat_map(|file| log_lines(file, &macros)).flat_map(|line| line.fields).collect();
    let unused = listed(list).into_iter().filter(|(_, name)| !used.contains(*name));
    let findings: Vec<_> =
        unused.map(|(line, name)| Finding::new(LIST, line, format!("nothing logs the field {name}"))).collect();
    assert_none(&findings);
}

#[test]
fn the_checker_reads_every_form_of_a_log_line() {
    let list = Text::new(
        LIST,
        "pub const FIELDS: &[(&str, &str)] = &[\n    (\"order.id\", \"the order\"),\n    (\n        \
        \"file.path\",\n        \"a long meaning\",\n    ),\n];\n",
    );
    assert_eq!(listed(&list).into_iter().map(|(_, name)| name).collect::<Vec<_>>(), ["order.id", "file.path"]);
    let text = "info!(order.id = %order.id, \"sent, {}\", f(x, y));\n\
        debug!(target: STEP, { order.id = %id, state = s(\"a, b\") }, \"mapped\");\n\
        tracing::error!(%problem);\n\
        warn!(\n    file.path = ?path.display(),\n    \"\"\n);\n\
        warn!(problem, order.attempts = n == 1, \": no word\");\n\
        my_info!(x);\n// info!(comment);\nlet text = \"info!(text)\";\n\
        let _span = info_span!(\"request\", http.route = 1);\n";
    let file = Text::new("src/a.rs", text);
    let unknown = unknown_fields(&file, &list);
    let unknown: Vec<_> =
        lines(&unknown).into_iter().map(|(line, text)| (line, text.split(' ').nth(2).unwrap())).collect();
    let expected = [(2, "state"), (3, "problem"), (8, "problem"), (8, "order.attempts"), (12, "http.route")];
    assert_eq!(unknown, expected);
    let silent: Vec<usize> = without_message(&file).iter().map(|finding| finding.line).collect();
    assert_eq!(silent, [3, 4, 8]);
}

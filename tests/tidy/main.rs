//! The repository keeps its own rules: documented modules, no unused file, complete catalogues, the field's names, short
//! functions, known log fields, nothing left over. Every finding names its file and line.
//!
//! Files are read as text, so these tests say nothing of behaviour. Directions of imports have `tests/directions.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::case_sensitive_file_extension_comparisons, reason = "files here are named in small letters")]

#[path = "../support/texts.rs"]
mod texts;

mod catalogues;
mod files;
mod leftovers;
mod lengths;
mod logs;
mod names;
mod operators;
mod versions;

use std::fmt;

/// A broken rule, and its place.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    text: String,
}

impl Finding {
    fn new(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// Fails with every finding, one a line.
#[track_caller]
fn assert_none(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
}

/// Line and text of each finding, for tests of the checkers.
fn lines(findings: &[Finding]) -> Vec<(usize, &str)> {
    findings.iter().map(|finding| (finding.line, finding.text.as_str())).collect()
}

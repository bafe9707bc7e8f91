//! The separator between the cells of a file.

use super::records::{declared_separator, is_comment, lines};

/// Separators that spreadsheets write; of equal ones the first.
const SEPARATORS: [char; 3] = [';', '\t', ','];

/// Lines that decide: enough for a title and a header, and quick for a table of thousands of rows.
const LINES: usize = 10;

/// The separator that most of the first lines have, and of several such the most frequent one; else what `sep=` says.
pub fn separator(text: &str) -> char {
    let (declared, first_lines) = match lines(text).next() {
        Some((_, first)) if declared_separator(first).is_some() => (declared_separator(first).flatten(), 1),
        _ => (None, 0),
    };
    let sample: Vec<&str> = lines(text)
        .map(|(_, line)| line)
        .skip(first_lines)
        .filter(|line| !line.trim().is_empty() && !is_comment(line))
        .take(LINES)
        .collect();
    let counts = |separator: char| {
        let in_lines = || sample.iter().map(move |line| count(line, separator));
        (in_lines().filter(|count| *count > 0).count(), in_lines().sum::<usize>())
    };
    let declared = declared.filter(|separator| counts(*separator).0 > 0);
    let most_frequent = SEPARATORS.into_iter().rev().max_by_key(|separator| counts(*separator));
    declared.or(most_frequent).unwrap_or(',')
}

/// How often a line has a separator outside of quotation marks.
fn count(line: &str, separator: char) -> usize {
    line.split('"').step_by(2).map(|outside| outside.matches(separator).count()).sum()
}

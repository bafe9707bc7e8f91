//! The separator between the cells of a file.

use super::records::{declared_separator, is_comment, lines};

/// Separators that spreadsheets write; of equal ones the first.
const SEPARATORS: [char; 3] = [';', '\t', ','];

/// What else people and programs put between columns, with its name; it is read only where `sep=` says so.
const OTHERS: [(&str, &str); 10] = [
    ("|", "|"),
    ("¦", "¦"),
    ("^", "^"),
    ("~", "~"),
    ("\u{1f}", "U+001F"),
    ("，", "， (a wide comma)"),
    ("；", "； (a wide semicolon)"),
    ("、", "、"),
    ("  ", "blanks"),
    (":", ":"),
];

/// Lines that decide: enough for a title and a header, and quick for a table of thousands of rows.
const LINES: usize = 10;

/// How the columns of a file are separated.
#[derive(Debug)]
pub struct Separation {
    /// The separator.
    pub separator: char,
    /// Why the columns can't be told apart, with the line that shows it.
    pub mistake: Option<(u64, String)>,
    /// What is wrong with the line `sep=`, and does no harm.
    pub warning: Option<String>,
}

/// In how many lines a separator is, and how often.
type Count = (usize, usize);

impl Separation {
    /// The separator that most of the first lines have, and of several such the most frequent one; what `sep=` says, if no
    /// other is in more lines.
    pub fn of(text: &str) -> Self {
        let (declared, first_lines) = match lines(text).next() {
            Some((_, first)) if declared_separator(first).is_some() => (declared_separator(first).flatten(), 1),
            _ => (None, 0),
        };
        let sample: Vec<(u64, &str)> = lines(text)
            .skip(first_lines)
            .filter(|(_, line)| !line.trim().is_empty() && !is_comment(line))
            .take(LINES)
            .collect();
        let counts = |separator: &str| -> Count {
            let in_lines = || sample.iter().map(|(_, line)| count(line, separator));
            (in_lines().filter(|count| *count > 0).count(), in_lines().sum())
        };
        let count_of = |separator: char| counts(separator.encode_utf8(&mut [0; 4]));
        let separator = SEPARATORS.into_iter().rev().max_by_key(|separator| count_of(*separator)).unwrap_or(',');
        let most = count_of(separator);
        let declared = declared.map(|declared| (declared, count_of(declared))).filter(|(_, count)| count.0 > 0);
        if let Some((declared, count)) = declared {
            if count.0 >= most.0 {
                return Self { separator: declared, mistake: None, warning: None };
            }
            let warning = format!(
                "says sep={declared}, and the columns are separated by {}: delete this line",
                sign_of(separator)
            );
            return Self { separator, mistake: None, warning: Some(warning) };
        }
        let mistake = sample.first().and_then(|(line, _)| Some((*line, other_separator(most, sample.len(), counts)?)));
        Self { separator, mistake, warning: None }
    }
}

/// Says so if something else than a separator of spreadsheets is in more lines than each of those, and in most lines.
fn other_separator(most: Count, lines: usize, counts: impl Fn(&str) -> Count) -> Option<String> {
    let is_other = |(separator, _): &&(&str, &str)| {
        let (found, _) = counts(separator);
        found > most.0 && found * 2 > lines
    };
    let (_, name) = OTHERS.iter().find(is_other)?;
    Some(format!("the columns seem to be separated by {name}; expected , or ; or a tab: save it as \"CSV UTF-8\""))
}

/// How often a line has a separator outside of quotation marks.
fn count(line: &str, separator: &str) -> usize {
    line.split('"').step_by(2).map(|outside| outside.matches(separator).count()).sum()
}

/// The separator for a message.
fn sign_of(separator: char) -> String {
    if separator == '\t' { "tabs".to_owned() } else { separator.to_string() }
}

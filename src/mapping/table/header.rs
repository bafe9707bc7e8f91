//! The header of a table, and first lines that are none.

use super::row::{ANY_OTHER, TableRow};
use crate::mapping::defect::Defect;

/// What a first line is, by its cells and those below it.
#[derive(Debug)]
pub enum FirstLine {
    /// Nothing speaks against it.
    Header,
    /// It may be a row: a mistake if the sheet needs another number of key columns.
    MaybeRow(Defect),
    /// It is a row: the header is missing.
    Row(Defect),
}

impl FirstLine {
    /// Judges the titles of the keys and the value by the rows below, those that can be read and those that can't.
    pub fn of(file: &str, line: u64, titles: &[String], rows: [&[TableRow]; 2]) -> Self {
        let defect = |why: &str| {
            let problem = format!(
                "the header row seems to be missing, for {} {why}; expected the titles of the key columns and of the value, such as unit,value",
                titles.join(",")
            );
            Defect::in_line(file, line, problem)
        };
        if titles.iter().any(|title| is_value(title)) {
            return Self::Row(defect("has a number or * in the place of a title"));
        }
        let is_below = |row: &TableRow| {
            let equal = cells(row).zip(titles).filter(|(cell, title)| !cell.is_empty() && cell == title).count();
            // The header once more is no row.
            (1..titles.len()).contains(&equal)
        };
        if rows.iter().copied().flatten().any(is_below) {
            return Self::Row(defect("has a value of the rows below in the place of a title"));
        }
        let Some(first) = titles.first() else { return Self::Header };
        let keys = || rows.iter().copied().flatten().filter_map(|row| row.key.first()).filter(|key| !key.is_empty());
        let is_code = |text: &String| !text.contains(char::is_lowercase);
        if is_code(first) && keys().all(is_code) && keys().any(|key| shape(key) == shape(first)) {
            return Self::MaybeRow(defect("looks like the keys below; or write the titles in small letters"));
        }
        Self::Header
    }

    /// Rows that are the header once more: tables were pasted together.
    pub fn repetitions(file: &str, line: u64, titles: &[String], rows: &[TableRow]) -> Vec<Defect> {
        let is_title = |(cell, title): (&String, &String)| cell.eq_ignore_ascii_case(title);
        let is_repeated = |row: &&TableRow| cells(row).zip(titles).all(is_title);
        let problem = format!("is the header of line {line} once more; expected a key and its value");
        rows.iter().filter(is_repeated).map(|row| Defect::in_line(file, row.line, problem.clone())).collect()
    }
}

fn cells(row: &TableRow) -> impl Iterator<Item = &String> {
    row.key.iter().chain([&row.value])
}

/// A number, or the key for any other.
fn is_value(title: &str) -> bool {
    let is_number = title.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-'));
    title == ANY_OTHER || (is_number && title.contains(|c: char| c.is_ascii_digit()))
}

/// Letters as `A`, digits as `9`: `H87` is `A99`.
fn shape(text: &str) -> String {
    let class = |c: char| match c {
        c if c.is_ascii_digit() => '9',
        c if c.is_alphabetic() => 'A',
        other => other,
    };
    text.chars().map(class).collect()
}

//! What a sheet and its tables mean, as text: the cells that decide about orders.
//!
//! Counted are the cells of the sheet's rows, in the order of the rows, because the order's fields follow it; and the keys and
//! values of tables. Not counted are remarks, comments, blank rows, the order of columns and of a table's rows, separators,
//! quotation marks, line ends and encodings.

use super::csv_file::CsvRow;
use crate::digest;

/// The columns of the sheet that decide about orders.
const COLUMNS: [&str; 5] = ["target", "source", "as", "absent", "when"];

/// The meaning of a sheet's rows, as text.
pub fn of_sheet(header: &[String], rows: &[CsvRow]) -> String {
    let mut meaning = String::new();
    for row in rows {
        for column in COLUMNS {
            let index = header.iter().position(|title| title.eq_ignore_ascii_case(column));
            // A column that is missing and one that is empty mean the same.
            push(&mut meaning, index.map_or("", |index| row.word(index)));
        }
    }
    meaning
}

/// The meaning of a table's rows, as a digest: tables may be large.
pub fn of_table(columns: usize, rows: &[CsvRow]) -> String {
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let mut line = String::new();
            (0..columns).for_each(|column| push(&mut line, row.cell(column)));
            line
        })
        .collect();
    lines.sort_unstable();
    digest::sha256_hex(lines.concat().as_bytes())
}

/// Appends a text with its length, so that no two lists of texts have one form.
pub fn push(meaning: &mut String, text: &str) {
    meaning.extend([&text.len().to_string(), ":", text]);
}

//! CSV files as spreadsheets and editors write them: any usual separator and line break, quoted or guarded cells.

mod damage;
mod error_value;
mod records;
mod separator;

use std::ops::Range;

use super::defect::{Defect, Findings};
pub use damage::has_decimal_comma;
use damage::{Damage, damage, formula_like};
pub use records::lines;
use records::{Cell, DOUBLED_LINE_END, Record, records};
use separator::Separation;

/// The column for the analysts' notes, of every file: whatever is in it does no harm.
pub const REMARK: &str = "remark";

/// Rows that are looked through for the header: nobody writes a longer title.
const MAX_TITLE_ROWS: usize = 20;

/// Most columns of a file: far more than a sheet or a key has, so that the cells a row lacks can be named.
const MAX_COLUMNS: usize = 100;

/// What a kind of file knows of its columns.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The row that is the header, among the titles of the first rows.
    pub header: fn(&[Vec<String>]) -> usize,
    /// Columns besides the remark that may be missing at the end of a row: a spreadsheet leaves out separators behind the
    /// last cell with content of a block of rows.
    pub optional: &'static [&'static str],
    /// Columns of names in JSON, which may begin with `@`.
    pub names: &'static [&'static str],
}

/// A CSV file: its header, and its other rows.
#[derive(Debug)]
pub struct CsvFile {
    /// The trimmed cells of the header, without empty ones at its end.
    pub header: Vec<String>,
    /// The header's line, counted from 1.
    pub header_line: u64,
    /// The rows below it that can be read.
    pub rows: Vec<CsvRow>,
    /// The rows whose mistakes are told already: what they lack is no further mistake.
    pub broken: Vec<CsvRow>,
    /// What is wrong with the file, and what should be looked at.
    pub findings: Findings,
    /// True where the columns can't be told: everything else that is wrong with the file would follow from it.
    pub is_unreadable: bool,
}

/// One row of a CSV file.
#[derive(Debug, Clone)]
pub struct CsvRow {
    /// Its line in the file, counted from 1; of several lines, the first.
    pub line: u64,
    /// Its trimmed cells, as many as the header has or fewer.
    pub cells: Vec<String>,
    /// The cells as they are in the file, without quotation marks.
    untrimmed: Vec<String>,
}

impl CsvFile {
    /// Reads a CSV file (RFC 4180), and everything that can be read of one with mistakes. A line `sep=;`, blank lines, rows of
    /// separators and lines that begin with `#` are skipped; a cell `="08"` is the text 08.
    pub fn parse(file: &str, text: &str, layout: Layout) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let separation = Separation::of(text);
        let mut records = records(text, separation.separator);
        records.retain(|record| record.problem.is_some() || record.cells.iter().any(|cell| !cell.text.is_empty()));
        let unreadable = null_character(file, text)
            .or_else(|| separation.mistake.map(|(line, problem)| Defect::in_line(file, line, problem)))
            .or_else(|| records.is_empty().then(|| Defect::new(file, "the file is empty; expected a header row")));
        if let Some(mistake) = unreadable {
            return Self::unreadable(mistake);
        }
        let mut findings = Findings::default();
        findings.warnings.extend(separation.warning.map(|problem| Defect::in_line(file, 1, problem)));
        findings.warnings.extend(doubled_line_ends(file, text));
        let titles: Vec<Vec<String>> = records.iter().take(MAX_TITLE_ROWS).map(Record::texts).collect();
        let header_index = (layout.header)(&titles).min(records.len());
        let mut below = records.split_off(header_index);
        let header = if below.is_empty() { Record::default() } else { below.remove(0) };
        for title in &records {
            let problem = format!(
                "a title above the header, which is in line {}; expected no row there: delete it, or begin it with #",
                header.line
            );
            findings.mistakes.push(Defect::in_line(file, title.line, problem));
        }
        if let Some(problem) = header.problem {
            findings.mistakes.push(Defect::in_line(file, header.line, problem));
        }
        let mut titles: Vec<String> = header.cells.into_iter().map(|cell| cell.text).collect();
        while titles.pop_if(|title| title.is_empty()).is_some() {}
        let header_line = header.line.max(1);
        if titles.len() > MAX_COLUMNS {
            let problem = format!("{} columns; expected at most {MAX_COLUMNS}", titles.len());
            return Self::unreadable(Defect::in_line(file, header_line, problem));
        }
        let (rows, broken, is_unreadable) = (Vec::new(), Vec::new(), false);
        let mut csv = Self { header: titles, header_line, rows, broken, findings, is_unreadable };
        for record in below {
            csv.add(file, record, layout);
        }
        csv
    }

    /// A file of which nothing else can be said.
    pub fn unreadable(mistake: Defect) -> Self {
        let header_line = mistake.line().unwrap_or(1);
        let findings = Findings { mistakes: vec![mistake], warnings: Vec::new() };
        let (header, rows, broken) = (Vec::new(), Vec::new(), Vec::new());
        Self { header, header_line, rows, broken, findings, is_unreadable: true }
    }

    /// The place of a column by its title, in any case.
    pub fn column(&self, title: &str) -> Option<usize> {
        self.header.iter().position(|found| found.eq_ignore_ascii_case(title))
    }

    fn add(&mut self, file: &str, record: Record, layout: Layout) {
        let Record { line, mut cells, problem } = record;
        let mut mistakes: Vec<Defect> =
            problem.map(|problem| Defect::in_line(file, line, problem)).into_iter().collect();
        let warnings_before = self.findings.warnings.len();
        if mistakes.is_empty() {
            mistakes.extend(self.count_defect(file, line, &cells, layout));
            cells.truncate(self.header.len());
            for (title, cell) in self.header.iter().zip(&cells) {
                let at = |problem: String| Defect::in_cell(file, line, title, problem);
                if title.eq_ignore_ascii_case(REMARK) {
                    continue;
                }
                if cell.text.contains('\n') {
                    mistakes.push(at("a cell goes over several lines; is a quotation mark not closed?".to_owned()));
                }
                let is_name = layout.names.iter().any(|name| title.eq_ignore_ascii_case(name));
                match damage(cell).or_else(|| formula_like(cell).filter(|_| !is_name)) {
                    Some(Damage::Certain(problem)) => mistakes.push(at(problem)),
                    Some(Damage::Likely(problem)) => self.findings.warnings.push(at(problem)),
                    None => {}
                }
            }
        }
        let (cells, untrimmed) = cells.into_iter().map(|cell| (cell.text, cell.untrimmed)).unzip();
        let row = CsvRow { line, cells, untrimmed };
        if mistakes.is_empty() {
            self.rows.push(row);
        } else {
            self.findings.warnings.truncate(warnings_before);
            self.findings.mistakes.extend(mistakes);
            self.broken.push(row);
        }
    }

    /// A row with cells behind the header's last column, or without one that is needed.
    fn count_defect(&self, file: &str, line: u64, cells: &[Cell], layout: Layout) -> Option<Defect> {
        let (found, expected) = (cells.len(), self.header.len());
        let is_optional = |title: &&String| {
            title.eq_ignore_ascii_case(REMARK) || layout.optional.iter().any(|known| title.eq_ignore_ascii_case(known))
        };
        let missing: Vec<&str> =
            self.header.iter().skip(found).filter(|title| !is_optional(title)).map(String::as_str).collect();
        let count = if found == 1 { "1 cell".to_owned() } else { format!("{found} cells") };
        if !missing.is_empty() {
            let problem = format!("{count}; expected {expected}, as in the header: without {}", missing.join(", "));
            return Some(Defect::in_line(file, line, problem));
        }
        let extra = cells.get(expected..)?.iter().map(|cell| cell.text.as_str()).find(|text| !text.is_empty())?;
        let advice = if cells.iter().any(|cell| cell.text.contains(['“', '”', '„'])) {
            "typographic quotation marks do not quote: write \" instead"
        } else {
            "a cell with a separator in it, a decimal comma too, needs quotation marks"
        };
        let problem =
            format!("{count}; expected {expected}, as in the header: {extra:?} is behind the last column; {advice}");
        Some(Defect::in_line(file, line, problem))
    }
}

impl CsvRow {
    /// The text of a cell by its column; empty if there is none.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// A cell without the blanks around it, unless they are those of a separator: `join: ` puts a blank between texts.
    pub fn word(&self, column: usize) -> &str {
        let text = self.cell(column);
        let untrimmed = self.untrimmed.get(column).filter(|_| text.starts_with("join:"));
        untrimmed.map_or(text, |untrimmed| untrimmed.trim_start())
    }

    /// The texts of several columns; empty where there is none.
    pub fn range(&self, columns: Range<usize>) -> Vec<String> {
        columns.map(|column| self.cell(column).to_owned()).collect()
    }
}

/// Text in an encoding of two or four bytes a character, or a file that a program has filled up.
fn null_character(file: &str, text: &str) -> Option<Defect> {
    if !text.contains('\0') {
        return None;
    }
    let line = lines(text).find(|(_, line)| line.contains('\0')).map_or(1, |(number, _)| number);
    let problem = "has characters U+0000; expected CSV in UTF-8, or UTF-16 with a byte order mark";
    Some(Defect::in_line(file, line, problem))
}

/// `\r\r\n`, which some editors show as two lines.
fn doubled_line_ends(file: &str, text: &str) -> Option<Defect> {
    let problem = "has doubled line ends (CR CR LF), each of which counts as one; expected CR LF or LF: save it again";
    text.contains(DOUBLED_LINE_END).then(|| Defect::new(file, problem))
}

#[cfg(test)]
mod tests;

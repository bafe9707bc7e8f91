//! CSV files as spreadsheets and editors write them: `,` or `;` between the cells, a byte order mark or none.

use super::defect::Defect;

/// A CSV file: its header, and its other rows.
#[derive(Debug)]
pub struct CsvFile {
    /// The trimmed cells of the header.
    pub header: Vec<String>,
    /// The rows below it.
    pub rows: Vec<CsvRow>,
}

/// One row of a CSV file.
#[derive(Debug)]
pub struct CsvRow {
    /// Its line in the file, counted from 1.
    pub line: u64,
    /// Its trimmed cells, as many as the header has.
    pub cells: Vec<String>,
    /// The cells as written.
    record: csv::StringRecord,
}

impl CsvFile {
    /// Reads a CSV file (RFC 4180); the header decides the separator. Blank lines and lines that begin with `#` are
    /// skipped; every other line needs as many cells as the header.
    ///
    /// # Errors
    /// Every defect, with its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Defect>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator(text))
            .comment(Some(b'#'))
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        let mut defects = Vec::new();
        for record in reader.records() {
            match record {
                // A spreadsheet leaves lines of separators behind.
                Ok(record) if record.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    if record.iter().any(|cell| cell.contains(['\n', '\r'])) {
                        let problem = "a cell goes over several lines; is a quotation mark not closed?";
                        defects.push(Defect::in_line(file, line, problem));
                    }
                    let cells = record.iter().map(|cell| cell.trim().to_owned()).collect();
                    rows.push(CsvRow { line, cells, record });
                }
                Err(error) => defects.push(unreadable(file, &error)),
            }
        }
        if rows.is_empty() && defects.is_empty() {
            defects.push(Defect::new(file, "the file is empty; expected a header row"));
        }
        if !defects.is_empty() {
            return Err(defects);
        }
        Ok(Self { header: rows.remove(0).cells, rows })
    }
}

impl CsvRow {
    /// The text of a cell by its column; empty if there is none.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// The same, with the blanks around it: one of them may be meant.
    pub fn untrimmed(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }
}

fn separator(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    if header.contains(';') { b';' } else { b',' }
}

fn unreadable(file: &str, error: &csv::Error) -> Defect {
    let line = error.position().map_or(0, csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells; expected {expected_len}, as in the header")
        }
        _ => format!("can't be read as CSV: {error}"),
    };
    Defect::in_line(file, line, message)
}

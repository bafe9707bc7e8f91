//! From text to cells: lines, quotation marks, comments.

use super::error_value::is_error_value;

/// What a cell says that goes on in the next line, though it should not.
const NOT_CLOSED: &str = "a cell goes over several lines; is a quotation mark not closed?";

/// Cells with which a line is a row of a sheet, whatever it leaves out at its end: target, source, as, absent.
const CELLS_OF_A_ROW: usize = 4;

/// What a program leaves that makes CR LF of every LF, also of those that have their CR already.
pub const DOUBLED_LINE_END: &str = "\r\r\n";

/// What ends a line, the longest first. A doubled line end is one: editors and spreadsheets show one line.
const LINE_ENDS: [&str; 4] = [DOUBLED_LINE_END, "\r\n", "\n", "\r"];

/// Characters at a cell's edge that nobody sees, besides blanks of every kind: zero width, joiners, directions.
const INVISIBLE: [char; 5] = ['\u{200b}', '\u{2060}', '\u{feff}', '\u{200e}', '\u{200f}'];

/// One row, before anything is known of a header.
#[derive(Debug, Default)]
pub struct Record {
    /// Its first line, counted from 1.
    pub line: u64,
    /// Its cells.
    pub cells: Vec<Cell>,
    /// Why it can't be read.
    pub problem: Option<String>,
}

/// One cell.
#[derive(Debug)]
pub struct Cell {
    /// The trimmed text.
    pub text: String,
    /// The text as it is in the file, without quotation marks.
    pub untrimmed: String,
    /// True for `="08"`: the analyst says that this is a text, whatever it looks like.
    pub is_guarded: bool,
}

impl Record {
    /// The texts of its cells.
    pub fn texts(&self) -> Vec<String> {
        self.cells.iter().map(|cell| cell.text.clone()).collect()
    }
}

impl Cell {
    /// A spreadsheet's guards of a text are taken off (`="08"`, `'08`), and typographic quotation marks around a whole cell.
    fn of(raw: &str) -> Self {
        let trimmed_text = trimmed(raw);
        let guarded = guarded_text(trimmed_text);
        let is_guarded = guarded.is_some();
        let text = guarded.unwrap_or_else(|| without_typographic_marks(trimmed_text).to_owned());
        Self { text, untrimmed: raw.to_owned(), is_guarded }
    }
}

/// The text that a spreadsheet was told to be one: `="08"`, `'08`.
fn guarded_text(text: &str) -> Option<String> {
    let formula = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    if let Some(inside) = formula.filter(|inside| !inside.replace("\"\"", "").contains('"')) {
        return Some(trimmed(&inside.replace("\"\"", "\"")).to_owned());
    }
    let digits = text.strip_prefix('\'')?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
}

/// The inside of typographic quotation marks around a whole cell.
fn without_typographic_marks(text: &str) -> &str {
    let quoted = text.strip_prefix(['“', '„', '”']).and_then(|rest| rest.strip_suffix(['”', '“']));
    let is_whole = |inside: &&str| !inside.contains(['“', '„', '”']);
    quoted.filter(is_whole).map_or(text, trimmed)
}

/// Without blanks at the edges, no-break spaces and invisible characters included.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || INVISIBLE.contains(&c))
}

/// The lines of a text with their numbers, counted from 1. Each of [`LINE_ENDS`] ends a line.
pub fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut rest = Some(text);
    let lines = std::iter::from_fn(move || {
        let text = rest.filter(|text| !text.is_empty())?;
        let (line, end) = text.split_at(text.find(['\n', '\r']).unwrap_or(text.len()));
        rest = LINE_ENDS.iter().find_map(|line_end| end.strip_prefix(line_end));
        Some(line)
    });
    (1..).zip(lines)
}

/// `sep=;` as Excel writes it, and as a spreadsheet saves it again (`"sep=;",,`): the inner `None` for a separator that the
/// saving took away.
#[expect(clippy::option_option, reason = "the outer option is the line, the inner one its separator")]
pub fn declared_separator(line: &str) -> Option<Option<char>> {
    let line = line.trim_start_matches('"');
    let declared = line.get(..4).filter(|word| word.eq_ignore_ascii_case("sep="))?;
    let rest: String = line.strip_prefix(declared)?.chars().filter(|c| *c != '"').collect();
    let first = rest.chars().next();
    // Behind the declared one, saving leaves separators of empty cells.
    rest.chars().all(|c| matches!(c, ';' | ',' | '\t' | ' ' | '|')).then_some(first)
}

/// A line that begins with `#`, unless that is the first cell of a row that a spreadsheet has filled with an error.
pub fn is_comment(line: &str) -> bool {
    let line = trimmed(line);
    if !line.starts_with('#') {
        return false;
    }
    let mut cells = line.split([',', ';', '\t']).map(trimmed);
    let first = cells.next().unwrap_or_default();
    !(is_error_value(first) && cells.any(|cell| !cell.is_empty()))
}

/// Every row of a text, without comments. After a cell that can't be read, reading goes on in the next line.
pub fn records(text: &str, separator: char) -> Vec<Record> {
    let lines: Vec<(u64, &str)> = lines(text).collect();
    let mut rest = lines.as_slice();
    if let Some(((_, first), below)) = rest.split_first()
        && declared_separator(first).is_some()
    {
        rest = below;
    }
    let mut records = Vec::new();
    let mut width = 0;
    // Lines before this one are known to lead to no closing quotation mark: looking again costs the square of the lines.
    let mut read_alone_before = 0;
    while let Some(((number, line), below)) = rest.split_first() {
        if is_comment(line) || line.trim().is_empty() {
            rest = below;
            continue;
        }
        let visible = if *number < read_alone_before { &[] } else { below };
        let mut reader = RowReader { line, below: visible, separator, width };
        let result = reader.cells();
        let lines_read = visible.len() - reader.below.len();
        let record = match result {
            Ok(cells) => {
                rest = below.get(lines_read..).unwrap_or_default();
                Record { line: *number, cells, problem: None }
            }
            Err(problem) => {
                rest = below;
                let failed_in = u64::try_from(lines_read).unwrap_or(u64::MAX).saturating_add(*number);
                read_alone_before = read_alone_before.max(failed_in);
                let cells = line.split(separator).map(Cell::of).collect();
                Record { line: *number, cells, problem: Some(problem.to_owned()) }
            }
        };
        let first = record.cells.first().map_or("", |cell| cell.text.as_str());
        // A comment that a spreadsheet has put into quotation marks is none of an error in its first cell.
        let is_error = is_error_value(first) && record.cells.iter().skip(1).any(|cell| !cell.text.is_empty());
        if is_error || !is_comment(first) {
            width = width.max(record.cells.len());
            records.push(record);
        }
    }
    records
}

/// Reads one row, which may go over several lines.
struct RowReader<'t> {
    line: &'t str,
    /// The lines that follow.
    below: &'t [(u64, &'t str)],
    separator: char,
    /// Cells of the widest row so far.
    width: usize,
}

impl<'t> RowReader<'t> {
    fn cells(&mut self) -> Result<Vec<Cell>, &'static str> {
        let mut cells = Vec::new();
        loop {
            let raw = match self.line.trim_start_matches(' ').strip_prefix('"') {
                Some(inside) => self.quoted(inside)?,
                None => match self.line.split_once(self.separator) {
                    Some((cell, _)) => {
                        let (_, behind) = self.line.split_at(cell.len());
                        self.line = behind;
                        cell.to_owned()
                    }
                    None => std::mem::take(&mut self.line).to_owned(),
                },
            };
            cells.push(Cell::of(&raw));
            match self.line.strip_prefix(self.separator) {
                Some(behind) => self.line = behind,
                None => return Ok(cells),
            }
        }
    }

    /// The inside of quotation marks; afterwards the line is what is behind them.
    fn quoted(&mut self, inside: &'t str) -> Result<String, &'static str> {
        let mut text = String::new();
        let mut inside = inside;
        let mut is_first_line = true;
        loop {
            if let Some((before, behind)) = inside.split_once('"') {
                text.push_str(before);
                if let Some(behind) = behind.strip_prefix('"') {
                    text.push('"');
                    inside = behind;
                    continue;
                }
                let behind = behind.trim_start_matches(' ');
                if !behind.is_empty() && !behind.starts_with(self.separator) {
                    let in_line = "text behind a closing quotation mark; one inside of a cell is written twice";
                    return Err(if is_first_line { in_line } else { NOT_CLOSED });
                }
                self.line = behind;
                return Ok(text);
            }
            let ((_, next), below) = self.below.split_first().ok_or(NOT_CLOSED)?;
            // A line that is a row by itself was swallowed.
            let cells = next.matches(self.separator).count() + 1;
            if self.width > 1 && cells >= self.width.min(CELLS_OF_A_ROW) {
                return Err(NOT_CLOSED);
            }
            text.push_str(inside);
            text.push('\n');
            (inside, self.below, is_first_line) = (next, below, false);
        }
    }
}

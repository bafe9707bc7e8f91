//! The field by which 11VMS finds an order again: what the sheet has to say of it.

use crate::mapping::csv_file::{CsvFile, CsvRow};
use crate::mapping::defect::Defect;

/// What the row of the field has to be, by its column.
const PINNED: [(&str, &str); 4] = [("source", "ID"), ("as", "text"), ("absent", "refuse"), ("when", "")];

/// Why nothing else will do.
const REASON: &str = "by it an order is looked up before it is sent again, and anything else would make a second order";

/// The field of an order by which 11VMS finds it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdField {
    /// It is here in an order (RFC 6901), and has to be there.
    At(String),
    /// It is here if it is in the order at all: the address of the request has the id.
    AtIfThere(String),
    /// An order has it somewhere: 11VMS does not repeat it in its answers.
    Somewhere,
    /// The address of the request alone has the id.
    Nowhere,
}

impl Default for IdField {
    fn default() -> Self {
        Self::At("/externalId".to_owned())
    }
}

impl IdField {
    /// Mistakes in what a sheet says of it. Rows whose mistakes are told already are taken for right.
    pub fn mistakes(&self, file: &str, csv: &CsvFile) -> Vec<Defect> {
        let (pointer, is_needed) = match self {
            Self::At(pointer) => (pointer, true),
            Self::AtIfThere(pointer) => (pointer, false),
            Self::Somewhere => return something_holds_it(file, csv).into_iter().collect(),
            Self::Nowhere => return Vec::new(),
        };
        let Some(targets) = targets(pointer) else { return something_holds_it(file, csv).into_iter().collect() };
        let is_row_of = |row: &&CsvRow, target: &String| cell(csv, row, "target") == *target;
        let Some(target) =
            targets.iter().find(|target| csv.rows.iter().chain(&csv.broken).any(|row| is_row_of(&row, target)))
        else {
            let target = targets.first().map_or("", String::as_str);
            let missing = format!("no row has the target {target}; expected {target},ID,text,refuse: {REASON}");
            return if is_needed { vec![Defect::new(file, missing)] } else { Vec::new() };
        };
        let rows: Vec<&CsvRow> = csv.rows.iter().filter(|row| is_row_of(row, target)).collect();
        rows.iter().enumerate().filter_map(|(index, row)| wrong_row(file, csv, row, target, index)).collect()
    }
}

/// What is wrong with one row of the field.
fn wrong_row(file: &str, csv: &CsvFile, row: &CsvRow, target: &str, index: usize) -> Option<Defect> {
    let is_pinned = |column: &str, expected: &str| match (column, cell(csv, row, column)) {
        ("source", found) => found.eq_ignore_ascii_case(expected),
        (_, found) => found == expected,
    };
    let wrong: Vec<String> = PINNED
        .iter()
        .filter(|(column, expected)| !is_pinned(column, expected))
        .map(|(column, _)| format!("{column} is {:?}", cell(csv, row, column)))
        .collect();
    let wrong = match (wrong.as_slice(), index) {
        // Without conditions, a target that is set twice is a mistake of its own.
        ([], index) if index == 0 || csv.column("when").is_none() => return None,
        ([], _) => "an earlier row sets it".to_owned(),
        (wrong, _) => wrong.join(", "),
    };
    let problem = format!(
        "target {target}: {wrong}; expected {target},ID,text,refuse, in one row and without a condition: {REASON}"
    );
    Some(Defect::in_line(file, row.line, problem))
}

/// A row of the order's own has to hold the id.
fn something_holds_it(file: &str, csv: &CsvFile) -> Option<Defect> {
    let holds_it = |row: &CsvRow| !cell(csv, row, "target").contains('[') && wrong_row(file, csv, row, "", 0).is_none();
    let is_there = !csv.broken.is_empty() || csv.rows.iter().any(holds_it);
    (!is_there).then(|| Defect::new(file, format!("no field of the order is ID,text,refuse; expected one: {REASON}")))
}

fn cell<'r>(csv: &CsvFile, row: &'r CsvRow, column: &str) -> &'r str {
    csv.column(column).map_or("", |column| row.cell(column))
}

/// The targets that a pointer may mean: the whole path, or its last name at the top, because an answer may wrap an order.
/// None for a place in a list.
fn targets(pointer: &str) -> Option<Vec<String>> {
    let names: Vec<String> =
        pointer.strip_prefix('/')?.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    let is_index = |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if names.iter().any(is_index) {
        return None;
    }
    let mut targets = vec![names.join(".")];
    targets.extend(names.last().filter(|_| names.len() > 1).cloned());
    Some(targets)
}

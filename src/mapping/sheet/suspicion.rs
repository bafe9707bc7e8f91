//! What a sheet may say, and an analyst has probably not meant: names that nobody knows, a list twice.

use std::collections::{BTreeMap, HashSet};

use super::known_names::unknown_names;
use super::source::Source;
use super::thousands::doubtful_numbers;
use super::when::When;
use crate::mapping::conversion::TYPOGRAPHIC_MARKS;
use crate::mapping::csv_file::{CsvFile, CsvRow, REMARK};
use crate::mapping::defect::Defect;
use crate::mapping::target::TargetPath;

/// The columns that mean something.
const COLUMNS: [&str; 6] = ["target", "source", "as", "absent", "when", REMARK];

/// What should be looked at, row by row.
pub fn suspicions(file: &str, csv: &CsvFile) -> Vec<Defect> {
    let is_known = |title: &String| title.is_empty() || COLUMNS.iter().any(|known| title.eq_ignore_ascii_case(known));
    let columns = csv.header.iter().filter(|title| !is_known(title)).map(|title| {
        let problem = format!(
            "the column {title} is none of the sheet's, and is ignored; expected target,source,as,absent,when,remark"
        );
        Defect::in_line(file, csv.header_line, problem)
    });
    let mut defects: Vec<Defect> = columns.collect();
    for row in &csv.rows {
        for problem in names(cell(csv, row, "source")) {
            defects.push(Defect::in_cell(file, row.line, "source", problem));
        }
        let default = cell(csv, row, "absent").strip_prefix("use:").map(str::trim);
        if let Some(default) = default.filter(|default| default.starts_with(TYPOGRAPHIC_MARKS)) {
            let problem = format!("use:{default} is sent with its quotation marks; expected use: and the text alone");
            defects.push(Defect::in_cell(file, row.line, "absent", problem));
        }
        for problem in compared_names(cell(csv, row, "when")) {
            defects.push(Defect::in_cell(file, row.line, "when", problem));
        }
        let cells = ["as", "absent", "when"].map(|column| cell(csv, row, column));
        defects.extend(doubtful_numbers(file, row.line, cells));
    }
    defects.extend(lists_twice(file, csv));
    defects.extend(similar_targets(file, csv));
    defects
}

/// The names of a source's text that nobody is known to send.
fn names(text: &str) -> Vec<String> {
    let source = |part: &str| Source::parse(part).or_else(|_| Source::parse_rows(part)).ok();
    text.split('+').filter_map(source).flat_map(|source| unknown_names(&source)).collect()
}

/// The names in a condition that nobody is known to send.
fn compared_names(text: &str) -> Vec<String> {
    let when = When::parse(text).ok().flatten();
    when.iter().flat_map(|when| &when.comparisons).flat_map(|comparison| unknown_names(&comparison.source)).collect()
}

/// Several lists of the same rows, unless each has a row that leaves entries out.
fn lists_twice(file: &str, csv: &CsvFile) -> Vec<Defect> {
    let mut lists: Vec<(&str, u64)> = Vec::new();
    let mut known = HashSet::new();
    let mut divided = HashSet::new();
    for row in &csv.rows {
        let target = cell(csv, row, "target");
        if cell(csv, row, "as") == "skip" {
            divided.insert(target);
        }
        for (end, _) in target.match_indices("[]") {
            let list = target.get(..end + 2).unwrap_or(target);
            if known.insert(list) {
                lists.push((list, row.line));
            }
        }
    }
    // The entries of a list in a list are rows of its own entry.
    let outer = |list: &str| {
        list.strip_suffix("[]").and_then(|list| list.rfind("[]")).and_then(|end| list.get(..end)).map(str::to_owned)
    };
    let mut first_of: BTreeMap<Option<String>, (&str, u64)> = BTreeMap::new();
    let mut defects = Vec::new();
    for (list, line) in &lists {
        let Some((first, first_line)) = first_of.get(&outer(list)) else {
            first_of.insert(outer(list), (list, *line));
            continue;
        };
        if divided.contains(first) && divided.contains(list) {
            continue;
        }
        let problem = format!(
            "{list} is a second list of the same rows beside {first} (line {first_line}), and has every entry again; expected one name, or rows as skip that divide the entries between them"
        );
        defects.push(Defect::in_cell(file, *line, "target", problem));
    }
    defects
}

/// Targets that differ in nothing but capitals or underscores.
fn similar_targets(file: &str, csv: &CsvFile) -> Vec<Defect> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut defects = Vec::new();
    for row in &csv.rows {
        let target = cell(csv, row, "target");
        if TargetPath::parse(target).is_err() {
            continue;
        }
        let folded = target.replace('_', "").to_lowercase();
        match seen.get(&folded) {
            Some(first) if *first != target => {
                let problem = format!(
                    "{target} differs from the target {first} in nothing but capitals or underscores; both are sent"
                );
                defects.push(Defect::in_cell(file, row.line, "target", problem));
            }
            Some(_) => {}
            None => drop(seen.insert(folded, target)),
        }
    }
    defects
}

fn cell<'r>(csv: &CsvFile, row: &'r CsvRow, column: &str) -> &'r str {
    csv.column(column).map_or("", |column| row.cell(column))
}

//! Keys that a spreadsheet has probably changed: numbers that have lost their zeros, spellings that differ in case alone.

use std::collections::{BTreeMap, HashMap};

use super::row::{TableRow, quoted_key};
use crate::mapping::defect::Defect;
use crate::message::quoted;

/// What should be looked at in the keys of a table.
pub fn suspicions(file: &str, key_columns: &[String], rows: &[TableRow]) -> Vec<Defect> {
    let zeros = key_columns.iter().enumerate().flat_map(|(index, column)| lost_zeros(file, index, column, rows));
    zeros.chain(equal_but_for_case(file, rows)).collect()
}

/// Numbers of one column that are shorter than others of the same group: rows whose other keys before it are the same.
fn lost_zeros(file: &str, index: usize, column: &str, rows: &[TableRow]) -> Vec<Defect> {
    let mut groups: BTreeMap<&[String], Vec<(&str, u64)>> = BTreeMap::new();
    for row in rows {
        let (Some(before), Some(key)) = (row.key.get(..index), row.key.get(index)) else { continue };
        if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()) {
            groups.entry(before).or_default().push((key, row.line));
        }
    }
    groups.values().filter_map(|numbers| shorter_number(file, column, numbers)).collect()
}

/// The first number that is shorter than it should be: shorter than one with a zero in front, or, where no number has
/// one, shorter than the longest.
fn shorter_number(file: &str, column: &str, numbers: &[(&str, u64)]) -> Option<Defect> {
    let widths = |numbers: &mut dyn Iterator<Item = &str>| numbers.map(str::len).max();
    let with_zero =
        widths(&mut numbers.iter().map(|(key, _)| *key).filter(|key| key.len() > 1 && key.starts_with('0')));
    let width = with_zero.or_else(|| widths(&mut numbers.iter().map(|(key, _)| *key)))?;
    let mut shorter = numbers.iter().filter(|(key, _)| key.len() < width);
    let (key, line) = shorter.next()?;
    let others = match shorter.count() {
        0 => String::new(),
        more => format!(" ({more} more like it)"),
    };
    let problem = format!(
        "did a spreadsheet drop the zero? {} is shorter than other numbers of this column{others}; expected {} if SAP sends so many digits",
        quoted(key),
        quoted(&format!("{key:0>width$}"))
    );
    Some(Defect::in_cell(file, *line, column, problem))
}

/// Keys that differ in nothing but capitals: both count, each by itself.
fn equal_but_for_case(file: &str, rows: &[TableRow]) -> Vec<Defect> {
    let mut seen: HashMap<Vec<String>, &TableRow> = HashMap::new();
    let mut defects = Vec::new();
    for row in rows {
        let folded = row.key.iter().map(|part| part.to_lowercase()).collect();
        match seen.get(&folded) {
            Some(first) if first.key != row.key => {
                let key = quoted_key(&row.key);
                let problem = format!(
                    "the key {key} differs from the one in line {} in nothing but capitals; both count, each as it is written",
                    first.line
                );
                defects.push(Defect::in_line(file, row.line, problem));
            }
            Some(_) => {}
            None => drop(seen.insert(folded, row)),
        }
    }
    defects
}

//! CSV as analysts keep it (`,` or `;`, BOM allowed), and the tables in which keys are looked up.

use std::collections::HashMap;

use super::Defect;

/// The column in which analysts explain a row; ignored.
pub const REMARK: &str = "remark";

/// One line of a CSV file: its line number, counted from 1, and its trimmed cells.
#[derive(Debug, Clone)]
pub struct Line {
    pub number: u64,
    pub cells: Vec<String>,
}

/// Reads a CSV file (RFC 4180; the separator is the one that the header uses). Blank lines and lines that begin
/// with `#` are skipped; every other line needs as many cells as the header.
pub fn lines(file: &str, text: &str) -> Result<(Vec<String>, Vec<Line>), Vec<Defect>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let header = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let separator = if header.contains(';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .comment(Some(b'#'))
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut lines = Vec::new();
    let mut defects = Vec::new();
    for record in reader.records() {
        match record {
            // A spreadsheet leaves lines of separators behind.
            Ok(record) if record.iter().all(|cell| cell.trim().is_empty()) => {}
            Ok(record) => {
                let number = record.position().map_or(0, csv::Position::line);
                if record.iter().any(|cell| cell.contains(['\n', '\r'])) {
                    let problem = "a cell goes over several lines; is a quotation mark not closed?";
                    defects.push(Defect::new(file, problem).line(number));
                }
                lines.push(Line { number, cells: record.iter().map(|cell| cell.trim().to_owned()).collect() });
            }
            Err(error) => defects.push(defect_of(file, &error)),
        }
    }
    if lines.is_empty() && defects.is_empty() {
        defects.push(Defect::new(file, "the file is empty; expected a header row"));
    }
    if !defects.is_empty() {
        return Err(defects);
    }
    Ok((lines.remove(0).cells, lines))
}

fn defect_of(file: &str, error: &csv::Error) -> Defect {
    let line = error.position().map_or(0, csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells; expected {expected_len}, as in the header")
        }
        _ => format!("can't be read as CSV: {error}"),
    };
    Defect::new(file, message).line(line)
}

/// A table: one or more key columns, then the value.
#[derive(Debug, Clone)]
pub struct Table {
    /// Names of the key columns.
    pub key_columns: Vec<String>,
    rows: HashMap<Vec<String>, String>,
}

impl Table {
    /// Reads `tables/NAME.csv`. Defects: no key column, an empty value, a key that stands twice.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Defect>> {
        let (mut columns, lines) = lines(file, text)?;
        if columns.last().is_some_and(|name| name.eq_ignore_ascii_case(REMARK)) {
            columns.pop();
        }
        if columns.len() < 2 {
            return Err(vec![Defect::new(file, "expected one or more key columns, then the value's column").line(1)]);
        }
        columns.pop();
        let mut rows = HashMap::new();
        let mut first_line: HashMap<Vec<String>, u64> = HashMap::new();
        let mut defects = Vec::new();
        for Line { number, mut cells } in lines {
            cells.truncate(columns.len() + 1);
            let value = cells.pop().unwrap_or_default();
            if value.is_empty() {
                defects.push(Defect::new(file, "the value is empty").line(number));
            }
            if let Some(first) = first_line.insert(cells.clone(), number) {
                let key = shown(&cells);
                defects.push(Defect::new(file, format!("the key {key} already stands in line {first}")).line(number));
            }
            rows.insert(cells, value);
        }
        if defects.is_empty() { Ok(Self { key_columns: columns, rows }) } else { Err(defects) }
    }

    /// Every value.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.rows.values().map(String::as_str)
    }

    /// The value of a key; keys match to the letter, an empty part matches an empty cell.
    pub fn get(&self, key: &[String]) -> Option<&str> {
        self.rows.get(key).map(String::as_str)
    }
}

/// A key as messages show it: `"DE" + "08"`.
pub fn shown(key: &[String]) -> String {
    key.iter().map(|part| crate::message::quoted(part)).collect::<Vec<_>>().join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn excel_and_unix_files_are_the_same_table() {
        for text in [
            "country,region,value\nDE,08,DACH\n",
            "\u{feff}country;region;value\r\n\r\nDE;08;DACH\r\n;;\r\n",
            "# ours\ncountry, region, value, remark\nDE, 08, DACH, south\n",
        ] {
            let table = Table::parse("t", text).unwrap();
            assert_eq!(table.get(&key(&["DE", "08"])), Some("DACH"), "{text:?}");
            assert_eq!(table.get(&key(&["DE", "8"])), None);
            assert_eq!(table.key_columns, ["country", "region"]);
        }
    }

    #[test]
    fn every_defect_is_reported_with_its_line() {
        let defects = Table::parse("t.csv", "k,v\nA,1\nB,\nA,2\n").unwrap_err();
        let texts: Vec<_> = defects.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["t.csv line 3: the value is empty", "t.csv line 4: the key \"A\" already stands in line 2"]);
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_is_a_defect_in_its_line() {
        for text in ["k,v\nA,\"1\nB,2\n", "k,v\nA,\"1\nB,\"2\n"] {
            let defects = Table::parse("t.csv", text).unwrap_err();
            assert!(defects[0].to_string().starts_with("t.csv line 2: a cell goes over several lines"), "{defects:?}");
        }
        let table = Table::parse("t.csv", "# 19\" rack\nk,v\nA,\"1 \"\"inch\"\"\"\nB,2\" pipe\n").unwrap();
        assert_eq!((table.get(&key(&["A"])), table.get(&key(&["B"]))), (Some("1 \"inch\""), Some("2\" pipe")));
    }

    #[test]
    fn a_line_with_a_missing_cell_is_a_defect() {
        let defects = Table::parse("t.csv", "k,v\nA\n").unwrap_err();
        assert_eq!(defects[0].to_string(), "t.csv line 2: 1 cells; expected 2, as in the header");
        assert!(Table::parse("t.csv", "").is_err());
        assert!(Table::parse("t.csv", "only\nA\n").is_err());
    }
}

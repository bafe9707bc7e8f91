//! The tables in which keys are looked up.

mod header;
mod row;
mod suspicion;

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::csv_file::{CsvFile, CsvRow, Layout, REMARK};
use super::defect::{Defect, Findings};
use super::meaning;
use crate::cart::without_leading_zeros;
use header::FirstLine;
use row::ANY_OTHER;
pub use row::{TableRow, quoted_key};
use suspicion::suspicions;

/// Every table of a folder, by its name.
pub type Tables = BTreeMap<String, Table>;

/// A table: one or more key columns, then the value.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Names of the key columns; none if the header can't be read, and only then.
    pub key_columns: Vec<String>,
    /// True if the first line looks like a row: then the table is to blame where the sheet needs other key columns.
    pub may_lack_header: bool,
    /// By the parts of the key, joined.
    rows: HashMap<String, String>,
    /// The smallest of the keys that differ in nothing but zeros at the beginning of their numbers, by such a key without them.
    without_zeros: HashMap<String, String>,
    /// True if a row's last key is `*`.
    pub has_any_other: bool,
    /// What the rows mean, for the mapping's version.
    pub meaning: String,
}

/// A table as it was read, whatever is wrong with it.
#[derive(Debug, Default)]
pub struct ReadTable {
    /// What can be looked up.
    pub table: Table,
    /// The number of key columns.
    pub keys: usize,
    /// The title of the value's column.
    pub value_column: String,
    /// Every row that can be read.
    pub rows: Vec<TableRow>,
    /// What is wrong with it, and what should be looked at.
    pub findings: Findings,
    /// The first line looks like a row.
    pub lacks_header: Option<Defect>,
    /// There is nothing below the header.
    pub lacks_rows: Option<Defect>,
}

impl Table {
    /// Reads `tables/NAME.csv`.
    ///
    /// # Errors
    /// Every mistake of [`Table::read`].
    #[cfg(test)]
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Defect>> {
        let ReadTable { table, findings, .. } = Self::read(file, text);
        if findings.mistakes.is_empty() { Ok(table) } else { Err(findings.mistakes) }
    }

    /// Reads as much of `tables/NAME.csv` as can be read. Mistakes are: no key column, an empty value, a key in two rows, and
    /// what [`CsvFile::parse`] finds. A table without a header that can be read has no key columns.
    pub fn read(file: &str, text: &str) -> ReadTable {
        let csv = CsvFile::parse(file, text, Layout { header: header_index, optional: &[], names: &[] });
        let nothing = |findings| ReadTable { findings, ..ReadTable::default() };
        if csv.is_unreadable {
            return nothing(csv.findings);
        }
        let mut findings = csv.findings;
        let (mut columns, line) = (csv.header, csv.header_line);
        if columns.last().is_some_and(|name| name.eq_ignore_ascii_case(REMARK)) {
            columns.pop();
        }
        let Some((value_column, key_columns)) = columns.split_last().filter(|(_, keys)| !keys.is_empty()) else {
            let problem = "expected one or more key columns, then the value's column";
            findings.mistakes.push(Defect::in_line(file, line, problem));
            return nothing(findings);
        };
        let keys = key_columns.len();
        let row = |row: &CsvRow| TableRow { line: row.line, key: row.range(0..keys), value: row.cell(keys).to_owned() };
        let rows: Vec<TableRow> = csv.rows.iter().map(row).collect();
        let broken: Vec<TableRow> = csv.broken.iter().map(row).collect();
        let lacks_header = match FirstLine::of(file, line, &columns, [&rows, &broken]) {
            FirstLine::Header => None,
            FirstLine::MaybeRow(doubt) => Some(doubt),
            FirstLine::Row(mistake) => return nothing(Findings { mistakes: vec![mistake], warnings: Vec::new() }),
        };
        if let Some(index) = columns.iter().position(String::is_empty) {
            let problem =
                format!("column {} has no title; expected the key columns, then the value's column", index + 1);
            findings.mistakes.push(Defect::in_line(file, line, problem));
            return nothing(findings);
        }
        let lacks_rows = (rows.is_empty() && csv.broken.is_empty())
            .then(|| Defect::in_line(file, line, "no rows below the header; expected a key and its value in each"));
        let mut table = Self {
            key_columns: key_columns.to_vec(),
            may_lack_header: lacks_header.is_some(),
            has_any_other: rows.iter().any(TableRow::is_any_other),
            meaning: meaning::of_table(keys + 1, &csv.rows),
            ..Self::default()
        };
        findings.mistakes.extend(row_defects(file, &columns, &rows));
        findings.warnings.extend(FirstLine::repetitions(file, line, &columns, &rows));
        findings.warnings.extend(suspicions(file, key_columns, &rows));
        for row in &rows {
            table.add(row);
        }
        ReadTable { table, keys, value_column: value_column.clone(), rows, findings, lacks_header, lacks_rows }
    }

    fn add(&mut self, row: &TableRow) {
        let key = joined(&row.key).into_owned();
        match self.without_zeros.entry(without_zeros(&row.key)) {
            Entry::Occupied(mut smallest) if key < *smallest.get() => drop(smallest.insert(key.clone())),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => drop(place.insert(key.clone())),
        }
        self.rows.insert(key, row.value.clone());
    }

    /// A table whose file can't be read: what the sheet says of it is no further mistake.
    pub fn unreadable() -> Self {
        Self::default()
    }

    /// Every value.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.rows.values().map(String::as_str)
    }

    /// The value of a key; keys match exactly, an empty part matches an empty cell. Where no row has the key, the one with
    /// the same key but for a `*` at its end counts, unless the last part is empty: what is missing is no other value.
    pub fn get<S: AsRef<str>>(&self, key: &[S]) -> Option<&str> {
        let exact = self.rows.get(joined(key).as_ref());
        exact.or_else(|| self.any_other(key)).map(String::as_str)
    }

    fn any_other<S: AsRef<str>>(&self, key: &[S]) -> Option<&String> {
        let (last, before) = key.split_last().filter(|_| self.has_any_other)?;
        if last.as_ref().is_empty() {
            return None;
        }
        let key: Vec<&str> = before.iter().map(AsRef::as_ref).chain([ANY_OTHER]).collect();
        self.rows.get(joined(&key).as_ref())
    }

    /// A key of the table that differs from this one in nothing but zeros at the beginning of its numbers.
    pub fn zero_twin<S: AsRef<str>>(&self, key: &[S]) -> Option<Vec<&str>> {
        self.without_zeros.get(&without_zeros(key)).map(|twin| twin.split('\n').collect())
    }
}

/// Values that are missing, `*` in the wrong place, keys that are there twice.
fn row_defects(file: &str, columns: &[String], rows: &[TableRow]) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut first_line: HashMap<&[String], u64> = HashMap::new();
    for TableRow { line, key, value } in rows {
        if let Some(column) = columns.last().filter(|_| value.is_empty()) {
            defects.push(Defect::in_cell(file, *line, column, "the value is empty"));
        }
        if let Some((_, before)) = key.split_last() {
            for (column, _) in columns.iter().zip(before).filter(|(_, part)| *part == ANY_OTHER) {
                let problem = "* stands for any other key in the last key column alone";
                defects.push(Defect::in_cell(file, *line, column, problem));
            }
        }
        if let Some(first) = first_line.insert(key, *line) {
            let problem = format!("the key {} is already in line {first}", quoted_key(key));
            defects.push(Defect::in_line(file, *line, problem));
        }
    }
    defects
}

/// The header is below the titles, which have one cell with content, and ends with the first row that has more.
fn header_index(rows: &[Vec<String>]) -> usize {
    let cells = |row: &Vec<String>| row.iter().filter(|cell| !cell.is_empty()).count();
    rows.iter().position(|row| cells(row) > 1).unwrap_or(0)
}

/// The parts of a key as one text, without zeros at the beginning of its numbers.
fn without_zeros<S: AsRef<str>>(key: &[S]) -> String {
    let parts: Vec<&str> = key.iter().map(|part| without_leading_zeros(part.as_ref())).collect();
    joined(&parts).into_owned()
}

/// The parts of a key as one text. No cell of a table has a line break, so that a text with one is no key.
fn joined<S: AsRef<str>>(key: &[S]) -> Cow<'_, str> {
    match key {
        [only] => Cow::Borrowed(only.as_ref()),
        parts => Cow::Owned(parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n")),
    }
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
        assert_eq!(
            texts,
            ["t.csv line 3, column v: the value is empty", "t.csv line 4: the key \"A\" is already in line 2"]
        );
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
    fn any_other_key_counts_after_the_exact_ones() {
        let one = Table::parse("t", "unit,value\nH,HUR\n*,C62\n").unwrap();
        let two =
            Table::parse("t", "country,region,value\nDE,*,north\nDE,08,south\nDE,,none\nUS,TX,west\n,*,nowhere\n")
                .unwrap();
        for (table, parts, expected) in [
            (&one, &["H"][..], Some("HUR")),
            (&one, &["h"], Some("C62")),
            (&one, &["*"], Some("C62")),
            (&one, &[""], None),
            (&two, &["DE", "08"], Some("south")),
            (&two, &["DE", "8"], Some("north")),
            (&two, &["DE", ""], Some("none")),
            (&two, &["US", "TX"], Some("west")),
            (&two, &["US", "08"], None),
            (&two, &["FR", "*"], None),
            (&two, &["*", "08"], None),
            (&two, &["", "08"], Some("nowhere")),
            (&two, &["", ""], None),
        ] {
            assert_eq!(table.get(&key(parts)), expected, "{parts:?}");
        }
    }

    #[test]
    fn any_other_key_stands_in_the_last_key_column_once_for_each_prefix() {
        for (text, expected) in [
            ("k,v\n*,1\nA,1\n*,2\n", "t.csv line 4: the key \"*\" is already in line 2"),
            ("k,l,v\nA,*,1\nB,*,2\nA,*,3\n", "t.csv line 4: the key \"A\" + \"*\" is already in line 2"),
            ("k,l,v\n*,A,1\n", "t.csv line 2, column k: * stands for any other key in the last key column alone"),
            ("k,l,v\n*,*,1\n", "t.csv line 2, column k: * stands for any other key in the last key column alone"),
        ] {
            let defects = Table::parse("t.csv", text).unwrap_err();
            assert_eq!(defects.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "{text}");
        }
    }

    #[test]
    fn a_line_with_a_missing_cell_is_a_defect() {
        let defects = Table::parse("t.csv", "k,v\nA\n").unwrap_err();
        assert_eq!(defects[0].to_string(), "t.csv line 2: 1 cell; expected 2, as in the header: without v");
        assert!(Table::parse("t.csv", "").is_err());
        assert!(Table::parse("t.csv", "only\nA\n").is_err());
    }

    fn warnings(text: &str) -> Vec<String> {
        let read = Table::read("t.csv", text);
        assert_eq!(read.findings.mistakes, []);
        read.findings.warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn numbers_that_have_lost_a_zero_are_warned_of_without_any_example() {
        let suspicious = [
            ("k,v\n07,a\n8,b\n09,c\n", 3, "\"8\" is shorter than other numbers of this column; expected \"08\""),
            ("k,v\n10,a\n11,b\n8,c\n", 4, "expected \"08\""),
            (
                "k,v\n7,a\n8,b\n10,c\n",
                2,
                "\"7\" is shorter than other numbers of this column (1 more like it); expected \"07\"",
            ),
            ("l,k,v\nDE,01,a\nDE,2,b\nFR,971,c\nFR,01,d\n", 3, "expected \"02\""),
            ("k,l,v\n0010,DE,a\n20,DE,b\n", 3, "expected \"0020\""),
        ];
        for (text, line, expected) in suspicious {
            let found = warnings(text);
            assert!(found.len() == 1 && found[0].contains(expected), "{text:?} {found:?}");
            assert!(
                found[0].starts_with(&format!("t.csv line {line}, column k: did a spreadsheet drop the zero?")),
                "{found:?}"
            );
        }
        for text in [
            "k,v\n07,a\n08,b\n",
            "k,v\n1,a\n2,b\n",
            "l,k,v\nDE,01,a\nUS,1,b\n",
            "l,k,v\nFR,01,a\nFR,971,b\nFR,2A,c\nFR,,d\n",
            "k,v\nA1,8\nA02,08\n",
        ] {
            assert_eq!(warnings(text), [""; 0], "{text:?}");
        }
    }

    #[test]
    fn keys_that_differ_in_capitals_alone_are_warned_of_and_count_each() {
        let text = "l,k,v\nDE,st,a\nDE,ST,b\nAT,St,c\n";
        let expected = "t.csv line 3: the key \"DE\" + \"ST\" differs from the one in line 2 in nothing but capitals; both count, each as it is written";
        assert_eq!(warnings(text), [expected]);
        let table = Table::parse("t", text).unwrap();
        assert_eq!(
            (table.get(&["DE", "st"]), table.get(&["DE", "ST"]), table.get(&["DE", "St"])),
            (Some("a"), Some("b"), None)
        );
        // Blanks at the edge make no other key.
        let twice = Table::parse("t.csv", "k,v\nA,1\n\"A\u{a0} \",2\n").unwrap_err();
        assert_eq!(twice[0].to_string(), "t.csv line 3: the key \"A\" is already in line 2");
    }

    #[test]
    fn a_title_or_a_column_without_one_is_named_and_the_rows_are_checked() {
        let found = Table::read("t.csv", "Regions,,\nk,l,v\nA,B,\n").findings.mistakes;
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(texts[0].starts_with("t.csv line 1: a title above the header, which is in line 2"), "{texts:?}");
        assert_eq!(texts[1..], ["t.csv line 3, column v: the value is empty"]);
        let found = Table::parse("t.csv", "k,,v\nA,B,C\n").unwrap_err();
        assert!(found[0].to_string().starts_with("t.csv line 1: column 2 has no title"), "{found:?}");
    }

    #[test]
    fn a_twin_differs_in_zeros_at_the_beginning_of_numbers_alone() {
        let table = Table::parse("t", "l,k,v\nDE,08,a\nDE,9,b\nDE,0A,c\n007,,d\n").unwrap();
        for (key, twin) in [
            (["DE", "8"], Some(vec!["DE", "08"])),
            (["DE", "0009"], Some(vec!["DE", "9"])),
            (["7", ""], Some(vec!["007", ""])),
            (["DE", "A"], None),
            (["DE", "80"], None),
            (["AT", "8"], None),
        ] {
            assert_eq!(table.zero_twin(&key), twin, "{key:?}");
        }
        assert_eq!(table.zero_twin(&["DE"]), None);
    }
}

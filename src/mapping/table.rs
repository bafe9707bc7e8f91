//! The tables in which keys are looked up.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::csv_file::{CsvFile, CsvRow};
use super::defect::Defect;
use super::meaning;
use crate::message::quoted;

/// The column for the analysts' notes; ignored.
const REMARK: &str = "remark";

/// The last key of a row for any other key.
const ANY_OTHER: &str = "*";

/// Every table of a folder, by its name.
pub type Tables = BTreeMap<String, Table>;

/// A table: one or more key columns, then the value.
#[derive(Debug, Clone)]
pub struct Table {
    /// Names of the key columns.
    pub key_columns: Vec<String>,
    /// By the parts of the key, joined.
    rows: HashMap<String, String>,
    /// True if a row's last key is `*`.
    pub has_any_other: bool,
    /// What the rows mean, for the mapping's version.
    pub meaning: String,
}

impl Table {
    /// Reads `tables/NAME.csv`.
    ///
    /// # Errors
    /// No key column, an empty value, a key in two rows, a `*` before the last key.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Defect>> {
        let CsvFile { header: mut key_columns, rows: csv_rows } = CsvFile::parse(file, text)?;
        if key_columns.last().is_some_and(|name| name.eq_ignore_ascii_case(REMARK)) {
            key_columns.pop();
        }
        if key_columns.len() < 2 {
            let expected = "expected one or more key columns, then the value's column";
            return Err(vec![Defect::in_line(file, 1, expected)]);
        }
        key_columns.pop();
        let meaning = meaning::of_table(key_columns.len() + 1, &csv_rows);
        let mut rows = HashMap::new();
        let mut has_any_other = false;
        let mut first_line: HashMap<Vec<String>, u64> = HashMap::new();
        let mut defects = Vec::new();
        for CsvRow { line, cells: mut key, .. } in csv_rows {
            key.truncate(key_columns.len() + 1);
            let value = key.pop().unwrap_or_default();
            if value.is_empty() {
                defects.push(Defect::in_line(file, line, "the value is empty"));
            }
            if let Some((last, before)) = key.split_last() {
                has_any_other |= last == ANY_OTHER;
                for (column, _) in key_columns.iter().zip(before).filter(|(_, part)| *part == ANY_OTHER) {
                    let problem =
                        format!("* stands for any other key in the last key column alone, and not in {column}");
                    defects.push(Defect::in_line(file, line, problem));
                }
            }
            if let Some(first) = first_line.insert(key.clone(), line) {
                let problem = format!("the key {} is already in line {first}", quoted_key(&key));
                defects.push(Defect::in_line(file, line, problem));
            }
            rows.insert(joined(&key).into_owned(), value);
        }
        let table = Self { key_columns, rows, has_any_other, meaning };
        if defects.is_empty() { Ok(table) } else { Err(defects) }
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
}

/// The parts of a key as one text. No cell of a table has a line break, so that a text with one is no key.
fn joined<S: AsRef<str>>(key: &[S]) -> Cow<'_, str> {
    match key {
        [only] => Cow::Borrowed(only.as_ref()),
        parts => Cow::Owned(parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n")),
    }
}

/// A key for a message: `"DE" + "08"`.
pub fn quoted_key<S: AsRef<str>>(key: &[S]) -> String {
    key.iter().map(|part| quoted(part.as_ref())).collect::<Vec<_>>().join(" + ")
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
        assert_eq!(texts, ["t.csv line 3: the value is empty", "t.csv line 4: the key \"A\" is already in line 2"]);
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
            ("k,l,v\n*,A,1\n", "t.csv line 2: * stands for any other key in the last key column alone, and not in k"),
            ("k,l,v\n*,*,1\n", "t.csv line 2: * stands for any other key in the last key column alone, and not in k"),
        ] {
            let defects = Table::parse("t.csv", text).unwrap_err();
            assert_eq!(defects.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "{text}");
        }
    }

    #[test]
    fn a_line_with_a_missing_cell_is_a_defect() {
        let defects = Table::parse("t.csv", "k,v\nA\n").unwrap_err();
        assert_eq!(defects[0].to_string(), "t.csv line 2: 1 cells; expected 2, as in the header");
        assert!(Table::parse("t.csv", "").is_err());
        assert!(Table::parse("t.csv", "only\nA\n").is_err());
    }
}

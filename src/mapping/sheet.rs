//! The mapping sheet `purchase-order.csv`: one row per target field, checked whole and compiled when loaded.

mod absent;
mod source;

use std::collections::BTreeSet;

pub use absent::Absent;
pub use source::Source;

use super::conversion::Conversion;
use super::csv_file::{CsvFile, CsvRow};
use super::defect::Defect;
use super::table::Tables;
use super::target::{MAX_LISTS, Object, TargetPath};
use crate::cart::Name;

const COLUMNS: [&str; 4] = ["target", "source", "as", "absent"];

/// One row of the sheet.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Line in the file.
    pub line: u64,
    /// The text of the column `source`.
    pub source_text: String,
    /// The sources, joined to one key if there are several.
    pub sources: Vec<Source>,
    /// The column `as`.
    pub conversion: Conversion,
    /// The column `absent`.
    pub absent: Absent,
}

/// The compiled sheet.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The sections of a cart that the sheet reads.
    pub sections: BTreeSet<Name>,
    /// The order's body as a tree of rules, in the order of the sheet.
    pub root: Object<Rule>,
}

impl Sheet {
    /// Reads and checks the sheet against the tables that it names.
    ///
    /// # Errors
    /// Every defect of every row.
    pub fn parse(file: &str, text: &str, tables: &Tables) -> Result<Self, Vec<Defect>> {
        let CsvFile { header, rows } = CsvFile::parse(file, text)?;
        let columns = column_indexes(file, &header)?;
        let mut sheet = Self { sections: BTreeSet::new(), root: Object::default() };
        let mut defects = Vec::new();
        for row in &rows {
            let problems = sheet.add(row, columns, tables).err().unwrap_or_default();
            defects.extend(problems.into_iter().map(|problem| Defect::in_line(file, row.line, problem)));
        }
        if rows.is_empty() {
            defects.push(Defect::new(file, "the sheet has no rows"));
        }
        if defects.is_empty() { Ok(sheet) } else { Err(defects) }
    }

    fn add(&mut self, row: &CsvRow, columns: [usize; 4], tables: &Tables) -> Result<(), Vec<String>> {
        let (path, rule) = rule(columns.map(|column| row.cell(column)), row.line, tables)?;
        let depth = path.depth();
        self.sections.extend(rule.sources.iter().filter_map(Source::section).cloned());
        if depth == MAX_LISTS {
            self.sections.insert(Name::of("ACCOUNT"));
        }
        self.root.insert(path, rule).map_err(|problem| vec![problem])?;
        if depth <= MAX_LISTS {
            return Ok(());
        }
        Err(vec!["target: at most two lists: one entry an item, and in it one entry an account".to_owned()])
    }
}

/// The index of each of [`COLUMNS`] in the header.
fn column_indexes(file: &str, header: &[String]) -> Result<[usize; 4], Vec<Defect>> {
    let index = |name: &str| {
        header.iter().position(|column| column.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let problem = format!("the column {name} is missing; expected target,source,as,absent,remark");
            Defect::in_line(file, 1, problem)
        })
    };
    let [target, source, conversion, absent] = COLUMNS.map(index);
    match (target, source, conversion, absent) {
        (Ok(target), Ok(source), Ok(conversion), Ok(absent)) => Ok([target, source, conversion, absent]),
        (target, source, conversion, absent) => {
            Err([target, source, conversion, absent].into_iter().filter_map(Result::err).collect())
        }
    }
}

/// Reads the cells of one row, in the order of [`COLUMNS`].
fn rule(cells: [&str; 4], line: u64, tables: &Tables) -> Result<(TargetPath, Rule), Vec<String>> {
    let [target, source, conversion, absent] = cells;
    let mut problems = Vec::new();
    let mut keep = |problem: String| problems.push(problem);
    let path = TargetPath::parse(target).map_err(&mut keep).ok();
    let conversion = Conversion::parse(conversion)
        .ok_or_else(|| format!("as {conversion:?}: expected {}", Conversion::FORMS))
        .map_err(&mut keep)
        .ok();
    let sources = sources(source, conversion.as_ref()).map_err(&mut keep).ok();
    let absent = Absent::parse(absent, conversion.as_ref()).map_err(&mut keep).ok();
    if let (Some(Conversion::Table(name)), Some(sources)) = (&conversion, &sources)
        && let Err(problem) = check_table(name, sources.len(), tables)
    {
        keep(problem);
    }
    match (path, conversion, sources, absent) {
        (Some(path), Some(conversion), Some(sources), Some(absent)) if problems.is_empty() => {
            Ok((path, Rule { line, source_text: source.to_owned(), sources, conversion, absent }))
        }
        _ => Err(problems),
    }
}

/// Several sources are the parts of one table key; a constant has none.
fn sources(text: &str, conversion: Option<&Conversion>) -> Result<Vec<Source>, String> {
    if matches!(conversion, Some(Conversion::Constant(_))) {
        return Ok(Vec::new());
    }
    let sources = text.split('+').map(Source::parse).collect::<Result<Vec<_>, _>>()?;
    if sources.len() > 1 && !matches!(conversion, None | Some(Conversion::Table(_))) {
        return Err("several sources make one table key: expected as table:NAME".to_owned());
    }
    Ok(sources)
}

/// A table needs as many key columns as the row has sources.
fn check_table(name: &str, keys: usize, tables: &Tables) -> Result<(), String> {
    let table = tables.get(name).ok_or_else(|| format!("as table:{name}: there is no tables/{name}.csv"))?;
    if table.key_columns.len() == keys {
        return Ok(());
    }
    Err(format!("as table:{name}: the table has {} key columns, the source names {keys}", table.key_columns.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::table::Table;

    fn tables() -> Tables {
        let table = |text| Table::parse("t", text).unwrap();
        Tables::from([("one".to_owned(), table("k,v\nA,1\n")), ("two".to_owned(), table("k,l,v\nA,B,1\n"))])
    }

    fn defects(rows: &str) -> Vec<String> {
        let text = format!("target,source,as,absent,remark\n{rows}");
        let sheet = Sheet::parse("sheet.csv", &text, &tables());
        sheet.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_sheet_has_no_defects() {
        let rows = "a,ID,text,refuse,\nb.c,HEADER.X,table:one,use:1,\nd[].e,ITEM.Y + PARTNER[00000027].Z,table:two,omit,\n\
                    d[].f[].g,ACCOUNT[DIST_IND=].P,decimal,use:0,\nh,,constant:x,,\n";
        assert_eq!(defects(rows), Vec::<String>::new());
    }

    #[test]
    fn every_defect_of_every_row_is_reported_at_once() {
        let found = defects(
            "a b,HEADER,number,maybe,\nx,HEADER.A + HEADER.B,text,omit,\ny,HEADER.A,table:nowhere,omit,\nz,HEADER.A,table:two,omit,\n",
        );
        assert_eq!(found.len(), 7, "{found:#?}");
        assert!(found[0].starts_with("sheet.csv line 2: target"), "{found:#?}");
        assert!(found[1].contains("expected text, id, guid"), "{found:#?}");
        assert!(found[5].contains("there is no tables/nowhere.csv"), "{found:#?}");
        assert!(found[6].contains("2 key columns"), "{found:#?}");
    }

    #[test]
    fn a_target_has_one_rule() {
        assert_eq!(
            defects("a,HEADER.X,text,omit,\na,HEADER.Y,text,omit,\n")[0],
            "sheet.csv line 3: target a: already set by an earlier row"
        );
        assert!(defects("a,HEADER.X,text,omit,\na.b,HEADER.Y,text,omit,\n")[0].contains("target a.b"));
        assert!(defects("a[].b[].c[].d,HEADER.X,text,omit,\n")[0].contains("at most two lists"));
    }

    #[test]
    fn a_default_value_has_to_fit_its_conversion() {
        assert!(defects("a,HEADER.X,integer,use:many,\n")[0].contains("expected a whole number"));
    }

    #[test]
    fn missing_columns_are_named() {
        let missing = Sheet::parse("s", "target;source\n", &tables()).unwrap_err();
        assert_eq!(missing.len(), 2);
    }
}

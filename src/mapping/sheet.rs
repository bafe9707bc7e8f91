//! The mapping sheet `purchase-order.csv`: one row per target field, checked whole and compiled when loaded.

mod absent;
mod entries;
mod id_field;
mod known_names;
mod listed;
mod rule;
mod source;
mod suspicion;
mod thousands;
mod when;
mod whole;
mod word_damage;

use std::collections::{BTreeMap, BTreeSet};

pub use absent::Absent;
pub use id_field::IdField;
pub use rule::Rule;
pub use source::Source;
pub use when::{Comparison, Operand, When};

use super::conversion::Conversion;
use super::csv_file::{CsvFile, CsvRow, Layout, REMARK};
use super::defect::{CellProblem, Defect, Findings};
use super::meaning;
use super::table::Tables;
use super::target::{MAX_LISTS, Object};
use crate::cart::{Name, STANDARD};
use suspicion::suspicions;
use whole::defects_of_entries;
use word_damage::damage_of_words;

const COLUMNS: [&str; 4] = ["target", "source", "as", "absent"];

/// The column for conditions, which may be missing.
const WHEN: &str = "when";

/// The section of an item's limits. It is read for every sheet: an item with a limit is no ordinary one.
pub const LIMIT: &str = "LIMIT";

/// The compiled sheet.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// The sections of a cart that are read for the sheet: those that it names, ACCOUNT for a list in a list, and LIMIT.
    pub sections: BTreeSet<Name>,
    /// What the sheet does with the section LIMIT.
    pub limits: Limits,
    /// The figures that rows of the sheet read.
    pub reads: ReadFigures,
    /// True if a row of the sheet leaves entries out.
    pub has_skips: bool,
    /// The order's body as a tree of rules, in the order of the sheet.
    pub root: Object<Rule>,
    /// The number of rows.
    pub row_count: usize,
    /// What the rows mean, for the mapping's version.
    pub meaning: String,
}

/// Which figures a sheet reads, in the source of a row or in its condition. One that is missing is zero then, as serializers
/// drop zeros; one that nobody reads may be a field that is never sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadFigures {
    /// The header's total.
    pub total: bool,
    /// An item's price.
    pub price: bool,
    /// An item's quantity.
    pub quantity: bool,
}

/// What a sheet does with the section LIMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limits {
    /// No row names it.
    Unread,
    /// Conditions read it, which brings no limit into an order; mistakes in it are the cart's.
    Compared,
    /// A row has it as its source.
    Ordered,
}

/// A sheet as it was read, whatever is wrong with it.
#[derive(Debug)]
pub struct ReadSheet {
    /// What could be compiled.
    pub sheet: Sheet,
    /// What is wrong with it, and what should be looked at.
    pub findings: Findings,
    /// The tables that its rows name, each with the numbers of sources; `None` if its columns can't be told.
    pub tables: Option<NamedTables>,
}

/// Tables by name, each with the numbers of sources of the rows that name it.
pub type NamedTables = BTreeMap<String, BTreeSet<usize>>;

impl Sheet {
    /// Reads and checks the sheet against the tables that it names.
    ///
    /// # Errors
    /// Every mistake of every row.
    #[cfg(test)]
    pub fn parse(file: &str, text: &str, tables: &Tables) -> Result<Self, Vec<Defect>> {
        let ReadSheet { sheet, findings, .. } = Self::read(file, text, tables, &IdField::Nowhere);
        if findings.mistakes.is_empty() { Ok(sheet) } else { Err(findings.mistakes) }
    }

    /// Reads and checks the sheet against the tables that it names, and against what 11VMS finds an order by.
    pub fn read(file: &str, text: &str, tables: &Tables, id_field: &IdField) -> ReadSheet {
        let csv = CsvFile::parse(file, text, Layout { header: header_index, optional: &[WHEN], names: &["target"] });
        let mut sheet = Self {
            sections: BTreeSet::new(),
            limits: Limits::Unread,
            reads: ReadFigures::default(),
            has_skips: false,
            root: Object::default(),
            row_count: csv.rows.len(),
            meaning: meaning::of_sheet(&csv.header, &csv.rows),
        };
        if csv.is_unreadable {
            return ReadSheet { sheet, findings: csv.findings, tables: None };
        }
        let mut findings = Findings::default();
        let columns = match column_indexes(file, &csv) {
            Ok(required) => Columns { required, when: csv.column(WHEN), remark: csv.column(REMARK) },
            Err(missing) => {
                findings.mistakes = [csv.findings.mistakes, missing].concat();
                return ReadSheet { sheet, findings, tables: None };
            }
        };
        let tables_named = named_tables(&csv, &columns);
        let has_all_rows = csv.broken.is_empty();
        for row in &csv.rows {
            let problems = damage_of_words(&csv, row).err().or_else(|| sheet.add(row, &columns, tables).err());
            let problems = problems.into_iter().flatten();
            findings.mistakes.extend(problems.map(|problem| Defect::of_cell(file, row.line, problem)));
        }
        if csv.rows.is_empty() && has_all_rows {
            findings.mistakes.push(Defect::new(file, "the sheet has no rows"));
        }
        if findings.mistakes.is_empty() && has_all_rows {
            findings.mistakes.extend(defects_of_entries(file, &sheet.root));
        }
        findings.mistakes.extend(id_field.mistakes(file, &csv));
        findings.warnings.extend(suspicions(file, &csv));
        findings.extend(csv.findings);
        findings.mistakes.sort_by_key(Defect::line);
        sheet.sections.insert(Name::of(LIMIT));
        ReadSheet { sheet, findings, tables: Some(tables_named) }
    }

    fn add(&mut self, row: &CsvRow, columns: &Columns, tables: &Tables) -> Result<(), Vec<CellProblem>> {
        let [target, source, conversion, absent] = columns.required;
        let optional = |column: Option<usize>| column.map_or("", |column| row.cell(column));
        let cells =
            [row.cell(target), row.cell(source), row.word(conversion), row.cell(absent), optional(columns.when)];
        let (path, mut rule) = Rule::parse(cells, row.line, tables)?;
        optional(columns.remark).clone_into(&mut rule.remark);
        let depth = path.depth();
        let compared = rule.when.iter().flat_map(|when| &when.comparisons).map(|comparison| &comparison.source);
        let read: Vec<&Source> = rule.sources.iter().chain(compared).collect();
        self.sections.extend(read.iter().filter_map(|source| source.section()).cloned());
        let limit = Name::of(LIMIT);
        let is_limit = |source: &Source| source.section() == Some(&limit);
        let limits = match (rule.sources.iter().any(is_limit), read.iter().any(|source| is_limit(source))) {
            (true, _) => Limits::Ordered,
            (false, true) => Limits::Compared,
            (false, false) => Limits::Unread,
        };
        self.limits = self.limits.max(limits);
        let reads = |section: &Name, field| read.iter().any(|source| source.is_field(section, field));
        self.reads.total |= reads(&STANDARD.header, "TOTAL_VALUE");
        self.reads.price |= reads(&STANDARD.item, "PRICE");
        self.reads.quantity |= reads(&STANDARD.item, "QUANTITY");
        self.has_skips |= rule.conversion == Conversion::Skip;
        if depth == MAX_LISTS {
            self.sections.insert(Name::of("ACCOUNT"));
        }
        let of_target = |problem: String| vec![CellProblem::new("target", problem)];
        self.root.insert(path, rule, Rule::take_in).map_err(of_target)?;
        if depth <= MAX_LISTS {
            return Ok(());
        }
        Err(of_target("target: at most two lists: one entry an item, and in it one entry an account".to_owned()))
    }
}

/// Where the columns are.
struct Columns {
    /// [`COLUMNS`].
    required: [usize; 4],
    when: Option<usize>,
    remark: Option<usize>,
}

/// The tables that rows name, also those that have a mistake.
fn named_tables(csv: &CsvFile, columns: &Columns) -> NamedTables {
    let [_, source, conversion, _] = columns.required;
    let mut tables = NamedTables::new();
    for row in csv.rows.iter().chain(&csv.broken) {
        if let Some(name) = row.cell(conversion).strip_prefix("table:") {
            let sources = row.cell(source).split('+').count();
            tables.entry(name.trim().to_owned()).or_default().insert(sources);
        }
    }
    tables
}

/// The header is the first row with two of the columns' titles.
fn header_index(rows: &[Vec<String>]) -> usize {
    let titles = |row: &Vec<String>| {
        row.iter().filter(|cell| COLUMNS.iter().any(|column| cell.eq_ignore_ascii_case(column))).count()
    };
    rows.iter().position(|row| titles(row) > 1).unwrap_or(0)
}

/// The index of each of [`COLUMNS`] in the header.
fn column_indexes(file: &str, csv: &CsvFile) -> Result<[usize; 4], Vec<Defect>> {
    let index = |name: &str| {
        csv.column(name).ok_or_else(|| {
            let problem = format!("the column {name} is missing; expected target,source,as,absent,remark");
            Defect::in_line(file, csv.header_line, problem)
        })
    };
    if !COLUMNS.iter().any(|column| csv.column(column).is_some()) {
        let problem = "the header row seems to be missing; expected target,source,as,absent,remark above the rows";
        return Err(vec![Defect::in_line(file, csv.header_line, problem)]);
    }
    let [target, source, conversion, absent] = COLUMNS.map(index);
    match (target, source, conversion, absent) {
        (Ok(target), Ok(source), Ok(conversion), Ok(absent)) => Ok([target, source, conversion, absent]),
        (target, source, conversion, absent) => {
            Err([target, source, conversion, absent].into_iter().filter_map(Result::err).collect())
        }
    }
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
                    d[].f[].g,ACCOUNT[DIST_IND=].P,decimal,use:0,\nh,,constant:x,,\n\
                    d[],ITEM[ITM_TYPE=HIER],skip,,a heading\nd[],STATUS[STAT=I1016][INACT=],skip,,\n\
                    d[].f[],ACCOUNT,rows,refuse,\nd[].f[],PARTNER[00000019],skip,,\n\
                    d[].f[].h,ACCOUNT.A,decimal,one-of:share,\nd[].f[].i.j,ACCOUNT.B,decimal,one-of:share,\n\
                    d[].k,LONGTEXT[TDID=ITXT].TDLINE,lines,omit,\nd[].l,ITEM.PLANT,padded:4,use:0010,\n";
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
    fn a_mistake_in_a_cell_has_its_column() {
        for (row, expected) in [
            ("a b,HEADER.X,text,omit,,", "target"),
            ("a[],HEADER.X,text,omit,,", "target"),
            ("x,HEADER.X,text,omit,,", "target"),
            ("a,HEADER,text,omit,,", "source"),
            ("a,HEADER.X + HEADER.Y,id,omit,,", "source"),
            ("a[],ITEM,skip,,,", "source"),
            ("a,HEADER.X,txt,omit,,", "as"),
            ("a,HEADER.X,join:-,omit,,", "as"),
            ("a,HEADER.X,table:nowhere,omit,,", "as"),
            ("a,HEADER.X,text,maybe,,", "absent"),
            ("a,HEADER.X,text,one-of:x,,", "absent"),
            ("a,HEADER.X,decimal,\"use:0,5\",,", "absent"),
            ("a,HEADER.X,text,omit,HEADER.Y ~ 1,", "when"),
            ("a,HEADER.X,text,omit,HEADER.Y = \u{201c}1\u{201d},", "when"),
            ("a,HEADER.X,te\u{201c}xt,omit,,", "as"),
        ] {
            let text = format!("target,source,as,absent,when,remark\nx,HEADER.A,text,omit,,\n{row}\n");
            let found = Sheet::parse("sheet.csv", &text, &tables()).err().unwrap_or_default();
            assert!(!found.is_empty(), "{row}");
            assert_eq!((found[0].line(), found[0].column()), (Some(3), Some(expected)), "{row}: {found:?}");
            assert!(found[0].to_string().starts_with("sheet.csv line 3: "), "the column is told once: {}", found[0]);
        }
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
    fn a_rule_about_entries_has_a_list_and_rows_that_belong_to_its_entries() {
        let table = [
            ("a,ITEM[X=1],skip,,", "expected a list, such as lines[].allocations[]"),
            ("a[].b,ACCOUNT,rows,refuse,", "expected a list, such as lines[].allocations[]"),
            ("a[],ITEM.X,text,omit,", "a list itself has as rows or as skip"),
            ("a[],ITEM,skip,,", "would leave out every entry"),
            ("a[].b[],ITEM,skip,,", "would leave out every entry"),
            ("a[],HEADER[X=1],skip,,", "its rows belong to no entry"),
            ("a[],ITEM.X,skip,,", "without a field"),
            ("a[],ITEM[X],skip,,", "expected [FIELD=VALUE]"),
            ("a[],ITEM[X=1],skip,refuse,", "absent \"refuse\": expected nothing"),
            ("a[],ACCOUNT,rows,refuse,", "the entries of a[] are rows of ITEM"),
            ("a[].b[],ITEM,rows,refuse,", "the entries of a[].b[] are rows of ACCOUNT"),
            ("a[],ITEM,rows,,", "absent \"\": expected refuse"),
            ("a[],ITEM,rows,omit,", "absent \"omit\": expected refuse"),
            ("b[],ITEM[X=1],skip,,", "no row sets a field of its entries"),
            ("a[].b[].c[],ACCOUNT,rows,refuse,", "at most two lists"),
            ("a[].y,ITEM.Y,text,one-of:,", "expected refuse, omit, use:VALUE or one-of:NAME"),
            ("a[].y,ITEM.Y,text,one-of:some,", "absent one-of:some: no other row of this entry has it"),
        ];
        for (row, expected) in table {
            let found = defects(&format!("a[].x,ITEM.X,text,omit,\na[].b[].x,ACCOUNT.X,text,omit,\n{row}\n"));
            assert!(found.len() == 1 && found[0].contains(expected), "{row}: {found:?}");
            assert!(found[0].starts_with("sheet.csv line 4: "), "{row}: {found:?}");
        }
    }

    #[test]
    fn the_rows_of_one_choice_belong_to_one_entry() {
        let apart = defects("a,HEADER.A,text,one-of:x,\nb[].c,ITEM.C,text,one-of:x,\n");
        assert_eq!(apart.len(), 2, "{apart:?}");
    }

    #[test]
    fn several_sources_are_a_key_or_a_joined_text() {
        for good in ["join:-", "join:", "\"join:, \"", "table:two"] {
            assert_eq!(defects(&format!("a,HEADER.X + HEADER.Y,{good},omit,\n")), Vec::<String>::new(), "{good}");
        }
        for (row, expected) in [
            ("a,HEADER.X,join:-,omit,", "as join: puts several sources together (A + B)"),
            ("a,HEADER.X + HEADER.Y,id,omit,", "expected as table:NAME or join:SEPARATOR"),
            ("a,HEADER.X + HEADER.Y,join:-,use:,", "absent use: needs a value"),
            ("a,HEADER.X + HEADER.Y,join,omit,", "as \"join\": expected text, id"),
            ("a,,constant:,,", "as \"constant:\": expected a value"),
            ("a,,constant:null,,", "as \"constant:null\": expected a value"),
        ] {
            let found = defects(&format!("{row}\n"));
            assert!(
                found.len() == 1 && found[0].starts_with("sheet.csv line 2: ") && found[0].contains(expected),
                "{row}: {found:?}"
            );
        }
    }

    #[test]
    fn the_column_when_may_be_anywhere_or_missing() {
        let parse = |text: &str| Sheet::parse("sheet.csv", text, &tables()).map(|sheet| sheet.sections.len());
        assert_eq!(parse("When;target;source;as;absent\nITEM.X = 1;a;HEADER.A;text;omit\n").unwrap(), 3);
        let defects = parse("target,source,as,absent,when\na,HEADER.A,text,omit,HEADER.X ~ 1\n").unwrap_err();
        assert_eq!(
            defects[0].to_string(),
            "sheet.csv line 2: when \"HEADER.X ~ 1\": expected SOURCE OPERATOR VALUE, such as HEADER.TOTAL_VALUE > 10000; several are joined by and"
        );
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

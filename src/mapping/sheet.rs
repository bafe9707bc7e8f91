//! The mapping sheet `purchase-order.csv`: one row per target field, checked whole and compiled when loaded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Defect;
use super::conversion::Conversion;
use super::table::{self, Table};
use super::target::{self, Object, Path};
use crate::cart::{Name, Selection, is_initial};

const COLUMNS: [&str; 4] = ["target", "source", "as", "absent"];

/// What happens where the source is missing or initial.
#[derive(Debug, Clone, PartialEq)]
pub enum Absent {
    /// A mistake in the cart.
    Refuse,
    /// The target is left out.
    Omit,
    /// The target gets this value.
    Use(Value),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The order's id.
    Id,
    /// A field of the rows that a selection names.
    Field {
        /// Which rows.
        selection: Selection,
        /// Which field.
        field: Name,
        /// The section's name as the sheet spells it.
        section_label: String,
        /// The field's name as the sheet spells it.
        label: String,
    },
}

impl Source {
    /// How deep in the cart the source lives: 0 the header, 1 an item, 2 an account.
    pub fn depth(&self) -> usize {
        match self {
            Self::Id => 0,
            Self::Field { selection, .. } => match selection.section.to_string().as_str() {
                "HEADER" => 0,
                "ACCOUNT" => 2,
                _ => 1,
            },
        }
    }

    fn section(&self) -> Option<&Name> {
        match self {
            Self::Id => None,
            Self::Field { selection, .. } => Some(&selection.section),
        }
    }

    /// Section and field for a message.
    pub fn place(&self) -> (&str, &str) {
        match self {
            Self::Id => ("HEADER", "GUID"),
            Self::Field { section_label, label, .. } => (section_label, label),
        }
    }

    /// `ID`, `HEADER.CO_CODE`, `PARTNER[00000019].PARTNER_ID`, `ACCOUNT[DIST_IND=Q].DIST_QUAN`.
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("ID") {
            return Ok(Self::Id);
        }
        let expected = || format!("source {text:?}: expected ID, SECTION.FIELD or SECTION[FIELD=VALUE].FIELD");
        let (section, field) = text.rsplit_once('.').ok_or_else(expected)?;
        let (section, filter) = match section.split_once('[') {
            None => (section, None),
            Some((section, filter)) => (section, Some(filter.strip_suffix(']').ok_or_else(expected)?)),
        };
        if section.is_empty()
            || field.is_empty()
            || section.contains(['[', ']', '.'])
            || field.contains(['[', ']', ' '])
        {
            return Err(expected());
        }
        let filter = filter.map(|filter| Self::filter(section, filter)).transpose()?;
        let selection = Selection { section: Name::of(section), filter };
        Ok(Self::Field {
            selection,
            field: Name::of(field),
            section_label: section.to_owned(),
            label: field.to_owned(),
        })
    }

    fn filter(section: &str, text: &str) -> Result<(Name, String), String> {
        match text.split_once('=') {
            Some((field, value)) => Ok((Name::of(field.trim()), value.trim().to_owned())),
            None if Name::of(section) == Name::of("PARTNER") => Ok((Name::of("PARTNER_FCT"), text.trim().to_owned())),
            None => Err(format!(
                "source {section}[{text}]: expected [FIELD=VALUE]; only PARTNER[FUNCTION] has a short form"
            )),
        }
    }
}

/// One row of the sheet.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Line in the file.
    pub line: u64,
    /// The column `source` as it stands.
    pub source: String,
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
    /// Reads and checks the sheet against the tables that it names. Reports every defect of every row.
    pub fn parse(file: &str, text: &str, tables: &BTreeMap<String, Table>) -> Result<Self, Vec<Defect>> {
        let (header, lines) = table::lines(file, text)?;
        let columns = columns(file, &header)?;
        let mut root = Object::default();
        let mut sections = BTreeSet::new();
        let mut defects = Vec::new();
        for line in &lines {
            let cell =
                |column: usize| columns.get(column).and_then(|at| line.cells.get(*at)).map_or("", String::as_str);
            let row = [cell(0), cell(1), cell(2), cell(3)];
            let placed = rule(row, line.number, tables).and_then(|(path, rule)| {
                let depth = path.depth();
                sections.extend(rule.sources.iter().filter_map(Source::section).cloned());
                if depth == target::MAX_LISTS {
                    sections.insert(Name::of("ACCOUNT"));
                }
                root.place(path, rule).map_err(|problem| vec![problem]).and(depth_fits(depth))
            });
            let problems = placed.err().unwrap_or_default();
            defects.extend(problems.into_iter().map(|problem| Defect::new(file, problem).line(line.number)));
        }
        if lines.is_empty() {
            defects.push(Defect::new(file, "the sheet has no rows"));
        }
        if defects.is_empty() { Ok(Self { sections, root }) } else { Err(defects) }
    }
}

fn depth_fits(depth: usize) -> Result<(), Vec<String>> {
    if depth <= target::MAX_LISTS {
        return Ok(());
    }
    Err(vec!["target: at most two lists: one entry an item, and in it one entry an account".to_owned()])
}

/// Where each of [`COLUMNS`] stands.
fn columns(file: &str, header: &[String]) -> Result<Vec<usize>, Vec<Defect>> {
    let find = |name: &str| {
        header.iter().position(|column| column.eq_ignore_ascii_case(name)).ok_or_else(|| {
            Defect::new(file, format!("the column {name} is missing; expected target,source,as,absent,remark")).line(1)
        })
    };
    let (found, missing): (Vec<_>, Vec<_>) = COLUMNS.into_iter().map(find).partition(Result::is_ok);
    if missing.is_empty() {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(missing.into_iter().filter_map(Result::err).collect())
    }
}

fn rule(row: [&str; 4], line: u64, tables: &BTreeMap<String, Table>) -> Result<(Path, Rule), Vec<String>> {
    let [target, source, conversion, absent] = row;
    let mut problems = Vec::new();
    let mut keep = |problem: String| problems.push(problem);
    let path = Path::parse(target).map_err(&mut keep).ok();
    let conversion = Conversion::parse(conversion)
        .ok_or_else(|| format!("as {conversion:?}: expected {}", Conversion::FORMS))
        .map_err(&mut keep)
        .ok();
    let sources = sources(source, conversion.as_ref()).map_err(&mut keep).ok();
    let absent = parse_absent(absent, conversion.as_ref()).map_err(&mut keep).ok();
    if let (Some(Conversion::Table(name)), Some(sources)) = (&conversion, &sources)
        && let Err(problem) = table_fits(name, sources.len(), tables)
    {
        keep(problem);
    }
    match (path, conversion, sources, absent) {
        (Some(path), Some(conversion), Some(sources), Some(absent)) if problems.is_empty() => {
            Ok((path, Rule { line, source: source.to_owned(), sources, conversion, absent }))
        }
        _ => Err(problems),
    }
}

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

fn table_fits(name: &str, keys: usize, tables: &BTreeMap<String, Table>) -> Result<(), String> {
    let table = tables.get(name).ok_or_else(|| format!("as table:{name}: there is no tables/{name}.csv"))?;
    if table.key_columns.len() == keys {
        return Ok(());
    }
    Err(format!("as table:{name}: the table has {} key columns, the source names {keys}", table.key_columns.len()))
}

fn parse_absent(text: &str, conversion: Option<&Conversion>) -> Result<Absent, String> {
    match text.trim() {
        "refuse" => Ok(Absent::Refuse),
        "omit" => Ok(Absent::Omit),
        "" if matches!(conversion, Some(Conversion::Constant(_))) => Ok(Absent::Omit),
        other => {
            let value = other
                .strip_prefix("use:")
                .ok_or_else(|| format!("absent {other:?}: expected refuse, omit or use:VALUE"))?;
            let Some(conversion) = conversion else { return Ok(Absent::Omit) };
            let value = conversion
                .apply(value)
                .ok_or_else(|| format!("absent use:{value}: expected {}", conversion.expected()))?;
            if matches!(conversion, Conversion::Text | Conversion::Id | Conversion::Table(_))
                && value.as_str().is_some_and(str::is_empty)
            {
                return Err("absent use: needs a value; to leave the target out, say omit".to_owned());
            }
            Ok(Absent::Use(value))
        }
    }
}

/// True for a value that the sheet treats as absent.
pub fn is_absent(parts: &[String]) -> bool {
    parts.iter().all(|part| is_initial(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> BTreeMap<String, Table> {
        let table = |text| Table::parse("t", text).unwrap();
        BTreeMap::from([("one".to_owned(), table("k,v\nA,1\n")), ("two".to_owned(), table("k,l,v\nA,B,1\n"))])
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

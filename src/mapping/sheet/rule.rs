//! One row of the sheet.

use super::absent::Absent;
use super::entries::check_entry_rule;
use super::source::Source;
use crate::mapping::conversion::Conversion;
use crate::mapping::table::Tables;
use crate::mapping::target::TargetPath;

/// One row of the sheet.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Line in the file.
    pub line: u64,
    /// The text of the column `target`.
    pub target: String,
    /// The text of the column `remark`.
    pub remark: String,
    /// The text of the column `source`.
    pub source_text: String,
    /// The sources, joined to one key if there are several.
    pub sources: Vec<Source>,
    /// The column `as`.
    pub conversion: Conversion,
    /// The column `absent`.
    pub absent: Absent,
}

impl Rule {
    /// Reads the cells of one row: target, source, as, absent.
    ///
    /// # Errors
    /// Every defect of the row.
    pub fn parse(cells: [&str; 4], line: u64, tables: &Tables) -> Result<(TargetPath, Self), Vec<String>> {
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
        if let (Some(path), Some(conversion), Some(sources)) = (&path, &conversion, &sources)
            && let Err(problem) = check_entry_rule(path, conversion, sources)
        {
            keep(problem);
        }
        match (path, conversion, sources, absent) {
            (Some(path), Some(conversion), Some(sources), Some(absent)) if problems.is_empty() => {
                let (target, source_text) = (target.to_owned(), source.to_owned());
                Ok((path, Self { line, target, remark: String::new(), source_text, sources, conversion, absent }))
            }
            _ => Err(problems),
        }
    }
}

/// Several sources are the parts of one table key; a constant has none.
fn sources(text: &str, conversion: Option<&Conversion>) -> Result<Vec<Source>, String> {
    if matches!(conversion, Some(Conversion::Constant(_))) {
        return Ok(Vec::new());
    }
    if conversion.is_some_and(Conversion::is_about_entries) {
        return Source::parse_rows(text).map(|rows| vec![rows]);
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
    // Of a table that can't be read, its own mistakes are told.
    if table.key_columns.len() == keys || table.key_columns.is_empty() {
        return Ok(());
    }
    Err(format!("as table:{name}: the table has {} key columns, the source names {keys}", table.key_columns.len()))
}

//! One row of the sheet.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::absent::Absent;
use super::entries::check_entry_rule;
use super::source::Source;
use super::when::When;
use crate::mapping::conversion::Conversion;
use crate::mapping::defect::CellProblem;
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
    /// How deep in the cart the deepest source is: 0 the header, 1 an item, 2 an account.
    pub depth: usize,
    /// The column `as`.
    pub conversion: Conversion,
    /// The column `absent`.
    pub absent: Absent,
    /// The column `when`; the row counts in any case without it.
    pub when: Option<When>,
    /// The later rows of the same target, in the order of the sheet; there are some only where this one has a condition.
    pub alternatives: Vec<Self>,
    /// Which of [`Rule::rows`] has a condition, by the condition's hash: a target may have thousands of rows.
    conditions: HashMap<u64, usize>,
}

impl Rule {
    /// Reads the cells of one row: target, source, as, absent, when.
    ///
    /// # Errors
    /// Every defect of the row.
    pub fn parse(cells: [&str; 5], line: u64, tables: &Tables) -> Result<(TargetPath, Self), Vec<CellProblem>> {
        let [target, source, conversion, absent, when] = cells;
        let mut problems = Vec::new();
        let mut keep = |problem: CellProblem| problems.push(problem);
        let in_column = |column: &'static str| move |problem: String| CellProblem::new(column, problem);
        let path = TargetPath::parse(target).map_err(in_column("target")).map_err(&mut keep).ok();
        let conversion = Conversion::parse(conversion).map_err(in_column("as")).map_err(&mut keep).ok();
        let sources = sources(source, conversion.as_ref()).map_err(&mut keep).ok();
        let absent = Absent::parse(absent, conversion.as_ref()).map_err(in_column("absent")).map_err(&mut keep).ok();
        let when = When::parse(when).map_err(in_column("when")).map_err(&mut keep).ok();
        if let (Some(Conversion::Table(name)), Some(sources)) = (&conversion, &sources)
            && let Err(problem) = check_table(name, sources.len(), tables)
        {
            keep(CellProblem::new("as", problem));
        }
        if let (Some(path), Some(conversion), Some(sources)) = (&path, &conversion, &sources)
            && let Err(problem) = check_entry_rule(path, conversion, sources)
        {
            keep(problem);
        }
        match (path, conversion, sources, absent, when) {
            (Some(path), Some(conversion), Some(sources), Some(absent), Some(when)) if problems.is_empty() => {
                let (target, source_text) = (target.to_owned(), source.to_owned());
                let depth = sources.iter().map(Source::depth).max().unwrap_or(0);
                let rule = Self {
                    line,
                    target,
                    remark: String::new(),
                    source_text,
                    sources,
                    depth,
                    conversion,
                    absent,
                    when,
                    alternatives: Vec::new(),
                    conditions: HashMap::new(),
                };
                Ok((path, rule))
            }
            _ => Err(problems),
        }
    }

    /// The rows of this rule's target, in the order of the sheet.
    pub fn rows(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.alternatives)
    }

    /// Takes in a later row of the same target: each but the last has a condition, and each another one.
    ///
    /// # Errors
    /// Why the later row would never count, or when it would.
    pub fn take_in(&mut self, later: Self) -> Result<(), String> {
        // Nothing was taken in behind a row without a condition, so that only the last one can have none.
        let last = self.alternatives.last().unwrap_or(self);
        if last.when.is_none() {
            let problem = "already set by an earlier row";
            return Err(match later.when {
                None if self.alternatives.is_empty() => problem.to_owned(),
                _ => format!("{problem} (line {}), which counts in any case; a row without when comes last", last.line),
            });
        }
        if self.conditions.is_empty() {
            self.conditions.insert(self.condition_hash(), 0);
        }
        let hash = later.condition_hash();
        let candidate = self.conditions.get(&hash).and_then(|index| self.rows().nth(*index));
        if let Some(same) = candidate.filter(|row| row.has_condition_of(&later)) {
            return Err(format!("the row in line {} has the same condition", same.line));
        }
        self.alternatives.push(later);
        self.conditions.insert(hash, self.alternatives.len());
        Ok(())
    }

    fn has_condition_of(&self, other: &Self) -> bool {
        self.when.as_ref().map(|when| &when.comparisons) == other.when.as_ref().map(|when| &when.comparisons)
    }

    fn condition_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.when.as_ref().map(|when| &when.comparisons).hash(&mut hasher);
        hasher.finish()
    }
}

/// Several sources are the parts of one table key, or of one text; a constant has none.
fn sources(text: &str, conversion: Option<&Conversion>) -> Result<Vec<Source>, CellProblem> {
    let of_source = |problem: String| CellProblem::new("source", problem);
    let is_constant = matches!(conversion, Some(Conversion::Constant(_)));
    // Whether a row needs a source is not known where `as` is a mistake.
    if is_constant && !text.trim().is_empty() {
        return Err(of_source(format!("source {text:?}: a constant has no source; expected an empty cell")));
    }
    if is_constant || (conversion.is_none() && text.trim().is_empty()) {
        return Ok(Vec::new());
    }
    if conversion.is_some_and(Conversion::is_about_entries) {
        return Source::parse_rows(text).map(|rows| vec![rows]).map_err(of_source);
    }
    let sources = text.split('+').map(Source::parse).collect::<Result<Vec<_>, _>>().map_err(of_source)?;
    match (conversion, sources.len()) {
        (Some(Conversion::Join(_)), 1) => {
            let problem = "as join: puts several sources together (A + B); expected as text for one source";
            Err(CellProblem::new("as", problem.to_owned()))
        }
        (None | Some(Conversion::Table(_) | Conversion::Join(_)), _) | (_, 1) => Ok(sources),
        _ => Err(of_source(format!(
            "source {text:?}: several sources make one table key or one text; expected as table:NAME or join:SEPARATOR"
        ))),
    }
}

/// A table needs as many key columns as the row has sources.
fn check_table(name: &str, keys: usize, tables: &Tables) -> Result<(), String> {
    let table = tables.get(name).ok_or_else(|| {
        let similar = tables.keys().find(|known| known.to_lowercase() == name.to_lowercase());
        let hint = similar.map_or_else(String::new, |similar| format!(", and there is tables/{similar}.csv"));
        format!("as table:{name}: there is no tables/{name}.csv{hint}")
    })?;
    // Of a table that can't be read, its own mistakes are told.
    if table.key_columns.len() == keys || table.key_columns.is_empty() || table.may_lack_header {
        return Ok(());
    }
    let count = match table.key_columns.len() {
        1 => "1 key column".to_owned(),
        several => format!("{several} key columns"),
    };
    let columns = table.key_columns.join(", ");
    Err(format!(
        "as table:{name}: the table has {count}, the source names {keys} ({columns}, by the header of tables/{name}.csv)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many that comparing each condition with all before it would take hours.
    #[test]
    fn a_condition_is_found_among_any_number_of_rows() {
        const ROWS: u64 = 200_000;
        let row = |condition: &str, line| {
            let cells = ["a", "HEADER.ZZ_A", "text", "omit", condition];
            Rule::parse(cells, line, &Tables::new()).unwrap().1
        };
        let mut rule = row("HEADER.ZZ_N = x0", 0);
        for n in 1..ROWS {
            rule.take_in(row(&format!("HEADER.ZZ_N = x{n}"), n)).unwrap();
        }
        for (condition, line) in
            [("HEADER.ZZ_N = x0", 0), ("HEADER.ZZ_N=\"x7\"", 7), ("HEADER.ZZ_N = x199999", 199_999)]
        {
            let expected = format!("the row in line {line} has the same condition");
            assert_eq!(rule.take_in(row(condition, ROWS)), Err(expected), "{condition}");
        }
        rule.take_in(row("HEADER.ZZ_N != x0", ROWS)).unwrap();
        rule.take_in(row("", ROWS + 1)).unwrap();
        assert!(rule.take_in(row("", ROWS + 2)).unwrap_err().contains("a row without when comes last"));
    }
}

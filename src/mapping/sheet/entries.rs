//! Checks of a row that is about the entries of a list: `rows`, `skip`.

use super::source::Source;
use crate::mapping::conversion::Conversion;
use crate::mapping::defect::CellProblem;
use crate::mapping::target::TargetPath;

/// A rule about entries has a list as its target and rows of its entries as its source; any other has a field.
pub fn check_entry_rule(path: &TargetPath, conversion: &Conversion, sources: &[Source]) -> Result<(), CellProblem> {
    let of_target = |problem: String| Err(CellProblem::new("target", problem));
    let of_source = |problem: String| Err(CellProblem::new("source", problem));
    match (conversion.is_about_entries(), path.is_list()) {
        (false, false) => return Ok(()),
        (false, true) => {
            return of_target(format!("target {path}: a list itself has as rows or as skip; expected a field of it"));
        }
        (true, false) => {
            return of_target(format!(
                "target {path}: expected a list, such as lines[].allocations[], for as {conversion}"
            ));
        }
        (true, true) => {}
    }
    let Some(selection) = sources.first().and_then(Source::selection) else { return Ok(()) };
    let section = selection.section.as_str();
    let of_entries = if path.depth() == 1 { "ITEM" } else { "ACCOUNT" };
    if section == "HEADER" {
        return of_source(format!("source {section}: its rows belong to no entry of {path}"));
    }
    if *conversion == Conversion::Rows && section != of_entries {
        return of_source(format!("source {section}: the entries of {path} are rows of {of_entries}"));
    }
    if *conversion == Conversion::Skip
        && selection.conditions.is_empty()
        && (section == of_entries || section == "ITEM")
    {
        return of_source(format!("source {section}: would leave out every entry; expected {section}[FIELD=VALUE]"));
    }
    Ok(())
}

//! What programs do to the words of a sheet: typographic quotation marks, decimal commas.

use crate::mapping::conversion::TYPOGRAPHIC_MARKS;
use crate::mapping::csv_file::{CsvFile, CsvRow, REMARK, has_decimal_comma};
use crate::mapping::defect::CellProblem;

/// Words behind which a text follows, with any characters.
const TEXTS: [&str; 3] = ["constant:", "use:", "join:"];

/// Conversions whose values have no comma.
const NUMBERS: [&str; 3] = ["decimal", "amount", "integer"];

/// What is wrong with the cells of a row before anybody reads them as words.
///
/// # Errors
/// Every mistake, with the title of its column.
pub fn damage_of_words(csv: &CsvFile, row: &CsvRow) -> Result<(), Vec<CellProblem>> {
    let mut problems = Vec::new();
    for (title, cell) in csv.header.iter().zip(&row.cells) {
        let is_text = title.eq_ignore_ascii_case(REMARK) || TEXTS.iter().any(|word| cell.starts_with(word));
        if !is_text && cell.contains(TYPOGRAPHIC_MARKS) {
            let problem = format!("{title} {cell:?}: has typographic quotation marks; expected straight ones or none");
            problems.push(CellProblem::new(title, problem));
        }
    }
    problems.extend(decimal_comma(csv, row).map(|problem| CellProblem::new("absent", problem)));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// `use:0,00`, whole or torn apart at its comma: then the cell behind it is a number too.
fn decimal_comma(csv: &CsvFile, row: &CsvRow) -> Option<String> {
    let absent = csv.column("absent")?;
    let conversion = row.cell(csv.column("as")?);
    let value = row.cell(absent).strip_prefix("use:")?.trim();
    let behind = row.cell(absent + 1);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_torn = is_number(value.strip_prefix('-').unwrap_or(value)) && is_number(behind);
    let shown = if is_torn { format!("{value},{behind}") } else { value.to_owned() };
    let is_comma = NUMBERS.contains(&conversion) && has_decimal_comma(&shown);
    is_comma.then(|| format!("absent use:{shown}: has a decimal comma; expected use:{}", shown.replace(',', ".")))
}

//! What a spreadsheet makes of a cell that it takes for a number, a date, a formula or a word of its own.

use super::error_value::is_error_value;
use super::records::Cell;
use crate::message::quoted;

/// What has become of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// No analyst writes this by hand: a mistake.
    Certain(String),
    /// It may be meant: a warning.
    Likely(String),
}

/// How to write a cell that looks like damage, and is meant.
const IF_MEANT: &str = "if it is meant, write =\"…\" around it";

/// Names of months as spreadsheets in English, German, French and Spanish shorten them in dates, but for those that are words.
const MONTHS: [&str; 29] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov", "Dec", "Mrz", "Mär", "Mai",
    "Okt", "Dez", "janv", "févr", "mars", "avr", "juin", "juil", "août", "déc", "ene", "abr", "dic",
];

/// TRUE and FALSE as spreadsheets write them in English, German, French, Spanish, Italian, Dutch and Portuguese.
const TRUTHS: [&str; 12] =
    ["TRUE", "FALSE", "WAHR", "FALSCH", "VRAI", "FAUX", "VERDADERO", "FALSO", "VERO", "WAAR", "ONWAAR", "VERDADEIRO"];

/// The damage of a cell; none if the cell is guarded.
pub fn damage(cell: &Cell) -> Option<Damage> {
    let text = cell.text.as_str();
    if cell.is_guarded || text.is_empty() {
        return None;
    }
    let shown = || quoted(text);
    if is_error_value(text) {
        return Some(Damage::Certain(format!(
            "{} is a spreadsheet's error; expected a value: type it again, and save",
            shown()
        )));
    }
    if is_formula(text) {
        return Some(Damage::Certain(format!(
            "{} is a spreadsheet's formula; expected its value: paste it as a value, as text",
            shown()
        )));
    }
    if is_scientific(text) {
        let problem = format!(
            "{} is a long number as a spreadsheet shortens it: its digits are lost; expected them all, in a column of text",
            shown()
        );
        return Some(Damage::Certain(format!("{problem} ({IF_MEANT})")));
    }
    if is_date(text) {
        let problem = format!(
            "{} looks like a code that a spreadsheet has made a date of; expected the code, in a column of text",
            shown()
        );
        return Some(Damage::Certain(format!("{problem} ({IF_MEANT})")));
    }
    let suspicion = if TRUTHS.contains(&text) {
        "may be a spreadsheet's spelling of a yes or no; expected what SAP or 11VMS calls it"
    } else if is_whole_date(text) {
        "may be a code that a spreadsheet has made a date of; expected the code, in a column of text"
    } else if has_decimal_comma(text) {
        "has a decimal comma; 11VMS and SAP write a point"
    } else {
        return None;
    };
    Some(Damage::Likely(format!("{} {suspicion} ({IF_MEANT})", shown())))
}

/// A text that a spreadsheet takes for a formula, and shows as `#NAME?` when it is opened and saved: `@x`, `+x`, `-x`.
pub fn formula_like(cell: &Cell) -> Option<Damage> {
    let text = cell.text.as_str();
    let rest = text.strip_prefix(['@', '+', '-']).filter(|_| !cell.is_guarded)?;
    let is_word = rest.trim_start().starts_with(|c: char| c.is_alphabetic() || matches!(c, '$' | '_' | '('));
    is_word.then(|| {
        let problem = "begins like a formula, and a spreadsheet saves an error in its place; expected another text";
        Damage::Likely(format!("{} {problem} ({IF_MEANT})", quoted(text)))
    })
}

/// `=A1+B1`; `+A1`, `-SUM(A1)` and `@A1`, but no telephone number and no name.
fn is_formula(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('=') {
        return !rest.is_empty();
    }
    let Some(rest) = text.strip_prefix(['+', '-', '@']) else { return false };
    let letters = rest.trim_start_matches('$').chars().take_while(char::is_ascii_uppercase).count();
    let behind = rest.trim_start_matches('$').get(letters..).unwrap_or_default();
    let is_reference = (1..=3).contains(&letters) && {
        let row = behind.trim_start_matches('$');
        row.starts_with(|c: char| c.is_ascii_digit())
            && row.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | ':' | '+' | '*' | '/' | '-'))
    };
    is_reference || (letters > 1 && behind.starts_with('(') && behind.ends_with(')'))
}

/// `1E+05`, `1,23E+11`: spreadsheets write the sign, people do not.
fn is_scientific(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = text.strip_prefix('-').unwrap_or(text).split_once("E+") else { return false };
    let is_mantissa = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(mantissa),
    };
    is_mantissa && digits(exponent)
}

/// `1-Mar`, `01. Mrz`, `Mar 01`, `Mar-01`: a day or a year of two digits beside a month.
fn is_date(text: &str) -> bool {
    let Some((left, right)) = text.split_once(['-', ' ', '.', '/']) else { return false };
    let right = right.trim_start();
    let is_number = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_month = |part: &str| MONTHS.contains(&part.trim_end_matches('.'));
    let is_year = |part: &str| part.len() == 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(left) && is_month(right)) || (is_month(left) && (is_number(right) || is_year(right)))
}

/// `01.03.2026`, `2026-03-01`, `3/1/26`.
fn is_whole_date(text: &str) -> bool {
    // Most cells are no dates, and a table has many.
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    ['.', '-', '/'].into_iter().any(|separator| {
        let parts: Vec<&str> = text.split(separator).collect();
        let are_numbers = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        are_numbers && matches!(lengths.as_slice(), [1..=2, 1..=2, 2 | 4] | [4, 1..=2, 1..=2])
    })
}

/// `1,5`: digits, a comma, digits.
pub fn has_decimal_comma(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('-')
        .unwrap_or(text)
        .split_once(',')
        .is_some_and(|(whole, fraction)| is_digits(whole) && is_digits(fraction))
}

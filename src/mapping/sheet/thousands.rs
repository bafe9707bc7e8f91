//! Numbers of a sheet whose point may separate thousands: `10.000` is ten here, and ten thousand in half of Europe.

use rust_decimal::Decimal;

use super::when::{Operand, When};
use crate::mapping::conversion::{Conversion, decimal};
use crate::mapping::defect::Defect;

/// A warning for each number in the cells `as`, `absent` and `when` of a line that could be meant as a thousand times as much.
pub fn doubtful_numbers(file: &str, line: u64, [conversion, absent, when]: [&str; 3]) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut add = |column: &str, number: Decimal| {
        defects.push(Defect::in_cell(file, line, column, problem(number)));
    };
    let form = Conversion::parse(conversion).ok();
    if let Some(Conversion::Constant(_)) = form {
        let number = conversion.split_once(':').map(|(_, value)| value);
        number.and_then(doubtful).into_iter().for_each(|number| add("as", number));
    }
    if let Some(Conversion::Decimal | Conversion::Amount | Conversion::Integer) = form {
        let number = absent.trim().strip_prefix("use:");
        number.and_then(doubtful).into_iter().for_each(|number| add("absent", number));
    }
    for comparison in When::parse(when).ok().flatten().iter().flat_map(|when| &when.comparisons) {
        if let Operand::Number(number, _) = comparison.operand
            && is_doubtful(number)
        {
            add("when", number);
        }
    }
    defects
}

fn doubtful(text: &str) -> Option<Decimal> {
    decimal::parse(text).filter(|number| is_doubtful(*number))
}

/// A number of one to three digits, a point and three digits. Nobody writes thousands behind a zero.
fn is_doubtful(number: Decimal) -> bool {
    let size = number.abs();
    number.scale() == 3 && size >= Decimal::ONE && size < Decimal::ONE_THOUSAND
}

fn problem(number: Decimal) -> String {
    let (read, meant) = (decimal::to_text(number), number.mantissa());
    format!(
        "{number} is read as {read}: the point separates the fraction; if it is to separate thousands, write {meant}, else {read}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(row: &str) -> Vec<String> {
        let cells: Vec<&str> = row.split(';').collect();
        let [_, _, conversion, absent, when] = cells[..] else { panic!("{row}") };
        let found = doubtful_numbers("sheet.csv", 2, [conversion, absent, when]);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_point_before_three_digits_may_separate_thousands() {
        for (row, read, meant) in [
            ("a;HEADER.X;text;omit;HEADER.TOTAL_VALUE > 10.000", "10.000 is read as 10:", "write 10000,"),
            ("a;HEADER.X;text;omit;HEADER.A = 1 and HEADER.B <= -1.500", "-1.500 is read as -1.5:", "write -1500,"),
            ("a;HEADER.X;decimal;use:250.000;", "250.000 is read as 250:", "write 250000,"),
            ("a;HEADER.X;amount;use: 1.000;", "1.000 is read as 1:", "write 1000,"),
            ("a;HEADER.X;integer;use:10.000;", "10.000 is read as 10:", "write 10000,"),
            ("a;;constant:10.000;;", "10.000 is read as 10:", "write 10000,"),
            ("l[];ITEM;skip;;ITEM.QUANTITY >= 1.000", "1.000 is read as 1:", "write 1000,"),
        ] {
            let found = warnings(row);
            assert!(found.len() == 1 && found[0].contains(read) && found[0].contains(meant), "{row}: {found:?}");
            assert!(found[0].starts_with("sheet.csv line 2"), "{found:?}");
        }
    }

    #[test]
    fn other_numbers_and_texts_are_no_doubt() {
        for row in [
            "a;HEADER.X;text;omit;HEADER.TOTAL_VALUE > 10000",
            "a;HEADER.X;text;omit;HEADER.TOTAL_VALUE > 10.00",
            "a;HEADER.X;text;omit;HEADER.TOTAL_VALUE > 0.125",
            "a;HEADER.X;text;omit;HEADER.TOTAL_VALUE > 1234.500",
            "a;HEADER.X;text;omit;HEADER.A = \"10.000\"",
            "a;HEADER.X;text;use:10.000;",
            "a;HEADER.X;decimal;use:10.5;",
            "a;;constant:\"10.000\";;",
            "a;;constant:10.5;;",
        ] {
            assert_eq!(warnings(row), Vec::<String>::new(), "{row}");
        }
    }
}

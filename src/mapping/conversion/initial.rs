//! Initial values. SAP's serializers drop them, so initial and missing mean the same; which ones they are depends on the type.

use super::{Conversion, decimal, flag};
use crate::cart::{self, trimmed};

impl Conversion {
    /// True for a text that is ABAP's initial value of the type that the column `as` states.
    ///
    /// For CHAR, only blanks are initial: a division `00` and a code `0` are values. Zero is initial for numbers, and zeros
    /// alone for NUMC, DATS, time stamps and GUIDs. An `id` is CHAR or NUMC: its zeros are padding, so zeros alone are none.
    pub fn is_initial(&self, text: &str) -> bool {
        let text = trimmed(text);
        if text.is_empty() {
            return true;
        }
        match self {
            Self::Text
            | Self::Lines
            | Self::Padded(_)
            | Self::Table(_)
            | Self::Join(_)
            | Self::Constant(_)
            | Self::Rows
            | Self::Skip => false,
            Self::Id => consists_of(text, "0"),
            Self::Guid => cart::guid(text).is_some_and(|guid| consists_of(&guid, "0")),
            // 0000-00-00, 0000-00-00T00:00:00.000Z, and the `--` and `::` of old patch levels.
            Self::Date | Self::Timestamp => consists_of(text, "0-:.+TtZz "),
            // Most numbers show by their first digit that they are not zero.
            Self::Decimal | Self::Amount | Self::Integer if text.starts_with(|c| matches!(c, '1'..='9')) => false,
            Self::Decimal | Self::Amount | Self::Integer => {
                decimal::parse(text).is_some_and(|number| number.is_zero()) || consists_of(text, "0")
            }
            Self::Flag => flag(text) == Some(false),
        }
    }
}

fn consists_of(text: &str, characters: &str) -> bool {
    text.bytes().all(|byte| characters.as_bytes().contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_depends_on_the_type() {
        let blank = ["", "  "];
        let table: [(&[&str], &[&str], &[&str]); 6] = [
            (
                &["text", "table:kinds", "padded:4", "lines", "join:-"],
                &[],
                &["0", "00", "0000-00-00", "0.00", "false", "--", "A"],
            ),
            (&["id"], &["0", "0000000000"], &["00A", "10", "--", "0.0"]),
            (
                &["date", "timestamp"],
                &[
                    "0",
                    "00000000",
                    "0000-00-00",
                    "00000000000000",
                    "0000-00-00T00:00:00",
                    "0000-00-00T00:00:00.0000000",
                    "0000-00-00T00:00:00Z",
                    "0000-00-00 00:00:00",
                    "00000000000000.0000000",
                    "--",
                    "::",
                    "--::",
                    "--T::",
                ],
                &["2018-01-31T00:00:00", "/Date(0)/", "0001-01-01", "00000001"],
            ),
            (
                &["decimal", "amount", "integer"],
                &["0", "0.00", "0.00-", "-0", "0E5", "000000000000000000000000000000000000000000"],
                &["0.01", "1-", "--", "0A"],
            ),
            (&["guid"], &["00000000000000000000000000000000", "AAAAAAAAAAAAAAAAAAAAAA=="], &["00", "0"]),
            (&["flag"], &["false"], &["X", "true", "0"]),
        ];
        for (forms, initial, values) in table {
            for form in forms {
                let conversion = Conversion::parse(form).unwrap();
                let mistaken = |texts: &[&str], expected: bool| -> Vec<String> {
                    let wrong = texts.iter().filter(|text| conversion.is_initial(text) != expected);
                    wrong.map(|text| format!("{form} {text:?}")).collect()
                };
                assert_eq!(mistaken(&[&blank, initial].concat(), true), Vec::<String>::new());
                assert_eq!(mistaken(values, false), Vec::<String>::new());
            }
        }
    }
}

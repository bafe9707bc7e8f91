//! The column `when`: the conditions under which a row counts.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::source::Source;
use crate::mapping::conversion::{date, decimal};

/// Characters of operators; `≤` is no operator, and named as a mistake.
const OPERATOR_CHARS: [char; 7] = ['=', '!', '<', '>', '≠', '≤', '≥'];

/// Quotation marks that word processors make of `"`.
const SMART_QUOTES: [char; 6] = ['“', '”', '„', '‟', '«', '»'];

/// Sections that a text on the right side hardly means as a word.
const SECTIONS: [&str; 5] = ["HEADER", "ITEM", "ACCOUNT", "PARTNER", "ORGDATA"];

/// The conditions of a row; all of them hold where it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// The column as the sheet writes it.
    pub text: String,
    /// At least one.
    pub comparisons: Vec<Comparison>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// What is compared.
    pub source: Source,
    /// How.
    pub operator: Operator,
    /// With what.
    pub operand: Operand,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// No value.
    Blank,
    /// A text, compared letter by letter.
    Text(String),
    /// A number, and the date that its digits are too: `20250131`.
    Number(Decimal, Option<Date>),
    /// A date.
    Date(Date),
}

impl Operand {
    /// True for what a flag can be compared with: nothing, or the words for a flag.
    pub fn is_of_flag(&self) -> bool {
        match self {
            Self::Blank => true,
            Self::Text(text) => matches!(text.as_str(), "X" | "true" | "false"),
            Self::Number(..) | Self::Date(_) => false,
        }
    }
}

impl When {
    /// Reads the column; `None` if it is empty.
    ///
    /// # Errors
    /// The first part that can't be read, or that has no meaning.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let mut comparisons = Vec::new();
        let mut rest = Some(text);
        while let Some(next) = rest {
            let (comparison, behind) =
                Comparison::parse(next).map_err(|problem| format!("when {text:?}: {problem}"))?;
            comparisons.push(comparison);
            rest = behind;
        }
        Ok(Some(Self { text: text.to_owned(), comparisons }))
    }

    /// How deep in the cart the fields are: 0 the header, 1 an item, 2 an account.
    pub fn depth(&self) -> usize {
        self.comparisons.iter().map(|comparison| comparison.source.depth()).max().unwrap_or(0)
    }
}

impl Comparison {
    /// Reads one condition, and returns what follows the `and` behind it.
    fn parse(text: &str) -> Result<(Self, Option<&str>), String> {
        let (source, rest) = at_operator(text)
            .ok_or("expected SOURCE OPERATOR VALUE, such as HEADER.TOTAL_VALUE > 10000; several are joined by and")?;
        let source = Source::parse(source)?;
        let (sign, rest) = rest.split_at(rest.find(|c| !OPERATOR_CHARS.contains(&c)).unwrap_or(rest.len()));
        let operator = Operator::parse(sign)?;
        let (operand, behind) = if let Some(inside) = rest.trim_start().strip_prefix('"') {
            quoted_operand(inside)?
        } else {
            let (value, behind) = up_to_and(rest);
            (bare_operand(value)?, behind)
        };
        if behind.is_some_and(|behind| behind.trim().is_empty()) {
            return Err("nothing follows the last and".to_owned());
        }
        let is_ordered = matches!(operand, Operand::Number(..) | Operand::Date(_));
        if !is_ordered && operator.is_order() {
            return Err(format!(
                "expected a number such as 10000 or a date such as 2025-01-31 after {sign}; texts have = and != alone"
            ));
        }
        Ok((Self { source, operator, operand }, behind))
    }
}

impl Operator {
    fn parse(sign: &str) -> Result<Self, String> {
        Ok(match sign {
            "=" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            other => return Err(format!("operator {other}: expected = != < <= > or >=")),
        })
    }

    /// True for those that compare more than whether two values are equal.
    pub const fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// Whether it holds between two values whose order is known.
    pub const fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// Whether it holds between two values of which nothing is known but whether they are equal.
    pub const fn holds_if_equal(self, are_equal: bool) -> bool {
        match self {
            Self::Equal => are_equal,
            Self::NotEqual => !are_equal,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => false,
        }
    }
}

/// The text before the first operator that is not in brackets, and what begins with it.
fn at_operator(text: &str) -> Option<(&str, &str)> {
    let mut in_brackets = false;
    for (at, c) in text.char_indices() {
        match c {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            operator if !in_brackets && OPERATOR_CHARS.contains(&operator) => return text.split_at_checked(at),
            _ => {}
        }
    }
    None
}

/// The text before the word `and`, and what is behind it.
fn up_to_and(text: &str) -> (&str, Option<&str>) {
    let mut start = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let end = start + word.len();
        if word.trim().eq_ignore_ascii_case("and") {
            return (text.get(..start).unwrap_or_default().trim(), text.get(end..));
        }
        start = end;
    }
    (text.trim(), None)
}

/// A text in quotation marks, of which the first is gone; a doubled one is one of the text's own.
fn quoted_operand(text: &str) -> Result<(Operand, Option<&str>), String> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if c != '"' {
            value.push(c);
        } else if characters.next_if(|(_, next)| *next == '"').is_some() {
            value.push('"');
        } else {
            let (between, behind) = up_to_and(text.get(at + 1..).unwrap_or_default());
            if !between.is_empty() {
                return Err(format!("{between} follows the text in quotation marks; expected and, or nothing"));
            }
            let operand = match iso_date(&value) {
                Some(Ok(date)) => Operand::Date(date),
                _ if value.trim().is_empty() => Operand::Blank,
                _ => Operand::Text(value),
            };
            return Ok((operand, behind));
        }
    }
    Err("the quotation mark is not closed".to_owned())
}

/// A value without quotation marks: what could be meant otherwise is none.
fn bare_operand(text: &str) -> Result<Operand, String> {
    if text.is_empty() {
        return Ok(Operand::Blank);
    }
    if text.contains(SMART_QUOTES) {
        return Err(format!("{text}: expected straight quotation marks (\")"));
    }
    let has_or = text.split_whitespace().any(|word| word.eq_ignore_ascii_case("or"));
    if has_or || text.contains(OPERATOR_CHARS) || text.contains('"') {
        return Err(format!(
            "{text}: expected one value; conditions are joined by and (for \"or\", write a second row), and a text with such \
             signs needs quotation marks"
        ));
    }
    if let Some(date) = iso_date(text) {
        return date.map(Operand::Date);
    }
    if let Some(number) = plain_number(text) {
        return Ok(Operand::Number(number, date::parse_date(text).filter(|_| text.len() == 8)));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'\'' | b'-' | b' ')) {
        return Err(format!("{text}: expected a number such as 10000 or 10000.50; a text needs quotation marks"));
    }
    let is_source = Source::parse(text).is_ok_and(|source| {
        source.section().is_some_and(|section| SECTIONS.iter().any(|known| *known == section.as_str()))
    });
    if is_source {
        return Err(format!("{text}: a field is compared with a value and not with another field"));
    }
    Ok(Operand::Text(text.to_owned()))
}

/// A text of the form `2025-01-31`, as a date if there is such a day.
fn iso_date(text: &str) -> Option<Result<Date, String>> {
    let is_iso = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    is_iso.then(|| date::parse_date(text).ok_or_else(|| format!("{text}: there is no such day")))
}

/// Digits, perhaps with a minus in front and a fraction: `1E5` and `5-` may be codes.
fn plain_number(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    decimal::parse(text).filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_condition_that_could_be_meant_otherwise_is_refused() {
        for (text, expected) in [
            ("HEADER.X", "expected SOURCE OPERATOR VALUE"),
            ("HEADER", "expected SOURCE OPERATOR VALUE"),
            ("HEADER > 1", "source \"HEADER\": expected ID, SECTION.FIELD"),
            ("HEADER.A + HEADER.B = 1", "source \"HEADER.A + HEADER.B\": expected ID"),
            ("> 1", "source \"\""),
            ("HEADER.X == 1", "operator ==: expected = !="),
            ("HEADER.X <> 1", "operator <>: expected = !="),
            ("HEADER.X => 1", "operator =>: expected = !="),
            ("HEADER.X ≥ 1", "operator ≥: expected = !="),
            ("HEADER.X ! 1", "operator !: expected = !="),
            ("HEADER.X >", "expected a number such as 10000 or a date"),
            ("HEADER.X > EMEA", "expected a number such as 10000 or a date"),
            ("HEADER.X > \"10\"", "expected a number such as 10000 or a date"),
            ("HEADER.X > 1E5", "expected a number such as 10000 or a date"),
            ("HEADER.X > 10,000", "10,000: expected a number such as 10000"),
            ("HEADER.X = 10.000,00", "10.000,00: expected a number such as 10000"),
            ("HEADER.X = 1.", "1.: expected a number such as 10000"),
            ("HEADER.X < 2025-02-30", "2025-02-30: there is no such day"),
            ("HEADER.X < 31.01.2025", "31.01.2025: expected a number"),
            ("HEADER.X = A or HEADER.Y = B", "for \"or\", write a second row"),
            ("HEADER.X = A or B", "for \"or\", write a second row"),
            ("HEADER.X = A, HEADER.Y = B", "expected one value"),
            ("HEADER.X = HEADER.Y", "a field is compared with a value"),
            ("HEADER.X = PARTNER[00000019].Y", "a field is compared with a value"),
            ("HEADER.X = “A”", "expected straight quotation marks"),
            ("HEADER.X = \"A", "the quotation mark is not closed"),
            ("HEADER.X = \"A\" B", "B follows the text in quotation marks"),
            ("HEADER.X = 1 and", "nothing follows the last and"),
            ("HEADER.X = \"1\" and ", "nothing follows the last and"),
            ("and HEADER.X = 1", "source \"and HEADER.X\""),
            ("HEADER.X = 1 and Y", "expected SOURCE OPERATOR VALUE"),
            ("STATUS[STAT].X = 1", "source STATUS[STAT]: expected [FIELD=VALUE]"),
        ] {
            let problem = When::parse(text).unwrap_err();
            assert!(problem.starts_with("when ") && problem.contains(expected), "{text}: {problem}");
        }
    }

    #[test]
    fn conditions_are_joined_by_and() {
        let when = When::parse(" STATUS[STAT=a and b][INACT=].X != \"x and y\" AND ITEM.Y = and HEADER.Z>=-1.50 ")
            .unwrap()
            .unwrap();
        let parts: Vec<_> =
            when.comparisons.iter().map(|part| (part.source.label(), part.operator, part.operand.clone())).collect();
        assert_eq!(
            parts,
            [
                ("STATUS[STAT=a and b][INACT=].X", Operator::NotEqual, Operand::Text("x and y".to_owned())),
                ("ITEM.Y", Operator::Equal, Operand::Blank),
                ("HEADER.Z", Operator::GreaterOrEqual, Operand::Number(Decimal::new(-150, 2), None)),
            ]
        );
        assert_eq!((when.depth(), When::parse("  ")), (1, Ok(None)));
    }

    proptest! {
        #[test]
        fn reading_anything_as_a_condition_never_panics(text in "[ -~“≥ä]{0,40}") {
            let _ = When::parse(&text);
        }

        #[test]
        fn any_text_in_quotation_marks_is_that_text(text in "[ -~ä]{1,20}") {
            let quoted = text.replace('"', "\"\"");
            let when = When::parse(&format!("HEADER.X = \"{quoted}\" and HEADER.Y = 1")).unwrap().unwrap();
            prop_assert_eq!(when.comparisons.len(), 2);
            if let Operand::Text(read) = &when.comparisons[0].operand {
                prop_assert_eq!(read, &text);
            }
        }
    }
}

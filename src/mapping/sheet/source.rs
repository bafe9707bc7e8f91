//! The column `source`: fields of the cart, or its rows.

use crate::cart::{Name, Selection};

/// The origin of a value, or the rows that decide about a list's entries.
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
        /// The spelling of the sheet.
        spelling: Spelling,
    },
    /// The rows themselves.
    Rows {
        /// Which rows.
        selection: Selection,
        /// The spelling of the sheet.
        spelling: Spelling,
    },
}

/// A source's names as the sheet spells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// The section: `ACCOUNT`.
    pub section: String,
    /// The whole source: `ACCOUNT[DIST_IND=Q].DIST_QUAN`.
    pub whole: String,
    /// Fields of the conditions, and the value that each must have.
    pub conditions: Vec<(String, String)>,
    /// The field; empty for rows.
    pub field: String,
}

impl Source {
    /// How deep in the cart the field is: 0 the header, 1 an item, 2 an account.
    pub fn depth(&self) -> usize {
        match self.section().map(Name::as_str) {
            None | Some("HEADER") => 0,
            Some("ACCOUNT") => 2,
            Some(_) => 1,
        }
    }

    /// The section that has to be read for it.
    pub fn section(&self) -> Option<&Name> {
        self.selection().map(|selection| &selection.section)
    }

    /// The rows that it reads.
    pub const fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Id => None,
            Self::Field { selection, .. } | Self::Rows { selection, .. } => Some(selection),
        }
    }

    /// Its names as the sheet spells them.
    pub const fn spelling(&self) -> Option<&Spelling> {
        match self {
            Self::Id => None,
            Self::Field { spelling, .. } | Self::Rows { spelling, .. } => Some(spelling),
        }
    }

    /// Section and field for the parameters of a message.
    pub fn section_and_field(&self) -> (&str, &str) {
        self.spelling().map_or(("HEADER", "GUID"), |spelling| (&spelling.section, &spelling.field))
    }

    /// The source as the sheet writes it: `PARTNER[00000019].PARTNER_ID`.
    pub fn label(&self) -> &str {
        self.spelling().map_or("HEADER.GUID", |spelling| &spelling.whole)
    }

    /// `ID`, `HEADER.CO_CODE`, `PARTNER[00000019].PARTNER_ID`, `STATUS[STAT=I1016][INACT=].UDATE`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("ID") {
            return Ok(Self::Id);
        }
        let expected = || format!("source {text:?}: expected ID, SECTION.FIELD or SECTION[FIELD=VALUE].FIELD");
        let (rows, field) = text.rsplit_once('.').ok_or_else(expected)?;
        if field.is_empty() || field.contains(['[', ']', ' ']) {
            return Err(expected());
        }
        let (selection, spelling) = selection(rows, expected)?;
        let spelling = Spelling { field: field.to_owned(), whole: text.to_owned(), ..spelling };
        Ok(Self::Field { selection, field: Name::of(field), spelling })
    }

    /// `ACCOUNT`, `ITEM[ITM_TYPE=HIER]`, `STATUS[STAT=I1016][INACT=]`.
    pub fn parse_rows(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let expected = || format!("source {text:?}: expected SECTION or SECTION[FIELD=VALUE], without a field");
        let (selection, spelling) = selection(text, expected)?;
        Ok(Self::Rows { selection, spelling })
    }
}

/// A section with its conditions; all of them hold.
fn selection(text: &str, expected: impl Fn() -> String) -> Result<(Selection, Spelling), String> {
    let (section, brackets) = text.split_at(text.find('[').unwrap_or(text.len()));
    if section.is_empty() || section.contains([']', '.', ' ', '=', '+']) {
        return Err(expected());
    }
    let mut conditions = Vec::new();
    let mut rest = brackets;
    while !rest.is_empty() {
        let (inside, behind) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(&expected)?;
        conditions.push(condition(section, inside)?);
        rest = behind;
    }
    let names = conditions.iter().map(|(field, value)| (Name::of(field), value.clone())).collect();
    let spelling = Spelling { section: section.to_owned(), whole: text.to_owned(), conditions, field: String::new() };
    Ok((Selection { section: Name::of(section), conditions: names }, spelling))
}

/// The inside of one pair of brackets.
fn condition(section: &str, text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.trim().is_empty() && !text.contains('[') => {
            Ok((field.trim().to_owned(), value.trim().to_owned()))
        }
        None if Name::of(section) == Name::of("PARTNER") && !text.trim().is_empty() && !text.contains('[') => {
            Ok(("PARTNER_FCT".to_owned(), text.trim().to_owned()))
        }
        _ => Err(format!("source {section}[{text}]: expected [FIELD=VALUE]; only PARTNER[FUNCTION] has a short form")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_conditions_all_belong_to_one_selection() {
        let Source::Rows { selection, spelling } = Source::parse_rows("STATUS[STAT = I1016][INACT=]").unwrap() else {
            panic!("expected rows")
        };
        let conditions = [(Name::of("STAT"), "I1016".to_owned()), (Name::of("INACT"), String::new())];
        assert_eq!((selection.section.as_str(), selection.conditions.as_slice()), ("STATUS", &conditions[..]));
        assert_eq!((spelling.section.as_str(), spelling.whole.as_str()), ("STATUS", "STATUS[STAT = I1016][INACT=]"));
        let partner = Source::parse("PARTNER[00000019][MAIN=X].PARTNER_ID").unwrap();
        assert_eq!(partner.label(), "PARTNER[00000019][MAIN=X].PARTNER_ID");
        assert_eq!(partner.selection().unwrap().conditions.len(), 2);
    }

    #[test]
    fn a_source_of_another_form_is_refused() {
        for field in [
            "",
            "ITEM",
            "ITEM.",
            ".X",
            "ITEM[A=1.X",
            "ITEM[A=1]B.X",
            "ITEM[A=1]].X",
            "ITEM[=1].X",
            "ITEM[A].X",
            "A.B.C",
        ] {
            assert!(Source::parse(field).is_err(), "{field:?}");
        }
        for rows in [
            "",
            "ITEM.X",
            "ITEM[A=1].X",
            "ITEM[A=1",
            "ITEM[A=1]B",
            "[A=1]",
            "ITEM[A][B=1]",
            "ITEM + ACCOUNT",
            "ITEM[[A=1]",
        ] {
            assert!(Source::parse_rows(rows).is_err(), "{rows:?}");
        }
    }
}

//! The column `source`: fields of the cart, or its rows.

use std::hash::{Hash, Hasher};

use crate::cart::{Name, STANDARD, Selection};

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
        /// The whole source as the sheet writes it.
        label: String,
    },
    /// The rows themselves.
    Rows {
        /// Which rows.
        selection: Selection,
        /// The whole source as the sheet writes it.
        label: String,
    },
}

impl Source {
    /// How deep in the cart the field is: 0 the header, 1 an item, 2 an account.
    pub fn depth(&self) -> usize {
        match self.section() {
            None => 0,
            Some(section) if *section == STANDARD.header => 0,
            Some(section) if *section == STANDARD.account => 2,
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

    /// The field that it reads; none for rows.
    pub const fn field(&self) -> Option<&Name> {
        match self {
            Self::Field { field, .. } => Some(field),
            Self::Id | Self::Rows { .. } => None,
        }
    }

    /// True for this field of a section.
    pub fn is_field(&self, section: &Name, field: &str) -> bool {
        self.section() == Some(section) && self.field().is_some_and(|own| *own == Name::of(field))
    }

    /// Section and field for the parameters of a message.
    pub fn section_and_field(&self) -> (&str, &str) {
        self.section()
            .map_or(("HEADER", "GUID"), |section| (section.spelling(), self.field().map_or("", Name::spelling)))
    }

    /// The source as the sheet writes it: `PARTNER[00000019].PARTNER_ID`.
    pub fn label(&self) -> &str {
        match self {
            Self::Id => "HEADER.GUID",
            Self::Field { label, .. } | Self::Rows { label, .. } => label,
        }
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
        let selection = selection(rows, expected)?;
        Ok(Self::Field { selection, field: Name::of(field), label: text.to_owned() })
    }

    /// `ACCOUNT`, `ITEM[ITM_TYPE=HIER]`, `STATUS[STAT=I1016][INACT=]`.
    pub fn parse_rows(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let expected = || format!("source {text:?}: expected SECTION or SECTION[FIELD=VALUE], without a field");
        let selection = selection(text, expected)?;
        Ok(Self::Rows { selection, label: text.to_owned() })
    }
}

impl Hash for Source {
    /// Of the text: equal sources have the same one.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.label().hash(state);
    }
}

/// A section with its conditions; all of them hold.
fn selection(text: &str, expected: impl Fn() -> String) -> Result<Selection, String> {
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
    Ok(Selection { section: Name::of(section), conditions })
}

/// The inside of one pair of brackets.
fn condition(section: &str, text: &str) -> Result<(Name, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.trim().is_empty() && !text.contains('[') => {
            Ok((Name::of(field.trim()), value.trim().to_owned()))
        }
        None if Name::of(section) == Name::of("PARTNER") && !text.trim().is_empty() && !text.contains('[') => {
            Ok((Name::of("PARTNER_FCT"), text.trim().to_owned()))
        }
        _ => Err(format!("source {section}[{text}]: expected [FIELD=VALUE]; only PARTNER[FUNCTION] has a short form")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_conditions_all_belong_to_one_selection() {
        let Source::Rows { selection, label } = Source::parse_rows("STATUS[STAT = I1016][INACT=]").unwrap() else {
            panic!("expected rows")
        };
        let conditions = [(Name::of("STAT"), "I1016".to_owned()), (Name::of("INACT"), String::new())];
        assert_eq!((selection.section.as_str(), selection.conditions.as_slice()), ("STATUS", &conditions[..]));
        assert_eq!((selection.section.spelling(), label.as_str()), ("STATUS", "STATUS[STAT = I1016][INACT=]"));
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

//! The column `source`: fields of the cart.

use crate::cart::{Name, STANDARD, Selection};

/// The origin of a value.
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
}

impl Source {
    /// How deep in the cart the field is: 0 the header, 1 an item, 2 an account.
    pub fn depth(&self) -> usize {
        match self {
            Self::Id => 0,
            Self::Field { selection, .. } if selection.section == STANDARD.header => 0,
            Self::Field { selection, .. } if selection.section == STANDARD.account => 2,
            Self::Field { .. } => 1,
        }
    }

    /// The section that has to be read for it.
    pub fn section(&self) -> Option<&Name> {
        match self {
            Self::Id => None,
            Self::Field { selection, .. } => Some(&selection.section),
        }
    }

    /// Section and field for a message.
    pub fn section_and_field(&self) -> (&str, &str) {
        match self {
            Self::Id => ("HEADER", "GUID"),
            Self::Field { selection, field, .. } => (selection.section.spelling(), field.spelling()),
        }
    }

    /// The source as the sheet writes it: `PARTNER[00000019].PARTNER_ID`.
    pub fn label(&self) -> &str {
        match self {
            Self::Id => "HEADER.GUID",
            Self::Field { label, .. } => label,
        }
    }

    /// `ID`, `HEADER.CO_CODE`, `PARTNER[00000019].PARTNER_ID`, `ACCOUNT[DIST_IND=Q].DIST_QUAN`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("ID") {
            return Ok(Self::Id);
        }
        let expected = || format!("source {text:?}: expected ID, SECTION.FIELD or SECTION[FIELD=VALUE].FIELD");
        let (section, field) = text.rsplit_once('.').ok_or_else(expected)?;
        let (section, filter) = match section.split_once('[') {
            None => (section, None),
            Some((section, filter)) => (section, Some(filter.strip_suffix(']').ok_or_else(expected)?)),
        };
        if section.is_empty()
            || field.is_empty()
            || section.contains(['[', ']', '.'])
            || field.contains(['[', ']', ' '])
        {
            return Err(expected());
        }
        let filter = filter.map(|filter| Self::filter(section, filter)).transpose()?;
        let selection = Selection { section: Name::of(section), filter };
        Ok(Self::Field { selection, field: Name::of(field), label: text.to_owned() })
    }

    /// The part in brackets.
    fn filter(section: &str, text: &str) -> Result<(Name, String), String> {
        match text.split_once('=') {
            Some((field, value)) => Ok((Name::of(field.trim()), value.trim().to_owned())),
            None if Name::of(section) == Name::of("PARTNER") => Ok((Name::of("PARTNER_FCT"), text.trim().to_owned())),
            None => Err(format!(
                "source {section}[{text}]: expected [FIELD=VALUE]; only PARTNER[FUNCTION] has a short form"
            )),
        }
    }
}

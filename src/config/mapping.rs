//! `[mapping]`: the folder of the sheet, and how senders write amounts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::file::SettingsText;
use super::mistakes::Mistakes;
use super::reader::Reader;
use super::target::id_field_of_profile;
use crate::cart::Name;
use crate::mapping::{Amounts, IdField, Plausibility};

/// `[mapping]`: the sheet.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The folder with the sheet.
    pub directory: PathBuf,
    /// How senders write amounts.
    pub amounts: Amounts,
    /// What becomes of a cart whose figures contradict each other.
    pub plausibility: Plausibility,
    /// The header's field that names the system of a cart without GUID and LOGSYS.
    pub system_field: Option<Name>,
    /// The field of an order by which 11VMS finds it again, as the profile in `[target]` says.
    pub id_field: IdField,
}

impl Mapping {
    /// Reads this section alone, which is all that an offline preview needs, and the profile of `[target]` as far as it can be
    /// read: its mistakes are those of the service, and then nothing is known of the id's field.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let text = SettingsText::load(file, environment)?;
        let profile = Reader::parse(&text, environment)?.finish(|reader| {
            let id_field = id_field_of_profile(reader);
            reader.ignore_the_rest();
            id_field
        });
        Reader::parse(&text, environment)?.finish(|reader| {
            reader.ignore_other_sections("mapping");
            Self::from_reader(reader, profile.unwrap_or(IdField::Nowhere))
        })
    }

    /// Reads the section.
    pub fn from_reader(reader: &mut Reader, id_field: IdField) -> Option<Self> {
        let directory = reader.text_or("mapping.directory", "mapping").map(PathBuf::from);
        let amounts = reader.choice(
            "mapping.shifted_amounts",
            "false",
            &[("true", Amounts::Shifted), ("false", Amounts::Unshifted)],
        );
        let plausibility = reader.choice(
            "mapping.plausibility",
            "warn",
            &[("warn", Plausibility::Warn), ("refuse", Plausibility::Refuse), ("off", Plausibility::Off)],
        );
        let system_field =
            reader.optional("mapping.system_field", "a field of the header such as ZZ_SYSTEM", header_field);
        Some(Self {
            directory: directory?,
            amounts: amounts?,
            plausibility: plausibility?,
            system_field: system_field?,
            id_field,
        })
    }
}

/// A field of the header, as the sheet names it: `ZZ_SYSTEM` or `HEADER.ZZ_SYSTEM`.
fn header_field(text: &str) -> Option<Name> {
    let field = text.trim();
    let field = field.strip_prefix("HEADER.").unwrap_or(field);
    let is_name = !field.is_empty() && field.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '/'));
    is_name.then(|| Name::of(field))
}

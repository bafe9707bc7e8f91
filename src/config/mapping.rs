//! `[mapping]`: the folder of the sheet, and how it is used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::file::SettingsText;
use super::mistakes::Mistakes;
use super::reader::Reader;
use super::target::id_field_of_profile;
use crate::cart::Name;
use crate::mapping::{Amounts, DifferingExamples, IdField, MappingOptions, Plausibility};

/// `[mapping]`: the sheet.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The folder with the sheet.
    pub directory: PathBuf,
    /// How it is used.
    pub options: MappingOptions,
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
        let examples = reader.choice(
            "mapping.examples",
            "refuse",
            &[("refuse", DifferingExamples::Refuse), ("warn", DifferingExamples::Warn)],
        );
        let options = MappingOptions {
            amounts: amounts?,
            plausibility: plausibility?,
            system_field: system_field?,
            examples: examples?,
            id_field,
        };
        Some(Self { directory: directory?, options })
    }
}

/// A field of the header, as the sheet names it: `ZZ_SYSTEM` or `HEADER.ZZ_SYSTEM`.
fn header_field(text: &str) -> Option<Name> {
    let field = text.trim();
    let field = field.strip_prefix("HEADER.").unwrap_or(field);
    let is_name = !field.is_empty() && field.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '/'));
    is_name.then(|| Name::of(field))
}

//! The compiled mapping: a sheet with its tables, free of defects.

use std::fmt::Write as _;
use std::sync::Arc;

use super::currency::{Amounts, CURRENCY_DECIMALS, decimals_defects};
use super::defect::{Defect, Findings};
use super::folder::{Folder, SHEET};
use super::names::Names;
use super::plausibility::Plausibility;
use super::sheet::{IdField, ReadSheet, Sheet};
use super::table::{Table, Tables};
use crate::cart::{Name, Vocabulary};
use crate::digest;

/// Hex digits of the folder's hash that make a version: enough to tell any two sheets apart, short enough to read out.
const VERSION_DIGITS: usize = 16;

/// A sheet with its tables, free of defects.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) sheet: Arc<Sheet>,
    pub(super) tables: Arc<Tables>,
    pub(super) amounts: Amounts,
    pub(super) plausibility: Plausibility,
    /// What the sheet reads.
    pub(super) vocabulary: Arc<Vocabulary>,
    /// The names of figures and limits, with their places in the vocabulary.
    pub(super) names: Arc<Names>,
    /// The header's field that names a cart's system where LOGSYS does not.
    pub(super) system_field: Option<Name>,
    version: String,
    warnings: Arc<[Defect]>,
}

impl Mapping {
    /// Compiles a folder for an 11VMS that finds an order by its field `externalId`.
    ///
    /// # Errors
    /// Every mistake in the sheet, the tables and the files of the examples, with file and line.
    pub fn compile(folder: &Folder, amounts: Amounts) -> Result<Self, Vec<Defect>> {
        Self::compile_for(folder, amounts, &IdField::default())
    }

    /// Compiles a folder for an 11VMS that finds an order by some other field.
    ///
    /// # Errors
    /// As of [`Mapping::compile`].
    pub fn compile_for(folder: &Folder, amounts: Amounts, id_field: &IdField) -> Result<Self, Vec<Defect>> {
        Self::examine(folder, amounts, id_field).map_err(|findings| findings.mistakes)
    }

    /// Compiles a folder as [`Mapping::compile_for`] does, and tells what should be looked at in one with mistakes too.
    ///
    /// # Errors
    /// Every mistake, and every warning.
    pub fn examine(folder: &Folder, amounts: Amounts, id_field: &IdField) -> Result<Self, Findings> {
        let (tables, mut findings) = tables(folder);
        findings.mistakes.splice(0..0, folder.unreadable().cloned());
        let sheet = folder.sheet().map(|text| Sheet::read(SHEET, text, &tables, id_field));
        let Some(ReadSheet { mut sheet, findings: of_sheet }) = sheet else {
            if folder.unreadable().next().is_none() {
                findings.mistakes.push(Defect::new(SHEET, "missing"));
            }
            return Err(findings);
        };
        findings.extend(of_sheet);
        if !findings.mistakes.is_empty() {
            // Without a mapping nobody maps the examples; what is wrong with their text is told all the same.
            findings.mistakes.extend(examples_that_are_no_json(folder));
            return Err(findings);
        }
        let mut vocabulary = sheet.vocabulary();
        let names = Names::of(&sheet.sections, &mut vocabulary);
        Ok(Self {
            sheet: Arc::new(sheet),
            tables: Arc::new(tables),
            amounts,
            plausibility: Plausibility::default(),
            vocabulary: Arc::new(vocabulary),
            names: Arc::new(names),
            system_field: None,
            version: version(folder, amounts),
            warnings: findings.warnings.into(),
        })
    }

    /// What works in the folder, and is probably not meant.
    pub fn warnings(&self) -> &[Defect] {
        &self.warnings
    }

    /// The content hash that names this mapping, 16 hex digits.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same mapping with another judgement on figures that contradict each other. The version stays: no order changes.
    #[must_use]
    pub const fn with_plausibility(mut self, plausibility: Plausibility) -> Self {
        self.plausibility = plausibility;
        self
    }

    /// Names the header's field that tells systems of equal cart numbers apart, where LOGSYS does not.
    #[must_use]
    pub fn with_system_field(self, field: Option<Name>) -> Self {
        Self { system_field: field, ..self }
    }

    pub(super) fn with_amounts(&self, amounts: Amounts) -> Self {
        Self { amounts, ..self.clone() }
    }
}

fn tables(folder: &Folder) -> (Tables, Findings) {
    let unreadable = folder.unreadable_tables().map(|name| (name.to_owned(), Table::unreadable()));
    let mut tables: Tables = unreadable.collect();
    let mut findings = Findings::default();
    for (name, file, text) in folder.tables() {
        let read = Table::read(file, text);
        if name == CURRENCY_DECIMALS {
            findings.mistakes.extend(decimals_defects(file, &read));
        }
        findings.extend(read.findings);
        tables.insert(name.to_owned(), read.table);
    }
    (tables, findings)
}

/// A mistake for each file of an example that is no JSON.
fn examples_that_are_no_json(folder: &Folder) -> Vec<Defect> {
    let defect = |(file, text): (&str, &str)| {
        let error = serde_json::from_str::<serde::de::IgnoredAny>(text.trim_start_matches('\u{feff}')).err()?;
        Some(Defect::in_line(file, u64::try_from(error.line()).unwrap_or(1).max(1), format!("no JSON: {error}")))
    };
    folder.examples().into_iter().filter_map(defect).collect()
}

/// Hash of everything that decides what a cart becomes: the sheet, the tables and the setting for amounts.
fn version(folder: &Folder, amounts: Amounts) -> String {
    let mut content = format!("{}\n", amounts.version_label());
    for (file, text) in folder.rules() {
        // Writing to a String can't fail.
        let _ = writeln!(content, "{file} {}\n{text}", text.len());
    }
    digest::sha256_hex(content.as_bytes()).chars().take(VERSION_DIGITS).collect()
}

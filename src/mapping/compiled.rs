//! The compiled mapping: a sheet with its tables, free of defects.

use std::sync::Arc;

use super::currency::{Amounts, CURRENCY_DECIMALS, decimals_defects};
use super::defect::{Defect, Findings};
use super::folder::{Folder, SHEET};
use super::names::Names;
use super::options::MappingOptions;
use super::plausibility::Plausibility;
use super::sheet::{ReadSheet, Sheet};
use super::table::{Table, Tables};
use super::version::version;
use crate::cart::{Name, Vocabulary};
use crate::message::Message;

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
    /// A warning that every order has, whatever its cart is.
    pub(super) notice: Option<Message>,
    version: String,
    warnings: Arc<[Defect]>,
}

impl Mapping {
    /// Compiles a folder for an 11VMS that finds an order by its field `externalId`.
    ///
    /// # Errors
    /// Every mistake in the sheet and the tables, with file and line.
    pub fn compile(folder: &Folder, amounts: Amounts) -> Result<Self, Vec<Defect>> {
        let options = MappingOptions { amounts, ..MappingOptions::default() };
        Self::examine(folder, &options).map_err(|findings| findings.mistakes)
    }

    /// Compiles a folder as the settings say, and tells what should be looked at in one with mistakes too.
    ///
    /// # Errors
    /// Every mistake of the sheet and the tables, and every warning.
    pub fn examine(folder: &Folder, options: &MappingOptions) -> Result<Self, Findings> {
        let (tables, mut findings) = tables(folder);
        findings.mistakes.splice(0..0, folder.unreadable().cloned());
        let sheet = folder.sheet().map(|text| Sheet::read(SHEET, text, &tables, &options.id_field));
        let Some(ReadSheet { mut sheet, findings: of_sheet }) = sheet else {
            if folder.unreadable().next().is_none() {
                findings.mistakes.push(Defect::new(SHEET, "missing"));
            }
            return Err(findings);
        };
        findings.extend(of_sheet);
        if !findings.mistakes.is_empty() {
            return Err(findings);
        }
        let version = version(&sheet, &tables, options.amounts);
        let mut vocabulary = sheet.vocabulary();
        let names = Names::of(&sheet.sections, &mut vocabulary);
        Ok(Self {
            sheet: Arc::new(sheet),
            tables: Arc::new(tables),
            amounts: options.amounts,
            plausibility: options.plausibility,
            vocabulary: Arc::new(vocabulary),
            names: Arc::new(names),
            system_field: options.system_field.clone(),
            notice: None,
            version,
            warnings: findings.warnings.into(),
        })
    }

    /// What works in the folder, and is probably not meant.
    pub fn warnings(&self) -> &[Defect] {
        &self.warnings
    }

    /// The digest of its meaning that names this mapping, 16 hex digits.
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

    /// Gives every order, preview and refusal this warning.
    #[must_use]
    pub(super) fn with_notice(self, notice: Option<Message>) -> Self {
        Self { notice, ..self }
    }

    /// The warning that every order has.
    pub const fn notice(&self) -> Option<&Message> {
        self.notice.as_ref()
    }

    /// The number of rows of the sheet.
    pub fn row_count(&self) -> usize {
        self.sheet.row_count
    }

    /// The number of tables in the folder.
    pub fn table_count(&self) -> usize {
        self.tables.len()
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

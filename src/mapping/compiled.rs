//! The compiled mapping: a sheet with its tables, free of defects.

use std::sync::Arc;

use super::currency::{Amounts, decimals_defect};
use super::defect::Defect;
use super::folder::{Folder, SHEET};
use super::names::Names;
use super::plausibility::Plausibility;
use super::sheet::Sheet;
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
}

impl Mapping {
    /// Compiles a folder.
    ///
    /// # Errors
    /// Every defect of the sheet and the tables, with file and line.
    pub fn compile(folder: &Folder, amounts: Amounts) -> Result<Self, Vec<Defect>> {
        let (tables, mut defects) = tables(folder);
        if amounts == Amounts::Shifted && defects.is_empty() {
            defects.extend(decimals_defect(&tables));
        }
        let sheet = match folder.sheet() {
            Some(text) => Sheet::parse(SHEET, text, &tables),
            None => Err(vec![Defect::new(SHEET, "missing")]),
        };
        match sheet {
            Ok(mut sheet) if defects.is_empty() => {
                let mut vocabulary = sheet.vocabulary();
                let version = version(&sheet, &tables, amounts);
                let names = Names::of(&sheet.sections, &mut vocabulary);
                Ok(Self {
                    sheet: Arc::new(sheet),
                    tables: Arc::new(tables),
                    amounts,
                    plausibility: Plausibility::default(),
                    vocabulary: Arc::new(vocabulary),
                    names: Arc::new(names),
                    system_field: None,
                    notice: None,
                    version,
                })
            }
            Ok(_) => Err(defects),
            Err(more) => Err([defects, more].concat()),
        }
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

fn tables(folder: &Folder) -> (Tables, Vec<Defect>) {
    let mut tables = Tables::new();
    let mut defects = Vec::new();
    for (name, file, text) in folder.tables() {
        match Table::parse(file, text) {
            Ok(table) => drop(tables.insert(name.to_owned(), table)),
            Err(found) => defects.extend(found),
        }
    }
    (tables, defects)
}

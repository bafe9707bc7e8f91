//! The compiled mapping: a sheet with its tables, free of defects.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::currency::{Amounts, CURRENCY_DECIMALS, decimals_defects};
use super::defect::{Defect, Findings};
use super::folder::{Folder, SHEET};
use super::names::Names;
use super::options::MappingOptions;
use super::plausibility::Plausibility;
use super::sheet::{NamedTables, ReadSheet, Sheet};
use super::table::{ReadTable, Table, Tables};
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
        let (tables, of_tables) = read_tables(folder);
        let sheet = folder.sheet().map(|text| Sheet::read(SHEET, text, &tables, &options.id_field));
        let used = sheet.as_ref().and_then(|sheet| sheet.tables.as_ref());
        let mut findings = findings_of_tables(folder, of_tables, used);
        let Some(ReadSheet { mut sheet, findings: of_sheet, .. }) = sheet else {
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

/// The tables of a folder, and each as it was read, with its name.
fn read_tables(folder: &Folder) -> (Tables, Vec<(&str, ReadTable)>) {
    let unreadable = folder.unreadable_tables().map(|name| (name.to_owned(), Table::unreadable()));
    let mut tables: Tables = unreadable.collect();
    let mut read = Vec::new();
    for (name, file, text) in folder.tables() {
        let mut table = Table::read(file, text);
        if name == CURRENCY_DECIMALS {
            let defects = decimals_defects(file, &table);
            table.findings.mistakes.splice(0..0, defects);
        }
        tables.insert(name.to_owned(), std::mem::take(&mut table.table));
        read.push((name, table));
    }
    (tables, read)
}

/// What is wrong with the tables. A mistake of one that no row names is no mistake of the mapping; that of decimals is one in
/// any case: the setting that uses them is not the analyst's.
fn findings_of_tables(folder: &Folder, tables: Vec<(&str, ReadTable)>, named: Option<&NamedTables>) -> Findings {
    let is_used = |name: &str| name == CURRENCY_DECIMALS || named.is_none_or(|named| named.contains_key(name));
    let mut findings = Findings::default();
    for (table, defect) in folder.unreadable_by_table() {
        let mistakes = vec![defect.clone()];
        let of_file = Findings { mistakes, warnings: Vec::new() };
        findings.extend(if table.is_none_or(is_used) { of_file } else { unused(of_file) });
    }
    for (name, read) in tables {
        let sources = named.and_then(|named| named.get(name));
        let needs_other_keys = sources.is_some_and(|sources| sources.iter().any(|sources| *sources != read.keys));
        let Findings { mut mistakes, mut warnings } = read.findings;
        match read.lacks_header {
            // What else is wrong with its rows follows from it.
            Some(mistake) if needs_other_keys => mistakes = vec![mistake],
            doubt => warnings.extend(doubt),
        }
        if sources.is_some() { &mut mistakes } else { &mut warnings }.extend(read.lacks_rows);
        let of_table = Findings { mistakes, warnings };
        findings.extend(if is_used(name) { of_table } else { unused(of_table) });
    }
    findings.warnings.extend(twins(folder));
    findings
}

/// What is wrong with a table that decides about nothing.
fn unused(findings: Findings) -> Findings {
    let remark = |mistake: Defect| mistake.with_remark("a warning alone: no row of the sheet uses this table");
    let mistakes = findings.mistakes.into_iter().map(remark);
    Findings { mistakes: Vec::new(), warnings: mistakes.chain(findings.warnings).collect() }
}

/// Tables whose names differ in capitals alone: an analyst changes one of them, and the sheet uses the other.
fn twins(folder: &Folder) -> Vec<Defect> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    let mut defects = Vec::new();
    for name in folder.tables().map(|(name, ..)| name).chain(folder.unreadable_tables()) {
        match known.entry(name.to_lowercase()) {
            Entry::Occupied(first) => {
                let problem = format!(
                    "differs from tables/{}.csv in nothing but capitals, and is another table; expected one of them",
                    first.get()
                );
                defects.push(Defect::new(&format!("tables/{name}.csv"), problem));
            }
            Entry::Vacant(place) => drop(place.insert(name)),
        }
    }
    defects
}

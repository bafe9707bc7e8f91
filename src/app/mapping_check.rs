//! A mapping folder, tried as at a start but without one: for `check` and `doctor`.

use std::path::Path;

use super::start_error::defect_lines;
use crate::mapping::{
    ExampleFile, ExampleUpdate, Findings, Folder, Mapping, MappingOptions, example_defects, ignored_files,
};

/// What a mapping folder is, and everything that is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct MappingCheck {
    /// The folder, as the settings name it.
    pub directory: String,
    /// The version; `None` if it does not compile.
    pub version: Option<String>,
    /// `33 rows, 4 tables, 22 examples`; empty if it does not compile.
    pub counts: String,
    /// What works, and needs somebody's attention.
    pub warnings: Vec<String>,
    /// What is wrong with the sheet and its tables, a line each.
    pub mistakes: Vec<String>,
    /// Every difference of every example, a line each.
    pub differences: Vec<String>,
    /// `1 of 22 examples differs`; empty if none does.
    pub differing: String,
    /// What was checked; `None` if it does not compile.
    compiled: Option<(Mapping, Folder)>,
}

/// The files of examples as the mapping that was checked fulfils them.
#[derive(Debug, Default)]
pub struct ExpectedExamples {
    /// The files that differ, with their new text.
    pub files: Vec<ExampleFile>,
    /// The files that a person has to decide about, a line each.
    pub kept: Vec<String>,
}

/// Checks sheet, tables and examples of a folder.
pub fn check_mapping(directory: &Path, options: &MappingOptions) -> MappingCheck {
    let name = directory.display().to_string();
    let ignored = ignored_files(directory).into_iter();
    let mut check = MappingCheck {
        directory: name.clone(),
        warnings: ignored.map(|file| format!("{name}/{file} is ignored: {}", expected_name(&file))).collect(),
        ..MappingCheck::default()
    };
    let folder = match Folder::read(directory) {
        Ok(folder) => folder,
        Err(defects) => return MappingCheck { mistakes: defect_lines(&name, &defects), ..check },
    };
    match Mapping::examine(&folder, options) {
        Err(Findings { mistakes, warnings }) => {
            check.mistakes = defect_lines(&name, &[mistakes, example_defects(&folder)].concat());
            check.warnings.extend(defect_lines(&name, &warnings));
        }
        Ok(mapping) => {
            check.warnings.extend(defect_lines(&name, mapping.warnings()));
            check.examine_examples(&mapping, &folder);
            check.compiled = Some((mapping, folder));
        }
    }
    check
}

impl MappingCheck {
    /// What `--update-examples` writes; every example that differs is mapped once more for it.
    pub fn expected_examples(&self) -> ExpectedExamples {
        let Some((mapping, folder)) = &self.compiled else { return ExpectedExamples::default() };
        let ExampleUpdate { files, kept } = mapping.update_examples(folder);
        ExpectedExamples { files, kept: defect_lines(&self.directory, &kept) }
    }

    fn examine_examples(&mut self, mapping: &Mapping, folder: &Folder) {
        let report = mapping.compare_examples(folder);
        self.version = Some(mapping.version().to_owned());
        let counts = [(mapping.row_count(), "row"), (mapping.table_count(), "table"), (report.count(), "example")];
        self.counts = counts.map(|(count, noun)| counted(count, noun)).join(", ");
        if report.count() == 0 {
            self.warnings.push(format!(
                "{name}: no examples: nothing shows that the sheet does what it shall; put carts and their orders into {name}/examples",
                name = self.directory
            ));
        }
        self.differing = report.count_text().unwrap_or_default();
        self.differences = defect_lines(&self.directory, &report.defects());
    }
}

/// What a file of a folder is expected to be called.
fn expected_name(file: &str) -> &'static str {
    if file.starts_with("tables/") {
        "a table is NAME.csv"
    } else {
        "an example is NAME.cart.json with NAME.order.json or NAME.refused.json"
    }
}

/// `1 row`, `2 rows`, `no rows`.
fn counted(count: usize, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        several => format!("{several} {noun}s"),
    }
}

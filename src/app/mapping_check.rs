//! A mapping folder, tried as at a start but without one: for `check` and `doctor`.

use std::path::Path;

use super::start_error::defect_lines;
use crate::mapping::{ExampleFile, Folder, Mapping, MappingOptions, ignored_files};

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
    /// The examples' files that would make them as expected.
    pub updates: Vec<ExampleFile>,
}

/// Checks sheet, tables and examples of a folder.
pub fn check_mapping(directory: &Path, options: &MappingOptions) -> MappingCheck {
    let name = directory.display().to_string();
    let folder_and_mapping = Folder::read(directory)
        .and_then(|folder| Mapping::compile_with(&folder, options).map(|mapping| (folder, mapping)));
    let mut check = MappingCheck { directory: name.clone(), ..MappingCheck::default() };
    let ignored = ignored_files(directory).into_iter();
    check.warnings = ignored.map(|file| format!("{name}/{file} is ignored: {}", expected_name(&file))).collect();
    match folder_and_mapping {
        Err(defects) => check.mistakes = defect_lines(&name, &defects),
        Ok((folder, mapping)) => {
            let report = mapping.compare_examples(&folder);
            check.version = Some(mapping.version().to_owned());
            check.counts = [
                counted(mapping.row_count(), "row"),
                counted(mapping.table_count(), "table"),
                counted(report.count, "example"),
            ]
            .join(", ");
            if report.count == 0 {
                check.warnings.push(format!(
                    "{name}: no examples: nothing shows that the sheet does what it shall; put carts and their orders into {name}/examples"
                ));
            }
            check.updates = mapping.updated_examples(&folder);
            check.differing = report.count_text().unwrap_or_default();
            check.differences = defect_lines(&name, &report.defects);
        }
    }
    check
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

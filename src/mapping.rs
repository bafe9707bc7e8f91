//! The mapping sheet: which field of a cart becomes which field of the order, by which conversion and which table.
//!
//! The sheet **is** the program: it is checked whole and compiled when it is loaded, and a [`Mapping`] has no defects.
//! Pure but for `folder`, which reads files, and `live`, which watches them. Knows nothing of HTTP, the ledger or 11VMS.

mod acceptance;
mod comparison;
mod compiled;
mod conversion;
mod csv_file;
mod currency;
mod defect;
mod difference;
mod evaluation;
mod example_name;
mod examples;
mod folder;
mod listing;
mod live;
mod meaning;
mod names;
mod options;
mod plausibility;
mod result;
mod sheet;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod version;
mod words;

pub use acceptance::RefusedFolder;
pub use comparison::{Comparison, Report};
pub use compiled::Mapping;
pub use currency::Amounts;
pub use defect::{Defect, Findings};
pub use evaluation::{FieldTrace, SkippedEntry};
pub use examples::{ExampleFile, ExampleReport, ExampleUpdate, JudgedExample, example_defects};
pub use folder::{Folder, SHEET, ignored_files};
pub use listing::{ListedRow, ListedTable, ListedTableRow, Listing};
pub use live::{LiveMapping, LiveState, MappingInUse, Refusal};
pub use options::{DifferingExamples, MappingOptions};
pub use plausibility::Plausibility;
pub use result::{Mapped, Preview};
pub use sheet::IdField;

//! The mapping sheet: which field of a cart becomes which field of the order, by which conversion and which table.
//!
//! The sheet **is** the program: it is checked whole and compiled when it is loaded, and a [`Mapping`] has no defects.
//! Pure but for `folder`, which reads files, and `live`, which watches them. Knows nothing of HTTP, the ledger or 11VMS.

mod comparison;
mod compiled;
mod conversion;
mod csv_file;
mod currency;
mod defect;
mod evaluation;
mod examples;
mod folder;
mod live;
mod names;
mod plausibility;
mod result;
mod sheet;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod words;

pub use comparison::{Comparison, Report};
pub use compiled::Mapping;
pub use currency::Amounts;
pub use defect::Defect;
pub use evaluation::{FieldTrace, SkippedEntry};
pub use folder::{Folder, SHEET};
pub use live::LiveMapping;
pub use plausibility::Plausibility;
pub use result::{Mapped, Preview};

//! Whether a folder may decide about orders: it compiles, and its examples are as expected.

use super::compiled::Mapping;
use super::defect::Defect;
use super::examples::ExampleReport;
use super::folder::Folder;
use super::options::{DifferingExamples, MappingOptions};
use crate::message::{Message, MessageCode};

/// A folder that is refused whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFolder {
    /// The version of its mapping; `None` if it does not compile.
    pub version: Option<String>,
    /// Why: every defect, or one that counts the examples that differ and shows the first.
    pub defects: Vec<Defect>,
    /// What it makes of its examples; `None` if it does not compile.
    pub examples: Option<ExampleReport>,
}

impl From<Vec<Defect>> for RefusedFolder {
    fn from(defects: Vec<Defect>) -> Self {
        Self { version: None, defects, examples: None }
    }
}

impl Mapping {
    /// Compiles a folder as the settings have it; its examples are not looked at.
    ///
    /// # Errors
    /// Every defect of the sheet and the tables, with file and line.
    pub fn compile_with(folder: &Folder, options: &MappingOptions) -> Result<Self, Vec<Defect>> {
        Self::examine(folder, options).map_err(|findings| findings.mistakes)
    }

    /// Compiles a folder that is to decide about orders, and says what it makes of its examples. Where examples differ and the settings accept it
    /// (`mapping.examples`), every order and every preview has a warning.
    ///
    /// # Errors
    /// If the folder has defects, or examples that differ and are not accepted.
    pub fn accept(folder: &Folder, options: &MappingOptions) -> Result<(Self, ExampleReport), RefusedFolder> {
        let mapping = Self::compile_with(folder, options)?;
        let report = mapping.compare_examples(folder);
        match (report.summary(), options.examples) {
            (None, _) => Ok((mapping, report)),
            (Some(summary), DifferingExamples::Refuse) => {
                let version = Some(mapping.version().to_owned());
                Err(RefusedFolder { version, defects: vec![summary], examples: Some(report) })
            }
            (Some(_), DifferingExamples::Warn) => Ok((mapping.with_notice(notice(&report)), report)),
        }
    }
}

/// The warning of every order.
fn notice(report: &ExampleReport) -> Option<Message> {
    let count = report.count_text()?;
    let text = format!(
        "{count} from what the mapping makes of them, and it is used all the same (mapping.examples = warn): compare the order with the cart"
    );
    Some(Message::new(MessageCode::ExamplesDiffer, text))
}

//! All examples of a folder, compared.

use super::judgement::{defects, file_defects};
use super::pair::examples;
use crate::mapping::compiled::Mapping;
use crate::mapping::defect::Defect;
use crate::mapping::folder::Folder;

/// How a folder's examples compare with what its mapping makes of their carts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleReport {
    /// The number of examples: names in `examples/`.
    pub count: usize,
    /// The number of those that differ, or can't be compared.
    pub differing: usize,
    /// Every difference of each, and what keeps it from being compared.
    pub defects: Vec<Defect>,
}

impl ExampleReport {
    /// `22 of 22 examples differ`; `None` if all are as expected.
    pub fn count_text(&self) -> Option<String> {
        let verb = if self.differing == 1 { "differs" } else { "differ" };
        (self.differing > 0).then(|| match self.count {
            1 => format!("1 of 1 example {verb}"),
            count => format!("{} of {count} examples {verb}", self.differing),
        })
    }

    /// The count and the first difference, as one defect of the folder; `None` if all are as expected.
    pub fn summary(&self) -> Option<Defect> {
        let (count, first) = (self.count_text()?, self.defects.first()?);
        Some(Defect::new("examples", format!("{count}; the first: {first}")))
    }
}

/// What is wrong with the files of a folder's examples, whatever its mapping makes of them: for a mapping that does not
/// compile, so that these mistakes are reported with its own.
pub fn example_defects(folder: &Folder) -> Vec<Defect> {
    examples(folder).iter().flat_map(file_defects).collect()
}

impl Mapping {
    /// Maps every example of a folder, and compares.
    pub fn compare_examples(&self, folder: &Folder) -> ExampleReport {
        let examples = examples(folder);
        let findings: Vec<Vec<Defect>> = examples.iter().map(|example| defects(self, example)).collect();
        ExampleReport {
            count: examples.len(),
            differing: findings.iter().filter(|defects| !defects.is_empty()).count(),
            defects: findings.concat(),
        }
    }
}

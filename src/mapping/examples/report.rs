//! All examples of a folder, compared.

use super::judgement::{defects, file_defects};
use super::pair::examples;
use crate::mapping::compiled::Mapping;
use crate::mapping::defect::Defect;
use crate::mapping::folder::Folder;

/// How a folder's examples compare with what its mapping makes of their carts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleReport {
    /// Each example, by name.
    pub examples: Vec<JudgedExample>,
}

/// One example, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedExample {
    /// The path of its files, without their endings.
    pub name: String,
    /// Whether its cart has to be refused.
    expects_refusal: bool,
    /// Every difference, and what keeps it from being compared; empty if it is as expected.
    pub defects: Vec<Defect>,
    /// How many more differences there were.
    pub hidden: usize,
}

impl JudgedExample {
    /// The name without the folder.
    pub fn short_name(&self) -> &str {
        self.name.rsplit_once('/').map_or(&self.name, |(_, name)| name)
    }

    /// What its cart has to become.
    pub const fn expectation(&self) -> &'static str {
        if self.expects_refusal { "a refusal" } else { "an order" }
    }
}

impl ExampleReport {
    /// The number of examples: names in `examples/`.
    pub const fn count(&self) -> usize {
        self.examples.len()
    }

    /// The number of those that differ, or can't be compared.
    pub fn differing(&self) -> usize {
        self.examples.iter().filter(|example| !example.defects.is_empty()).count()
    }

    /// Every difference of each, and what keeps it from being compared.
    pub fn defects(&self) -> Vec<Defect> {
        self.examples.iter().flat_map(|example| example.defects.iter().cloned()).collect()
    }

    /// The examples, those that differ before all others.
    pub fn differing_first(&self) -> Vec<&JudgedExample> {
        let mut examples: Vec<_> = self.examples.iter().collect();
        examples.sort_by_key(|example| example.defects.is_empty());
        examples
    }

    /// The same with so many differences of each example.
    #[must_use]
    pub fn shortened(mut self, limit: usize) -> Self {
        for example in &mut self.examples {
            example.hidden += example.defects.len().saturating_sub(limit);
            example.defects.truncate(limit);
        }
        self
    }

    /// `22 of 22 examples differ`; `None` if all are as expected.
    pub fn count_text(&self) -> Option<String> {
        let differing = self.differing();
        let verb = if differing == 1 { "differs" } else { "differ" };
        (differing > 0).then(|| match self.count() {
            1 => format!("1 of 1 example {verb}"),
            count => format!("{differing} of {count} examples {verb}"),
        })
    }

    /// The count and the first difference, as one defect of the folder; `None` if all are as expected.
    pub fn summary(&self) -> Option<Defect> {
        let first = self.examples.iter().find_map(|example| example.defects.first())?;
        Some(Defect::new("examples", format!("{}; the first: {first}", self.count_text()?)))
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
        let judged = examples(folder).into_iter().map(|example| JudgedExample {
            name: example.name.to_owned(),
            expects_refusal: example.order.is_none() && example.refusal.is_some(),
            defects: defects(self, &example),
            hidden: 0,
        });
        ExampleReport { examples: judged.collect() }
    }
}

//! `doctor`: everything that the service depends on, asked for real; a line for each, with what to do.

use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use super::process::{print, runtime};
use crate::app::{CheckedMapping, check_mapping, defect_lines};
use crate::clock::SystemClock;
use crate::config::{self, Settings, environment, placeholders};
use crate::doctor::{Finding, Status, examine};

/// Prints every finding. Wrong settings prevent the questions, but not a look at the mapping.
pub fn doctor(file: Option<&Path>) -> Result<(), Failure> {
    let environment = environment();
    let placeholders =
        placeholders(file, &environment).into_iter().map(|text| Finding::fail(text, "set your own value"));
    let mut findings: Vec<Finding> = placeholders.collect();
    let settings = Settings::load(file, &environment);
    match &settings {
        Ok(_) if findings.is_empty() => findings.push(Finding::ok("settings: no mistakes")),
        Ok(_) => {}
        Err(mistakes) => {
            let remedy = "correct the setting; nobody can be asked before";
            findings.extend(mistakes.0.iter().map(|mistake| Finding::fail(mistake, remedy)));
        }
    }
    if let Ok(mapping) = config::Mapping::load(file, &environment) {
        findings.extend(examine_mapping(&mapping));
    }
    if let Ok(settings) = settings {
        findings.extend(runtime()?.block_on(examine(&settings, Arc::new(SystemClock))));
    }
    for finding in &findings {
        print(&format!("{finding}\n"))?;
    }
    match findings.iter().filter(|finding| finding.status == Status::Fail).count() {
        0 => Ok(()),
        failed => Err(Failure::new(format!("{failed} of {} findings need a cure", findings.len()))),
    }
}

fn examine_mapping(settings: &config::Mapping) -> Vec<Finding> {
    let directory = settings.directory.display().to_string();
    let CheckedMapping { version, findings } = check_mapping(settings);
    let good = version.map(|version| Finding::ok(format!("mapping: {directory} has no mistakes, version {version}")));
    let to_correct = "correct the file; until then the service does not start, or keeps the mapping before";
    let mistakes = defect_lines(&directory, &findings.mistakes).into_iter();
    let to_look_at = "correct the file if it is not meant; the service works with it";
    let warnings = defect_lines(&directory, &findings.warnings).into_iter();
    good.into_iter()
        .chain(mistakes.map(|line| Finding::fail(line, to_correct)))
        .chain(warnings.map(|line| Finding::warn(line, to_look_at)))
        .collect()
}

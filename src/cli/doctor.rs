//! `doctor`: everything that the service depends on, asked for real; a line for each, with what to do.

use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use super::process::{print, runtime};
use crate::app::check_mapping;
use crate::clock::SystemClock;
use crate::config::{self, Settings, environment, placeholders};
use crate::doctor::{Finding, Status, examine};
use crate::mapping::DifferingExamples;

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
    let check = check_mapping(&settings.directory, &settings.options);
    let remedy = "correct the file; until then the service does not start, or keeps the mapping before";
    let is_well = check.mistakes.is_empty() && check.differences.is_empty();
    let mut findings: Vec<Finding> = check.mistakes.into_iter().map(|line| Finding::fail(line, remedy)).collect();
    if let Some(version) = check.version.filter(|_| is_well) {
        findings.push(Finding::ok(format!("mapping: {} has no mistakes, version {version}", check.directory)));
    }
    findings.extend(check.warnings.into_iter().map(|line| Finding::warn(line, "see the mapping guide")));
    let differences = check.differences.into_iter();
    findings.extend(differences.map(|line| match settings.options.examples {
        DifferingExamples::Refuse => Finding::fail(line, remedy),
        DifferingExamples::Warn => {
            Finding::warn(line, "correct the sheet or the example; until then every order has a warning")
        }
    }));
    findings
}

//! `check`: every mistake in the settings, the files that they name, the mapping and its examples.

use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use super::process::{print, runtime};
use crate::app::{
    CheckedMapping, check_dates, check_files, check_future_restore, check_ledger_file, check_mapping, check_restore,
    defect_lines,
};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Settings, environment, placeholders};
use crate::doctor::{Status, examine_target};

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Settings, the files that they name, and the mapping.
    Files,
    /// 11VMS and its token endpoint as well, which are asked.
    FilesAndTarget,
}

/// Reports every mistake at once; the mapping is checked even if other settings are wrong. What works and needs attention
/// all the same is printed as a warning, and is no failure.
pub fn check(file: Option<&Path>, scope: Scope) -> Result<(), Failure> {
    let environment = environment();
    let placeholders = placeholders(file, &environment).into_iter();
    let mut warnings: Vec<String> = placeholders.map(|text| format!("{text}; expected your own")).collect();
    let mut mistakes = match Settings::load(file, &environment) {
        Ok(settings) => {
            warnings.extend(check_dates(&settings));
            warnings.extend(check_restore(&settings));
            let mut mistakes = check_files(&settings);
            mistakes.extend(check_ledger_file(&settings.ledger.storage));
            mistakes.extend(check_future_restore(&settings));
            if scope == Scope::FilesAndTarget {
                mistakes.extend(check_target(&settings)?);
            }
            mistakes
        }
        Err(mistakes) => mistakes.0,
    };
    let mapping = config::Mapping::load(file, &environment)
        .ok()
        .map(|mapping| (mapping.directory.display().to_string(), check_mapping(&mapping)));
    if let Some((directory, CheckedMapping { findings, .. })) = &mapping {
        mistakes.extend(defect_lines(directory, &findings.mistakes));
        warnings.extend(defect_lines(directory, &findings.warnings));
    }
    for warning in warnings {
        print(&format!("warning: {warning}\n"))?;
    }
    match (mistakes.as_slice(), mapping) {
        ([], Some((directory, CheckedMapping { version: Some(version), .. }))) => {
            print(&format!("settings: no mistakes\n{directory}: no mistakes, version {version}\n"))
        }
        _ => Err(Failure::of_lines(mistakes)),
    }
}

/// What 11VMS and its token endpoint answer otherwise than the settings say; what they answer as expected is printed.
fn check_target(settings: &Settings) -> Result<Vec<String>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let findings = runtime()?.block_on(examine_target(settings, &clock));
    let (good, bad): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.status == Status::Ok);
    for finding in good {
        print(&format!("{finding}\n"))?;
    }
    Ok(bad.iter().map(ToString::to_string).collect())
}

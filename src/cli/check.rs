//! `check`: every mistake in the settings, the files that they name, the mapping and its examples.

use std::path::Path;

use super::failure::Failure;
use super::process::print;
use crate::app::{check_dates, check_files, check_mapping, defect_lines};
use crate::config::{self, Settings, environment, placeholders};

/// Reports every mistake at once; the mapping is checked even if other settings are wrong. What works and needs attention
/// all the same is printed as a warning, and is no failure.
pub fn check(file: Option<&Path>) -> Result<(), Failure> {
    let environment = environment();
    let mut warnings = placeholders(file, &environment);
    let mut mistakes = match Settings::load(file, &environment) {
        Ok(settings) => {
            warnings.extend(check_dates(&settings));
            check_files(&settings)
        }
        Err(mistakes) => mistakes.0,
    };
    let mapping = config::Mapping::load(file, &environment)
        .ok()
        .map(|mapping| (mapping.directory.display().to_string(), check_mapping(&mapping)));
    if let Some((directory, Err(defects))) = &mapping {
        mistakes.extend(defect_lines(directory, defects));
    }
    for warning in warnings {
        print(&format!("warning: {warning}\n"))?;
    }
    match (mistakes.as_slice(), mapping) {
        ([], Some((directory, Ok(version)))) => {
            print(&format!("settings: no mistakes\n{directory}: no mistakes, version {version}\n"))
        }
        _ => Err(Failure::of_lines(mistakes)),
    }
}

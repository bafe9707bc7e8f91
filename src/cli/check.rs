//! `check`: every mistake in the settings, the files that they name, the mapping and its examples.

use std::path::Path;

use super::failure::Failure;
use super::process::print;
use crate::app::{check_files, defect_lines};
use crate::config::{self, Settings, environment};
use crate::mapping::{Defect, Folder, Mapping};

/// Reports every mistake at once; the mapping is checked even if other settings are wrong.
pub fn check(file: Option<&Path>) -> Result<(), Failure> {
    let environment = environment();
    let mut mistakes = match Settings::load(file, &environment) {
        Ok(settings) => check_files(&settings),
        Err(mistakes) => mistakes.0,
    };
    let mapping = config::Mapping::load(file, &environment)
        .ok()
        .map(|mapping| (mapping.directory.display().to_string(), check_mapping(&mapping)));
    if let Some((directory, Err(defects))) = &mapping {
        mistakes.extend(defect_lines(directory, defects));
    }
    match (mistakes.as_slice(), mapping) {
        ([], Some((directory, Ok(version)))) => {
            print(&format!("settings: no mistakes\n{directory}: no mistakes, version {version}\n"))
        }
        _ => Err(Failure::of_lines(mistakes)),
    }
}

/// The mapping's version, or every defect of the folder, its examples included.
fn check_mapping(settings: &config::Mapping) -> Result<String, Vec<Defect>> {
    let folder = Folder::read(&settings.directory)?;
    let mapping = Mapping::compile(&folder, settings.amounts)?;
    let defects = mapping.check_examples(&folder);
    if defects.is_empty() { Ok(mapping.version().to_owned()) } else { Err(defects) }
}

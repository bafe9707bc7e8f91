//! `check --update-examples`: shows every difference, then writes the files.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::app::{ExpectedExamples, MappingCheck};
use crate::cli::failure::Failure;
use crate::cli::process::print;
use crate::mapping::ExampleFile;

/// Prints the differences and the names of the files that are written; returns what could not be written.
pub fn write_examples(directory: &Path, check: &MappingCheck) -> Result<Vec<String>, Failure> {
    for difference in &check.differences {
        print(&format!("{difference}\n"))?;
    }
    let ExpectedExamples { files, kept } = check.expected_examples();
    let mut mistakes = Vec::new();
    for ExampleFile { file, text } in &files {
        let path = directory.join(file);
        match write_whole(&path, text) {
            Ok(()) => print(&format!("written: {}\n", path.display()))?,
            Err(error) => mistakes.push(format!("{}: can't be written: {error}", path.display())),
        }
    }
    for kept in &kept {
        print(&format!("{kept}\n"))?;
    }
    Ok(mistakes)
}

/// Writes a file whole or not at all: a service may read the folder meanwhile. The name of the new file, until it has its
/// own, begins with a dot, so that it is no part of the folder. A link keeps leading to its file, and a file its rights.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let new = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = write_new(&new, text, &path).and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        // What could not be written is the failure to report.
        let _ = fs::remove_file(&new);
    }
    written
}

fn write_new(new: &Path, text: &str, old: &Path) -> io::Result<()> {
    let mut file = File::create_new(new)?;
    if let Ok(metadata) = fs::metadata(old) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

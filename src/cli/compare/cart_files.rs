//! Files with carts: one cart, a batch in any of its forms, or one cart a line.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use crate::intake::{BatchFormat, RawCart, SplitError, split, utf8_text};

/// Files of a folder that hold carts, by the ending of their names.
const ENDINGS: [&str; 3] = [".json", ".ndjson", ".jsonl"];

/// Those of them with one cart a line.
const LINE_BY_LINE: [&str; 2] = [".ndjson", ".jsonl"];

/// Files beside carts that hold none: what an example is expected to become.
const EXPECTATIONS: [&str; 2] = [".order.json", ".refused.json"];

/// The files to read, in the order in which they were named; those of a folder by their names.
pub struct CartFiles(pub Vec<PathBuf>);

impl CartFiles {
    /// Finds the files of all paths, those of folders inside of folders among them.
    ///
    /// # Errors
    /// Names the path that can't be read.
    pub fn find(paths: &[PathBuf]) -> Result<Self, String> {
        let mut files = Vec::new();
        for path in paths {
            if path != Path::new("-") && path.is_dir() {
                find_in(path, &mut files)?;
            } else {
                files.push(path.clone());
            }
        }
        Ok(Self(files))
    }
}

fn find_in(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_cart = ENDINGS.iter().any(|ending| name.ends_with(ending))
            && !EXPECTATIONS.iter().any(|ending| name.ends_with(ending));
        // A link to a folder could lead back.
        if entry.file_type().map_err(failed)?.is_dir() {
            find_in(&entry.path(), files)?;
        } else if is_cart && !name.starts_with('.') {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The name and the text of a file; `-` is standard input.
///
/// # Errors
/// Names the file that can't be read as UTF-8.
pub fn read(path: &Path) -> Result<(String, String), String> {
    let name = path.display().to_string();
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
    match utf8_text(&bytes) {
        Ok(text) => Ok((name, text.to_owned())),
        Err(foreign) => Err(format!("{name} is {foreign}")),
    }
}

/// The carts of a text.
///
/// # Errors
/// If it holds none.
pub fn carts_in<'t>(name: &str, text: &'t str) -> Result<Vec<RawCart<'t>>, SplitError> {
    let format = if is_line_by_line(name, text) { BatchFormat::Ndjson } else { BatchFormat::JsonArray };
    split(text, format, usize::MAX)
}

/// Whether each line is a text of its own: the name says so, or the first of several lines is whole.
pub fn is_line_by_line(name: &str, text: &str) -> bool {
    if LINE_BY_LINE.iter().any(|ending| name.ends_with(ending)) {
        return true;
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    lines.next().is_some() && serde_json::from_str::<IgnoredAny>(first).is_ok()
}

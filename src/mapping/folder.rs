//! The files of a mapping, read from their folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::defect::Defect;

/// The sheet's file name in the folder.
pub const SHEET: &str = "purchase-order.csv";

const TABLES: &str = "tables";
const EXAMPLES: &str = "examples";

/// The largest file that is read: a table of all regions of the world has some 100 KiB.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// The files of a mapping folder, by their path inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    files: BTreeMap<String, String>,
}

impl Folder {
    /// Reads `purchase-order.csv`, `tables/*.csv` and `examples/*.json`.
    ///
    /// # Errors
    /// A defect for each file or folder that can't be read as UTF-8 text of at most 8 MiB.
    pub fn read(directory: &Path) -> Result<Self, Vec<Defect>> {
        let mut paths = vec![PathBuf::from(SHEET)];
        let mut defects = Vec::new();
        for (folder, extension) in [(TABLES, "csv"), (EXAMPLES, "json")] {
            match file_names(&directory.join(folder), extension) {
                Ok(names) => paths.extend(names.into_iter().map(|name| Path::new(folder).join(name))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => defects.push(Defect::new(folder, error.to_string())),
            }
        }
        let mut files = BTreeMap::new();
        for path in paths {
            match read_text(&directory.join(&path)) {
                Ok(text) => drop(files.insert(path.display().to_string(), text)),
                Err(problem) => defects.push(Defect::new(&path.display().to_string(), problem)),
            }
        }
        if defects.is_empty() { Ok(Self { files }) } else { Err(defects) }
    }

    /// The text of the sheet.
    pub(super) fn sheet(&self) -> Option<&str> {
        self.files.get(SHEET).map(String::as_str)
    }

    /// Name, file and text of each table.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.files.iter().filter_map(|(file, text)| {
            let name = file.strip_prefix(TABLES)?.strip_prefix('/')?.strip_suffix(".csv")?;
            Some((name, file.as_str(), text.as_str()))
        })
    }

    /// The carts and orders of `examples/`, by their path in the folder.
    pub(super) fn examples(&self) -> BTreeMap<&str, &str> {
        let files = self.files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
        files.filter(|(file, _)| file.starts_with(EXAMPLES)).collect()
    }

    /// Path and text of every file that decides what a cart becomes, sorted by path.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
        files.filter(|(file, _)| !file.starts_with(EXAMPLES))
    }
}

fn file_names(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = PathBuf::from(entry?.file_name());
        if name.extension().is_some_and(|found| found == extension) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read_text(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("{size} bytes; expected at most {MAX_FILE_BYTES}"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| format!("expected UTF-8 text: {error}"))
}

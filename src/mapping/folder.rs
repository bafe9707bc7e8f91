//! The files of a mapping, read from their folder.

mod encoding;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::defect::Defect;
use super::example_name::split_name;
use encoding::decode;

/// The sheet's file name in the folder.
pub const SHEET: &str = "purchase-order.csv";

const TABLES: &str = "tables";
const EXAMPLES: &str = "examples";

/// How the names of files begin that programs leave beside an analyst's own: macOS's `._regions.csv`, the locks of
/// LibreOffice (`.~lock.regions.csv#`) and Emacs, vim's swap files, a ConfigMap's `..data`; and Excel's `~$regions.csv`.
/// Their other leftovers (`regions.csv~`, `Thumbs.db`, `desktop.ini`) have other endings than the folder's files.
const LEFTOVER_PREFIXES: [&str; 2] = [".", "~$"];

/// The largest file that is read: a table of all regions of the world has some 100 KiB.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// The files of a mapping folder, by their path inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    files: BTreeMap<String, String>,
    /// Files that are there and can't be read, or not as they should be: a mistake of each.
    unreadable: BTreeMap<String, Defect>,
}

impl Folder {
    /// Reads `purchase-order.csv`, `tables/*.csv` and `examples/*.json`. Files whose names begin with `.` or `~$` are no
    /// part of the folder.
    ///
    /// A file that is no text of at most 8 MiB in UTF-8, or in UTF-16 with a byte order mark, is a mistake of
    /// [`Mapping::compile`](super::Mapping::compile), beside those of all other files.
    ///
    /// # Errors
    /// A defect for each of the folders that can't be listed.
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
        let (mut files, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        for path in paths {
            let file = path.display().to_string();
            match read_bytes(&directory.join(&path)).map(|bytes| decode(&file, bytes)) {
                Ok((text, defect)) => {
                    unreadable.extend(defect.map(|defect| (file.clone(), defect)));
                    files.extend(text.map(|text| (file, text)));
                }
                Err(problem) => drop(unreadable.insert(file.clone(), Defect::new(&file, problem))),
            }
        }
        if defects.is_empty() { Ok(Self { files, unreadable }) } else { Err(defects) }
    }

    /// A folder in memory.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        Self { files, unreadable: BTreeMap::new() }
    }

    /// A folder in memory, of files in any encoding.
    #[cfg(test)]
    pub(super) fn of_bytes(contents: &[(&str, Vec<u8>)]) -> Self {
        let (mut files, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        for (file, bytes) in contents {
            let (text, defect) = decode(file, bytes.clone());
            unreadable.extend(defect.map(|defect| ((*file).to_owned(), defect)));
            files.extend(text.map(|text| ((*file).to_owned(), text)));
        }
        Self { files, unreadable }
    }

    /// A mistake for each file that can't be read, or not as it should be.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = &Defect> {
        self.unreadable.values()
    }

    /// The same, each with the table's name if it is one.
    pub(super) fn unreadable_by_table(&self) -> impl Iterator<Item = (Option<&str>, &Defect)> {
        self.unreadable.iter().map(|(file, defect)| (table_name(file), defect))
    }

    /// Whether a file is there of which nothing can be read.
    pub(super) fn is_unread(&self, file: &str) -> bool {
        self.unreadable.contains_key(file) && !self.files.contains_key(file)
    }

    /// The names of tables that are there, and can't be read at all.
    pub(super) fn unreadable_tables(&self) -> impl Iterator<Item = &str> {
        let unread = self.unreadable.keys().filter(|file| !self.files.contains_key(*file));
        unread.filter_map(|file| table_name(file))
    }

    /// The text of the sheet.
    pub(super) fn sheet(&self) -> Option<&str> {
        self.files.get(SHEET).map(String::as_str)
    }

    /// Name, file and text of each table.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.files.iter().filter_map(|(file, text)| Some((table_name(file)?, file.as_str(), text.as_str())))
    }

    /// The carts and orders of `examples/`, by their path in the folder.
    pub(super) fn examples(&self) -> BTreeMap<&str, &str> {
        let files = self.files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
        files.filter(|(file, _)| file.starts_with(EXAMPLES)).collect()
    }
}

/// The files that are no part of the mapping, for their authors to see: those of `tables/` and `examples/` with another ending,
/// an example's file that is neither cart, order nor refusal, and a sheet or a folder with other capitals in its name. Leftovers of programs whose names begin with `.` or `~$` are not
/// among them.
pub fn ignored_files(directory: &Path) -> Vec<String> {
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let is_other = |name: &String| {
        let is_like = |known: &str| name != known && name.eq_ignore_ascii_case(known);
        [SHEET, TABLES, EXAMPLES].into_iter().any(is_like)
    };
    let mut ignored: Vec<String> = names(directory).into_iter().filter(is_other).collect();
    for folder in [TABLES, EXAMPLES] {
        for name in names(&directory.join(folder)) {
            let is_leftover = LEFTOVER_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            let is_read = if folder == TABLES {
                table_name(&format!("{folder}/{name}")).is_some()
            } else {
                split_name(&name).is_some()
            };
            if !is_leftover && !is_read {
                ignored.push(format!("{folder}/{name}"));
            }
        }
    }
    ignored.sort();
    ignored
}

fn table_name(file: &str) -> Option<&str> {
    file.strip_prefix(TABLES)?.strip_prefix('/')?.strip_suffix(".csv")
}

fn file_names(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let is_leftover = LEFTOVER_PREFIXES.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()));
        let name = PathBuf::from(name);
        if !is_leftover && name.extension().is_some_and(|found| found == extension) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    // The reading of a named pipe would wait for ever.
    if !metadata.is_file() {
        return Err("expected a regular file".to_owned());
    }
    let size = metadata.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("{size} bytes; expected at most {MAX_FILE_BYTES}"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, each with some text.
    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        folder
    }

    const OWN: [&str; 4] =
        ["purchase-order.csv", "tables/regions.csv", "examples/a.cart.json", "examples/a.order.json"];

    #[test]
    fn leftovers_of_programs_are_no_part_of_the_folder() {
        let folder = folder_with(&OWN);
        let before = Folder::read(folder.path()).unwrap();
        assert_eq!(before.files.keys().map(String::as_str).collect::<Vec<_>>(), {
            let mut own = OWN;
            own.sort_unstable();
            own
        });
        for leftover in [
            "._purchase-order.csv",
            ".DS_Store",
            "tables/._regions.csv",
            "tables/~$regions.csv",
            "tables/.~lock.regions.csv#",
            "tables/.#regions.csv",
            "tables/#regions.csv#",
            "tables/.regions.csv",
            "tables/.regions.csv.swp",
            "tables/regions.csv~",
            "tables/regions.csv.bak",
            "tables/Thumbs.db",
            "tables/desktop.ini",
            "examples/._a.cart.json",
            "examples/~$a.order.json",
        ] {
            // No text: resource forks and lock files are binary.
            fs::write(folder.path().join(leftover), b"\x00\x05\x16\x07\xff").unwrap();
            let found = Folder::read(folder.path());
            assert_eq!(found.as_ref(), Ok(&before), "{leftover}: a change of it is no change of the folder");
        }
        fs::create_dir(folder.path().join("tables/.git.csv")).unwrap();
        assert_eq!(Folder::read(folder.path()), Ok(before), "a hidden folder");
    }

    #[test]
    fn every_other_file_counts() {
        let folder = folder_with(&OWN);
        for own in ["tables/~regions.csv", "tables/a.b.csv", "tables/Copy of regions.csv", "examples/b.cart.json"] {
            fs::write(folder.path().join(own), "text").unwrap();
            assert!(Folder::read(folder.path()).unwrap().files.contains_key(own), "{own}");
        }
        fs::write(folder.path().join("tables/binary.csv"), b"\xff").unwrap();
        let defects = Folder::read(folder.path()).unwrap().unreadable;
        assert_eq!(defects.keys().collect::<Vec<_>>(), ["tables/binary.csv"], "a table that is no text is a defect");
    }

    #[test]
    fn a_config_map_is_read_through_its_links() {
        let folder = folder_with(&["..2026_11_28/purchase-order.csv", "..2026_11_28/tables/regions.csv"]);
        for (link, target) in [
            ("..data", "..2026_11_28"),
            ("purchase-order.csv", "..data/purchase-order.csv"),
            ("tables", "..data/tables"),
        ] {
            std::os::unix::fs::symlink(target, folder.path().join(link)).unwrap();
        }
        let files = Folder::read(folder.path()).unwrap().files;
        assert_eq!(files.keys().collect::<Vec<_>>(), ["purchase-order.csv", "tables/regions.csv"]);

        // A ConfigMap of tables alone has its own `..data`.
        let tables = folder_with(&["purchase-order.csv", "tables/..2026_11_28/regions.csv"]);
        std::os::unix::fs::symlink("..2026_11_28", tables.path().join("tables/..data")).unwrap();
        std::os::unix::fs::symlink("..data/regions.csv", tables.path().join("tables/regions.csv")).unwrap();
        let files = Folder::read(tables.path()).unwrap().files;
        assert_eq!(files.keys().collect::<Vec<_>>(), ["purchase-order.csv", "tables/regions.csv"]);
    }

    #[test]
    fn what_is_no_regular_file_is_a_defect_and_is_not_waited_for() {
        let folder = folder_with(&OWN);
        fs::create_dir(folder.path().join("tables/folder.csv")).unwrap();
        let pipe = folder.path().join("tables/pipe.csv");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let found = Folder::read(folder.path()).unwrap();
        let lines: Vec<String> = found.unreadable().map(ToString::to_string).collect();
        assert_eq!(found.unreadable_tables().collect::<Vec<_>>(), ["folder", "pipe"]);
        assert_eq!(lines, ["tables/folder.csv: expected a regular file", "tables/pipe.csv: expected a regular file"]);
    }

    #[test]
    fn a_sheet_or_a_folder_with_other_capitals_is_told() {
        let files = ["Purchase-Order.csv", "purchase-order.csv", "Tables/a.csv", "tables/a.CSV", "notes.txt"];
        let folder = folder_with(&files);
        assert_eq!(ignored_files(folder.path()), ["Purchase-Order.csv", "Tables", "tables/a.CSV"]);
    }
}

//! The shipped sheet and tables, opened and saved by LibreOffice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use purchase_order_webhook::mapping::{Amounts, Folder, Mapping};
use tempfile::TempDir;

/// An import as an analyst is told to do it: every column is a text.
const AS_TEXT: &str = "Text - txt - csv (StarCalc):44,34,76,1,1/2/2/2/3/2/4/2/5/2";

/// An import by a double click: LibreOffice guesses what is a number.
const BY_GUESS: &str = "Text - txt - csv (StarCalc):44,34,76,1";

/// How files are saved: separator, quotation mark, character set (76 is UTF-8, 65535 UTF-16), and whether every text is quoted.
const SAVED: [(&str, &str); 4] = [
    ("semicolons, UTF-8", "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false"),
    ("tabs, UTF-16", "csv:Text - txt - csv (StarCalc):9,34,65535,1,,0,false"),
    ("commas, every text quoted", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true"),
    ("semicolons, every text quoted, as shown", "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,true,true"),
];

/// LibreOffice with a profile of its own. `None`, said loudly, where it is not installed; on CI that is a failure.
struct LibreOffice(TempDir);

impl LibreOffice {
    fn find() -> Option<Self> {
        if Command::new("soffice").arg("--version").output().is_ok() {
            return Some(Self(tempfile::tempdir().unwrap()));
        }
        let text =
            "NOT RUN: LibreOffice is not installed (Debian: apt-get install --no-install-recommends libreoffice-calc)";
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        eprintln!("{text}");
        None
    }

    /// Opens files and saves them in a new folder.
    fn convert(&self, import: Option<&str>, format: &str, files: &[PathBuf]) -> TempDir {
        let saved = tempfile::tempdir().unwrap();
        let mut command = Command::new("soffice");
        command.args(["--headless", "--norestore", "--nolockcheck"]).env("HOME", self.0.path());
        command.arg(format!("-env:UserInstallation=file://{}/profile", self.0.path().display()));
        command.args(import.map(|import| format!("--infilter={import}")));
        let output = command.args(["--convert-to", format, "--outdir"]).arg(saved.path()).args(files).output().unwrap();
        let count = fs::read_dir(saved.path()).unwrap().count();
        assert_eq!(count, files.len(), "{}", String::from_utf8_lossy(&output.stderr));
        saved
    }
}

/// The sheet and the tables of the repository.
fn shipped_files() -> Vec<PathBuf> {
    let tables = fs::read_dir("mapping/tables").unwrap().map(|entry| entry.unwrap().path());
    tables.chain([PathBuf::from("mapping/purchase-order.csv")]).collect()
}

/// The files that LibreOffice saved, with the shipped examples.
fn folder_of(saved: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tables")).unwrap();
    fs::create_dir(folder.path().join("examples")).unwrap();
    for entry in fs::read_dir(saved).unwrap() {
        let name = entry.unwrap().file_name();
        let place = if name == "purchase-order.csv" {
            folder.path().join(&name)
        } else {
            folder.path().join("tables").join(&name)
        };
        fs::copy(saved.join(&name), place).unwrap();
    }
    for entry in fs::read_dir("mapping/examples").unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join("examples").join(path.file_name().unwrap())).unwrap();
    }
    folder
}

/// The warnings of a folder, and the examples that become another order.
fn checked(saved: &Path) -> (Vec<String>, Vec<String>) {
    let files = folder_of(saved);
    let folder = Folder::read(files.path()).unwrap();
    let mapping = Mapping::compile(&folder, Amounts::Unshifted).unwrap();
    let texts = |defects: &[purchase_order_webhook::mapping::Defect]| defects.iter().map(ToString::to_string).collect();
    (texts(mapping.warnings()), texts(&mapping.compare_examples(&folder).defects()))
}

#[test]
fn what_libreoffice_saves_maps_all_examples_alike() {
    let Some(office) = LibreOffice::find() else { return };
    for (name, format) in SAVED {
        let saved = office.convert(Some(AS_TEXT), format, &shipped_files());
        assert_eq!(checked(saved.path()), (Vec::new(), Vec::new()), "{name}");
    }
    let workbooks = office.convert(Some(AS_TEXT), "ods", &shipped_files());
    let files: Vec<PathBuf> = fs::read_dir(workbooks.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let saved = office.convert(None, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false", &files);
    assert_eq!(checked(saved.path()), (Vec::new(), Vec::new()), "a workbook in between");
}

#[test]
fn zeros_that_libreoffice_drops_are_named() {
    let Some(office) = LibreOffice::find() else { return };
    let saved = office.convert(Some(BY_GUESS), SAVED[0].1, &shipped_files());
    let (warnings, differing) = checked(saved.path());
    let expected = "tables/regions.csv line 2, column region: did a spreadsheet drop the zero? \"1\" is shorter";
    assert!(warnings.iter().any(|warning| warning.starts_with(expected)), "{warnings:#?}");
    let twin = "did a spreadsheet drop the zero? \"DE\" + \"08\" is not there, \"DE\" + \"8\" is";
    assert!(differing.iter().any(|defect| defect.contains(twin)), "{differing:#?}");
}

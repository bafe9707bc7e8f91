//! No snapshot is left over: each file is named by a test.

use std::fs;
use std::path::{Path, PathBuf};

use crate::snapshot_files::folder;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn every_snapshot_is_named_by_a_test() {
    let tests = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    let tests = tests.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let tests: String = tests.map(|path| fs::read_to_string(path).unwrap()).collect();
    let snapshots = files_below(&folder());
    assert!(!snapshots.is_empty());
    let names = snapshots.iter().map(|path| path.strip_prefix(folder()).unwrap().display().to_string());
    let unused: Vec<String> = names.filter(|name| !tests.contains(&format!("\"{name}\""))).collect();
    assert!(unused.is_empty(), "no test names {unused:?} of tests/snapshots; remove them");
}

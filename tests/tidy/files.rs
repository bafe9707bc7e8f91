//! Every module is documented and declared, every file has a reader, and no document names a file that is gone.

use crate::texts::{Text, repository};
use crate::{Finding, assert_none, lines};

/// Folders whose every file has to be named somewhere else.
const WITH_READERS: [&str; 8] =
    ["docs/", "examples/", "fuzz/fuzz_targets/", "openapi/", "scripts/", "src/", "templates/", "tests/"];

/// The history may name what is gone.
const HISTORY: &str = "CHANGELOG.md";

fn undocumented(file: &Text) -> Option<Finding> {
    (!file.text.starts_with("//!"))
        .then(|| Finding::new(&file.path, 1, "a file begins with //!: what it owns or proves"))
}

#[test]
fn every_module_and_every_test_file_begins_with_its_description() {
    let files = repository();
    let owned = |file: &&Text| ["src/", "tests/", "benches/"].iter().any(|folder| file.path.starts_with(folder));
    let findings: Vec<_> = files.iter().filter(|file| file.is_rust()).filter(owned).filter_map(undocumented).collect();
    assert_none(&findings);
}

/// A program, a test or a bench that Cargo finds by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["src", "lib.rs" | "main.rs"] | ["tests", _, "main.rs"] => true,
        ["tests" | "benches" | "fuzz", file] => file.ends_with(".rs"),
        _ => false,
    }
}

/// The files that may declare the module in `path`: the parent, or a `#[path]` anywhere.
fn is_declared(path: &str, files: &[Text]) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let stem = name.trim_end_matches(".rs");
    let parents = [format!("{folder}.rs"), format!("{folder}/main.rs"), format!("{folder}/lib.rs")];
    files.iter().filter(|file| file.is_rust()).any(|file| {
        let by_name = parents.contains(&file.path) && file.text.lines().any(|line| declares(line, stem));
        let by_path = |line: &str| {
            line.strip_prefix("#[path = \"").is_some_and(|named| {
                named
                    .trim_start_matches("../")
                    .starts_with(&format!("{}\"]", path.trim_start_matches("tests/").trim_start_matches("benches/")))
            })
        };
        by_name || file.text.lines().any(by_path)
    })
}

fn declares(line: &str, stem: &str) -> bool {
    let line = line.trim();
    line.strip_suffix(&format!("mod {stem};")).is_some_and(|before| before.is_empty() || before.ends_with(' '))
}

/// Whether a text names a file: by its path, by a path from some folder on, or by its name alone if that has an ending.
fn names(text: &str, path: &str) -> bool {
    let within_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_named = |suffix: &str| {
        text.match_indices(suffix).any(|(at, _)| {
            let after = &text[at + suffix.len()..];
            let ends_sentence = after.starts_with(". ") || after.starts_with(".\n");
            !text[..at].ends_with(within_name) && (ends_sentence || !after.starts_with(within_name))
        })
    };
    let starts = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
    starts.map(|at| &path[at..]).any(|suffix| (suffix == path || suffix.contains('.')) && is_named(suffix))
}

fn unread(files: &[Text]) -> Vec<Finding> {
    let sheet = files.iter().find(|file| file.path == "mapping/purchase-order.csv").map_or("", |file| &file.text);
    let has_reader = |file: &Text| {
        if file.is_rust() && !file.path.starts_with("fuzz/") {
            return is_root(&file.path) || is_declared(&file.path, files);
        }
        if let Some(table) = file.path.strip_prefix("mapping/tables/") {
            let name = table.trim_end_matches(".csv");
            let in_code = |other: &Text| other.is_rust() && other.text.contains(&format!("\"{name}\""));
            return sheet.contains(&format!("table:{name},")) || files.iter().any(in_code);
        }
        files.iter().any(|other| other.path != file.path && names(&other.text, &file.path))
    };
    let wanted = |file: &&Text| {
        file.path.starts_with("mapping/tables/") || WITH_READERS.iter().any(|folder| file.path.starts_with(folder))
    };
    let unread = files.iter().filter(wanted).filter(|file| !has_reader(file));
    unread.map(|file| Finding::new(&file.path, 1, "nothing declares, includes or names this file")).collect()
}

#[test]
fn every_file_has_a_reader() {
    assert_none(&unread(&repository()));
}

/// The Rust files in backticks and the links of a document that lead nowhere.
fn dead_references(document: &Text, files: &[Text]) -> Vec<Finding> {
    let exists = |name: &str| files.iter().any(|file| file.path == name || file.path.ends_with(&format!("/{name}")));
    let mut findings = Vec::new();
    for (at, line) in document.text.lines().enumerate() {
        let rust = line.split('`').skip(1).step_by(2).filter(|code| {
            code.ends_with(".rs")
                && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_/.".contains(c))
        });
        let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let links = links.map(|link| link.split('#').next().unwrap().trim_end_matches('/'));
        let links = links.filter(|link| !link.is_empty() && !link.contains(':'));
        let is_folder = |name: &str| files.iter().any(|file| file.path.contains(&format!("{name}/")));
        for name in rust.chain(links) {
            let name = name.trim_start_matches("../");
            let is_placeholder = name.starts_with("foo") || name == "LICENSE";
            if !exists(name) && !is_folder(name) && !is_placeholder {
                findings.push(Finding::new(&document.path, at + 1, format!("{name} does not exist")));
            }
        }
    }
    findings
}

#[test]
fn documents_name_files_that_exist() {
    let files = repository();
    let documents = files.iter().filter(|file| file.path.ends_with(".md") && file.path != HISTORY);
    let findings: Vec<_> = documents.flat_map(|document| dead_references(document, &files)).collect();
    assert_none(&findings);
}

#[test]
fn the_checkers_find_files_without_description_declaration_or_reader() {
    assert!(undocumented(&Text::new("src/a.rs", "use b;\n//! Late.")).is_some());
    assert!(undocumented(&Text::new("src/a.rs", "//! Owns a.")).is_none());
    let files = [
        ("src/lib.rs", "pub mod a;\nmod unlike_b;"),
        ("src/a.rs", "#[cfg(test)]\nmod tests;\nconst TABLE: &str = \"in-code\";"),
        ("src/a/tests.rs", ""),
        ("src/b.rs", ""),
        ("src/a/0001_orders.sql", ""),
        ("tests/api/main.rs", "#[path = \"../support/ca.rs\"]\nmod ca;\nmod answers;"),
        ("tests/api/answers.rs", ""),
        ("tests/api/forgotten.rs", ""),
        ("tests/support/ca.rs", ""),
        ("mapping/purchase-order.csv", "unit,ITEM.UNIT,table:units,refuse,"),
        ("mapping/tables/units.csv", ""),
        ("mapping/tables/in-code.csv", ""),
        ("mapping/tables/unit.csv", ""),
        ("docs/guide.md", "run scripts/test-helm. It is [here](../docs/operations.md)"),
        ("docs/operations.md", "docs/operations.md names itself, and guide.md"),
        ("scripts/test", ""),
        ("scripts/test-helm", ""),
    ];
    let files: Vec<Text> = files.iter().map(|(path, text)| Text::new(path, text)).collect();
    let found: Vec<String> = unread(&files).into_iter().map(|finding| finding.path).collect();
    let expected =
        ["src/b.rs", "src/a/0001_orders.sql", "tests/api/forgotten.rs", "mapping/tables/unit.csv", "scripts/test"];
    assert_eq!(found, expected);
    let document =
        Text::new("README.md", "`a.rs`, `src/gone.rs`,\n[a](docs/guide.md#x), [b](docs/gone.md), [c](https://x)");
    assert_eq!(
        lines(&dead_references(&document, &files)),
        [(1, "src/gone.rs does not exist"), (2, "docs/gone.md does not exist")]
    );
}

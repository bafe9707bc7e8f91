//! The module directions that ARCHITECTURE.md states, held against the imports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Directions = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced block `directions` of ARCHITECTURE.md: `module -> a, b`.
fn stated() -> Directions {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text
        .split("```directions\n")
        .nth(1)
        .expect("ARCHITECTURE.md states the directions")
        .split("```")
        .next()
        .unwrap();
    block
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (module, uses) = line.split_once("->").expect("module -> a, b");
            let uses = uses.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "nothing");
            (module.trim().to_owned(), uses.map(str::to_owned).collect())
        })
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What a file uses of the crate, its test module aside.
fn uses(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let mut modules = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap();
            modules.extend(group.split(',').map(|part| part.trim().split("::").next().unwrap().to_owned()));
        } else {
            modules.insert(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    modules
}

fn found() -> Directions {
    let src = root().join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut directions = Directions::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let module =
            relative.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let is_test = file.file_stem().is_some_and(|stem| stem == "tests");
        if !matches!(module.as_str(), "main" | "lib") && !is_test {
            let text = fs::read_to_string(&file).unwrap();
            let mut used = uses(&text);
            used.remove(&module);
            directions.entry(module).or_default().extend(used);
        }
    }
    directions
}

#[test]
fn the_imports_are_what_architecture_md_says() {
    let (stated, found) = (stated(), found());
    for (module, used) in &found {
        let allowed = stated.get(module).unwrap_or_else(|| panic!("ARCHITECTURE.md does not speak of {module}"));
        assert_eq!(used, allowed, "{module}: what it uses, and what ARCHITECTURE.md says");
    }
    assert_eq!(stated.len(), found.len(), "ARCHITECTURE.md speaks of a module that is gone");
}

#[test]
fn the_pure_rooms_stay_pure() {
    let found = found();
    let impure = ["app", "auth", "cli", "config", "http", "ledger", "relay", "sandbox", "telemetry", "vms"];
    for pure in ["cart", "message", "order", "digest"] {
        for other in impure {
            assert!(!found[pure].contains(other), "{pure} uses {other}");
        }
    }
    for other in ["http", "config", "sandbox", "app", "auth"] {
        assert!(!found["relay"].contains(other), "relay uses {other}");
    }
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    for file in files {
        let shown = file.strip_prefix(root().join("src")).unwrap().display().to_string();
        let room = shown.split(['/', '.']).next().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let foreign: &[&str] = match room {
            "cart" | "message" | "order" | "digest" => {
                &["tokio", "reqwest", "rusqlite", "axum", "tracing", "std::fs", "std::env"]
            }
            "mapping" if shown != "mapping/live.rs" => &["tokio", "reqwest", "rusqlite", "axum", "tracing", "std::env"],
            "relay" => &["reqwest", "rusqlite", "axum", "std::fs", "std::env"],
            "ledger" | "vms" => &["axum", "std::env"],
            _ => &[],
        };
        for name in foreign {
            assert!(
                !text.contains(&format!("use {name}")) && !text.contains(&format!(" {name}::")),
                "{shown} uses {name}"
            );
        }
    }
}

#[test]
fn no_room_is_crowded() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
    }
}

//! The imports of `src/` are those that ARCHITECTURE.md states: between rooms, between files, and without a circle.
//!
//! Imports are read as text; whether a room does what it should is not tested here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "support/sources.rs"]
mod sources;
#[path = "support/texts.rs"]
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sources::{Imports, Source, imports, sources};
use texts::root;

/// A room and the rooms that it uses, from the ground up.
type Directions = Vec<(String, BTreeSet<String>)>;

/// The fenced block `directions` of ARCHITECTURE.md: `room -> a, b`, each line above those that use it.
fn stated() -> Directions {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let block = text.split("```directions\n").nth(1).expect("ARCHITECTURE.md states the directions");
    let lines = block.split("```").next().unwrap().lines().filter(|line| !line.trim().is_empty());
    let direction = |line: &str| {
        let (room, uses) = line.split_once("->").expect("room -> a, b");
        let uses = uses.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "nothing");
        (room.trim().to_owned(), uses.map(str::to_owned).collect())
    };
    lines.map(direction).collect()
}

/// The rooms that each room imports from.
fn found(files: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let mut directions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let imports = imports(files);
    for file in files {
        let used = directions.entry(file.room().to_owned()).or_default();
        used.extend(imports[file.name.as_str()].iter().map(|import| import.room().to_owned()));
        used.remove(file.room());
    }
    directions
}

#[test]
fn the_imports_are_what_architecture_md_says() {
    let (stated, found) = (stated(), found(&sources()));
    for (room, used) in &found {
        let (_, allowed) = stated
            .iter()
            .find(|(name, _)| name == room)
            .unwrap_or_else(|| panic!("ARCHITECTURE.md does not speak of {room}, which uses {used:?}"));
        assert_eq!(used, allowed, "{room}: what it uses, and what ARCHITECTURE.md says");
    }
    assert_eq!(stated.len(), found.len(), "ARCHITECTURE.md speaks of a room that is gone");
}

/// Rooms, and what they use at most or never, whatever ARCHITECTURE.md says.
#[test]
fn the_core_knows_nothing_of_the_outside() {
    const PURE: [&str; 8] = ["cart", "clock", "condition", "digest", "mapping", "message", "order", "reload"];
    const OUTSIDE: [&str; 10] =
        ["api", "app", "auth", "cli", "config", "edge", "outbound", "pages", "sandbox", "server"];
    for (room, used) in found(&sources()) {
        let wrong: Vec<&String> = match room.as_str() {
            name if PURE.contains(&name) => used.iter().filter(|other| !PURE.contains(&other.as_str())).collect(),
            "relay" | "intake" | "ledger" => used.iter().filter(|other| OUTSIDE.contains(&other.as_str())).collect(),
            "vms" => used.iter().filter(|other| ["ledger", "relay", "api"].contains(&other.as_str())).collect(),
            _ => Vec::new(),
        };
        assert!(wrong.is_empty(), "{room} uses {wrong:?}");
    }
}

#[test]
fn no_room_imports_from_one_above_it() {
    let mut below = BTreeSet::new();
    for (room, used) in stated() {
        for other in used {
            assert!(below.contains(&other), "{room} uses {other}, which does not stand below it in ARCHITECTURE.md");
        }
        below.insert(room);
    }
}

/// A path of imports from `file` back to itself, without `file` at its end.
fn circle<'f>(file: &'f str, imports: &Imports<'f>) -> Option<Vec<&'f str>> {
    let mut paths = vec![vec![file]];
    let mut visited = BTreeSet::new();
    while let Some(path) = paths.pop() {
        for next in &imports[path.last().unwrap()] {
            if next.name == file {
                return Some(path);
            }
            if visited.insert(&next.name) {
                paths.push([path.clone(), vec![next.name.as_str()]].concat());
            }
        }
    }
    None
}

#[test]
fn no_files_import_from_each_other_in_a_circle() {
    let files = sources();
    let imports = imports(&files);
    let mut circles: Vec<Vec<&str>> = files.iter().filter_map(|file| circle(&file.name, &imports)).collect();
    for circle in &mut circles {
        circle.sort_unstable();
    }
    let circles: BTreeSet<String> = circles.iter().map(|circle| circle.join(" <-> ")).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_pure_rooms_stay_pure() {
    for file in sources() {
        let foreign: &[&str] = match file.room() {
            "cart" | "message" | "order" | "digest" => {
                &["tokio", "reqwest", "rusqlite", "axum", "tracing", "std::fs", "std::env"]
            }
            "mapping" if !matches!(file.name.as_str(), "mapping/live.rs" | "mapping/folder.rs") => {
                &["tokio", "reqwest", "rusqlite", "axum", "tracing", "std::fs", "std::env"]
            }
            "mapping" => &["reqwest", "rusqlite", "axum", "std::env"],
            "relay" | "intake" => &["reqwest", "rusqlite", "axum", "std::fs", "std::env"],
            "ledger" | "vms" => &["axum", "std::env"],
            _ => &[],
        };
        for name in foreign {
            let used = file.code.contains(&format!("use {name}")) || file.code.contains(&format!(" {name}::"));
            assert!(!used, "{} uses {name}", file.name);
        }
    }
}

#[test]
fn the_reader_of_imports_sees_groups_reexports_and_inline_paths() {
    let file = |name: &str, code: &str| Source::new(name, code);
    let files = [
        file("a.rs", "mod inner;\npub use inner::Thing;\npub struct Own;"),
        file("a/inner.rs", "pub struct Thing;"),
        file("b.rs", "use crate::{a::{Own, Thing}, c};\n"),
        file("c.rs", "fn f() -> crate::a::Thing {}\n"),
        file("c/part.rs", "use super::f;\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n"),
        file("d.rs", "pub mod part;\nfn f() {\n    part::go(other_part::x());\n}\n"),
        file("d/part.rs", "use super::super::c::part::g;\n"),
    ];
    let imports = imports(&files);
    let names = |at: usize| imports[files[at].name.as_str()].iter().map(|file| file.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names(0), Vec::<&str>::new(), "a re-export is a name, not a use");
    assert_eq!(names(2), ["a.rs", "a/inner.rs", "c.rs"]);
    assert_eq!(names(3), ["a/inner.rs"]);
    assert_eq!(names(4), ["c.rs"]);
    assert_eq!(names(5), ["d/part.rs"]);
    assert_eq!(names(6), ["c/part.rs"]);
}

//! The repository's text files, and Rust without its comments and strings. Nothing is compiled or expanded.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::case_sensitive_file_extension_comparisons, reason = "files here are named in small letters")]

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder with one of the endings, by its path from the repository's folder, sorted.
pub fn files_below(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.retain(|path| path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)));
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// Folders with committed files.
const FOLDERS: [&str; 13] = [
    ".ci",
    ".config",
    "benches",
    "docs",
    "examples",
    "fuzz",
    "helm",
    "mapping",
    "openapi",
    "scripts",
    "src",
    "templates",
    "tests",
];

/// Committed files at the root. A developer's own settings and notes are not read.
const ROOT_FILES: [&str; 12] = [
    ".dockerignore",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.toml",
    "Dockerfile",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "config.example.toml",
    "deny.toml",
];

/// A committed text file.
#[derive(Debug)]
pub struct Text {
    /// Path from the repository's folder, such as `src/relay.rs`.
    pub path: String,
    pub text: String,
}

impl Text {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The line, counted from 1, of a byte of the text.
    pub fn line_of(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }
}

/// Every committed text file, sorted by path. Seeds of the fuzz targets are bytes, and left out.
pub fn repository() -> Vec<Text> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            match (path.is_dir(), name) {
                // Made by tools: see fuzz/.gitignore. `src/config/target` is a module.
                (true, "artifacts" | "coverage" | "corpus" | "node_modules" | "__pycache__") => {}
                (true, "target") if !path.starts_with(root().join("src")) => {}
                (true, _) => walk(&path, found),
                (false, _) => found.push(path),
            }
        }
    }
    let mut found: Vec<PathBuf> = ROOT_FILES.iter().map(|name| root().join(name)).collect();
    for folder in FOLDERS {
        walk(&root().join(folder), &mut found);
    }
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    found
        .iter()
        .map(|path| Text {
            path: name(path),
            text: fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        })
        .collect()
}

/// Rust with blanks in place of comments, strings and characters. Every byte keeps its position.
pub fn masked(code: &str) -> String {
    let mut masked = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => 1 + quoted_length(&rest[1..]),
            'r' if !masked.ends_with(|before: char| before.is_alphanumeric() || before == '_') => raw_length(rest),
            'b' if rest.starts_with("br") && !masked.ends_with(|before: char| before.is_alphanumeric()) => {
                1 + raw_length(&rest[1..])
            }
            '\'' => char_length(rest),
            _ => 0,
        };
        if length > 1 {
            masked.extend(
                rest[..length].chars().map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) }),
            );
            rest = &rest[length..];
        } else {
            masked.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    masked
}

/// The length of a string behind its opening quote, the closing one included.
fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw string; 0 where there is none.
fn raw_length(text: &str) -> usize {
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    let start = 1 + hashes;
    if !text[start..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[start + 1..].find(&end).map_or(text.len(), |at| start + 1 + at + end.len())
}

/// The length of a character's literal; 0 for a lifetime.
fn char_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => chars.skip(1).find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

//! The files of `src/` and their imports, read as text. An import that a macro makes is not seen.

use std::collections::BTreeMap;

use crate::texts::files_below;

/// A file of `src/`, without its tests.
#[derive(Debug)]
pub struct Source {
    /// Path from `src/`, such as `relay/waiters.rs`.
    pub name: String,
    /// The text above its test module.
    pub code: String,
    /// Every path in the code that leads into the crate.
    paths: Vec<CratePath>,
}

/// The files that each file imports from, by name.
pub type Imports<'f> = BTreeMap<&'f str, Vec<&'f Source>>;

/// The imports between files. A module that lends names of its own parts (`pub use`) does not import from them.
pub fn imports(files: &[Source]) -> Imports<'_> {
    let by_module: BTreeMap<String, &Source> = files.iter().map(|file| (file.module().join("::"), file)).collect();
    files.iter().map(|file| (file.name.as_str(), file.imports(&by_module))).collect()
}

/// Every file of `src/` but `lib.rs`, `main.rs` and tests.
pub fn sources() -> Vec<Source> {
    let files = files_below("src", &["rs"]).into_iter();
    let sources = files.map(|(name, text)| Source::new(name.strip_prefix("src/").unwrap(), &text));
    sources
        .filter(|file| !matches!(file.name.as_str(), "lib.rs" | "main.rs") && !file.name.ends_with("tests.rs"))
        .filter(|file| !file.name.contains("/tests/"))
        .collect()
}

impl Source {
    pub fn new(name: &str, text: &str) -> Self {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let mut source = Self { name: name.to_owned(), code: code.to_owned(), paths: Vec::new() };
        source.paths = source.read_paths();
        source
    }

    /// The top-level module that the file belongs to.
    pub fn room(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }

    /// The module's path from the crate's root.
    fn module(&self) -> Vec<&str> {
        self.name.trim_end_matches(".rs").split('/').collect()
    }

    /// The files that this one imports from, sorted by name.
    fn imports<'f>(&self, by_module: &BTreeMap<String, &'f Self>) -> Vec<&'f Self> {
        let used = self.paths.iter().filter(|path| !(path.lends && self.is_own(path)));
        let files = used.filter_map(|path| resolve(&path.segments, by_module));
        let mut found: Vec<&Self> = files.filter(|file| file.name != self.name).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found.dedup_by(|one, other| one.name == other.name);
        found
    }

    /// Whether a path leads into this module.
    fn is_own(&self, path: &CratePath) -> bool {
        path.segments.iter().map(String::as_str).take(self.module().len()).eq(self.module())
    }

    /// Every path in the code that leads into the crate, from its root.
    fn read_paths(&self) -> Vec<CratePath> {
        let module = self.module();
        let mut paths = Vec::new();
        for line in statements(&self.code) {
            let lends = line.starts_with("pub use ") || line.starts_with("pub(super) use ");
            for (at, start) in starts(&line) {
                let base: Vec<&str> = match start {
                    "crate::" => Vec::new(),
                    _ => module[..module.len() - 1].to_vec(),
                };
                // Inside of `super::super::`, the first one speaks for both.
                if start == "super::" && line[..at].ends_with("super::") {
                    continue;
                }
                paths.extend(expand(&base, &line[at + start.len()..], lends));
            }
            // Paths that begin with the name of a part of this module, in a `use` or in the code.
            for part in self.parts() {
                let base: Vec<&str> = module.iter().copied().chain([part]).collect();
                let start = format!("{part}::");
                let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
                let found = line.match_indices(&start).filter(|(at, _)| begins(*at));
                paths.extend(found.flat_map(|(at, _)| expand(&base, &line[at + start.len()..], lends)));
            }
        }
        paths
    }

    /// The names of the module's parts.
    fn parts(&self) -> Vec<&str> {
        let declared = self.code.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
        declared.filter_map(|rest| rest.strip_suffix(';')).collect()
    }

    /// The path of an item that the file lends.
    fn lent(&self, item: &str) -> Option<&[String]> {
        let mut lent = self.paths.iter().filter(|path| path.lends).map(|path| path.segments.as_slice());
        lent.find(|path| path.last().is_some_and(|last| last == item))
    }
}

/// A path from the crate's root.
#[derive(Debug)]
struct CratePath {
    segments: Vec<String>,
    /// The path is that of a `pub use`.
    lends: bool,
}

/// The code with comments and texts left out, cut at semicolons and braces of blocks: one `use` each.
fn statements(code: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let text = lines.join(" ");
    text.split(';')
        .map(|statement| {
            // Attributes, and the code before a `use`, are not part of it.
            let at = ["pub use ", "pub(super) use ", "use "]
                .iter()
                .filter_map(|word| {
                    statement.rfind(word).filter(|at| statement[..*at].ends_with([' ', '}', ']']) || *at == 0)
                })
                .min();
            at.map_or(statement, |at| &statement[at..]).trim().to_owned()
        })
        .collect()
}

fn starts(line: &str) -> Vec<(usize, &'static str)> {
    ["crate::", "super::"].iter().flat_map(|start| line.match_indices(start).map(|(at, _)| (at, *start))).collect()
}

/// The paths that begin with `base` and continue with the text, groups expanded.
fn expand(base: &[&str], text: &str, lends: bool) -> Vec<CratePath> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        return members(group).iter().flat_map(|member| expand(base, member, lends)).collect();
    }
    if let Some(rest) = text.strip_prefix("super::") {
        return expand(&base[..base.len().saturating_sub(1)], rest, lends);
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let path: Vec<&str> = base.iter().copied().chain([&text[..end]]).collect();
    match text[end..].strip_prefix("::") {
        Some(rest) if rest.starts_with(|c: char| c.is_alphabetic() || c == '{' || c == '_') => {
            expand(&path, rest, lends)
        }
        _ => vec![CratePath { segments: path.iter().map(|segment| (*segment).to_owned()).collect(), lends }],
    }
}

/// The members of a group, up to its closing brace.
fn members(group: &str) -> Vec<String> {
    let mut members = vec![String::new()];
    let mut depth = 0;
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => members.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                members.last_mut().unwrap().push(c);
            }
        }
    }
    members.into_iter().map(|member| member.trim().to_owned()).filter(|member| !member.is_empty()).collect()
}

/// The file in which the item at the end of a path is defined; `None` for a path that leads out of the crate.
fn resolve<'f>(segments: &[String], files: &BTreeMap<String, &'f Source>) -> Option<&'f Source> {
    let longest = (1..=segments.len()).rev().find(|length| files.contains_key(&segments[..*length].join("::")))?;
    let file = files[&segments[..longest].join("::")];
    match segments.get(longest).and_then(|item| file.lent(item)) {
        Some(source) if source != segments => resolve(source, files),
        _ => Some(file),
    }
}

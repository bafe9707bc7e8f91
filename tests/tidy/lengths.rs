//! A function has at most 70 lines and a file at most 400, in tests, benches and fuzz targets as in `src/`.

use crate::texts::{Text, masked, repository};
use crate::{Finding, assert_none, lines};

/// As `clippy.toml` has it, which does not lint every target.
const FUNCTION_LINES: usize = 70;

/// The length that a reader keeps an overview of.
const FILE_LINES: usize = 400;

fn too_long(file: &Text) -> Vec<Finding> {
    let code = masked(&file.text);
    let mut findings = Vec::new();
    let count = file.text.lines().count();
    if count > FILE_LINES {
        findings.push(Finding::new(&file.path, count, format!("{count} lines; a file has at most {FILE_LINES}")));
    }
    for (start, _) in code.match_indices("fn ").filter(|(at, _)| is_item(&code, *at)) {
        let Some((open, close)) = body(&code, start) else { continue };
        let body = file.text[open..close].lines().skip(1).map(str::trim);
        let lines = body.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        if lines > FUNCTION_LINES {
            let name = code[start + 3..].split(['(', '<']).next().unwrap();
            let text = format!("{name} has {lines} lines; a function has at most {FUNCTION_LINES}");
            findings.push(Finding::new(&file.path, file.line_of(start), text));
        }
    }
    findings
}

/// Whether an `fn` begins a function, and is no pointer's type.
fn is_item(code: &str, at: usize) -> bool {
    let line = code[..at].rsplit('\n').next().unwrap();
    let words = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "default"];
    line.split_whitespace().all(|word| words.contains(&word))
}

/// Where the body of the function that begins at `start` opens and closes; `None` for a declaration.
fn body(code: &str, start: usize) -> Option<(usize, usize)> {
    let open = start + signature_end(&code[start..])?;
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            ';' if depth == 0 => return None,
            '{' => depth += 1,
            '}' if depth == 1 => return Some((open, open + at)),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Where a signature ends: at the brace or semicolon outside of its brackets, which may contain `[u8; 32]`.
fn signature_end(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' | ';' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[test]
fn functions_and_files_are_short() {
    let files = repository();
    let findings: Vec<_> = files.iter().filter(|file| file.is_rust()).flat_map(too_long).collect();
    assert_none(&findings);
}

#[test]
fn the_checker_finds_long_functions_and_files() {
    let long = "    step();\n".repeat(FUNCTION_LINES + 1);
    let text = format!(
        "trait T {{\n    fn declared(&self);\n}}\nfn short() {{\n    let brace = \"{{\"; // {{\n\n}}\n\
         pub async fn long<T>(key: [u8; 32]) {{\n{long}}}\nfn documented() {{\n    // why\n\n{}}}\n",
        "    step();\n".repeat(FUNCTION_LINES)
    );
    let found = too_long(&Text::new("src/a.rs", &text));
    assert_eq!(lines(&found), [(8, "long has 71 lines; a function has at most 70")]);
    let found = too_long(&Text::new("src/a.rs", &"//\n".repeat(401)));
    assert_eq!(lines(&found), [(401, "401 lines; a file has at most 400")]);
}

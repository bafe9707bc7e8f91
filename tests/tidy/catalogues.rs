//! What is documented is complete: docs/messages.md has every message, and each problem has its texts, a mention and a test.

use std::collections::{BTreeMap, BTreeSet};

use purchase_order_webhook::problem::ProblemKind;

use crate::texts::{Text, repository};
use crate::{Finding, assert_none, lines};

const MESSAGES: &str = "src/message.rs";
const MESSAGE_PAGE: &str = "docs/messages.md";

fn file<'t>(files: &'t [Text], path: &str) -> &'t Text {
    files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} is missing"))
}

/// The arms of the `match` in a function of a file: its patterns, each with what it becomes.
fn arms<'t>(text: &'t str, function: &str) -> Vec<(&'t str, &'t str)> {
    let body = text.split(&format!("fn {function}(self)")).nth(1).unwrap_or_else(|| panic!("fn {function} is missing"));
    let body = body.split("\n    }\n").next().unwrap();
    let (mut arms, mut open) = (Vec::new(), Vec::new());
    for line in body.lines().map(|line| line.trim().trim_end_matches(',').trim_start_matches("| ")) {
        // A long arm has its patterns on several lines, the value on the last.
        let (patterns, value) =
            line.split_once(" => ").map_or((line, None), |(patterns, value)| (patterns, Some(value)));
        open.extend(patterns.split(" | ").filter(|pattern| pattern.starts_with("Self::") || *pattern == "_"));
        arms.extend(
            value.into_iter().flat_map(|value| open.split_off(0).into_iter().map(move |pattern| (pattern, value))),
        );
    }
    arms
}

/// Number and type of every message, as the code has them.
fn coded(code: &str) -> Vec<(String, char)> {
    let severities: BTreeMap<_, _> = arms(code, "severity").into_iter().collect();
    let letter = |variant: &str| {
        let severity = severities.get(variant).or(severities.get("_")).expect("the match is exhaustive");
        severity.trim_start_matches("Severity::").chars().next().unwrap()
    };
    let numbers = arms(code, "number").into_iter();
    numbers.map(|(variant, number)| (number.trim_matches('"').to_owned(), letter(variant))).collect()
}

/// Line, number and type of every row such as `| **001** | E | … |`.
fn documented(page: &str) -> Vec<(usize, &str, char)> {
    let mut rows = Vec::new();
    for (at, line) in page.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = cells.get(1).and_then(|cell| cell.strip_prefix("**")?.strip_suffix("**"));
        if let (Some(number), Some(letter)) = (number, cells.get(2).and_then(|cell| cell.chars().next())) {
            rows.push((at + 1, number, letter));
        }
    }
    rows
}

fn messages_that_differ(code: &Text, page: &Text) -> Vec<Finding> {
    let (coded, documented) = (coded(&code.text), documented(&page.text));
    let mut findings = Vec::new();
    let mut rows = BTreeSet::new();
    for (line, number, letter) in documented {
        let found = |text: String| Finding::new(&page.path, line, text);
        match coded.iter().find(|(known, _)| known == number) {
            None => findings.push(found(format!("no message has the number {number}"))),
            Some((_, of_code)) if *of_code != letter => {
                findings.push(found(format!("{number} is of type {of_code}, not {letter}")));
            }
            Some(_) => {}
        }
        if !rows.insert(number) {
            findings.push(found(format!("{number} has two rows")));
        }
    }
    let mut numbers = BTreeSet::new();
    for (number, _) in &coded {
        let line = code.line_of(code.text.find(&format!("\"{number}\"")).unwrap_or(0));
        if !rows.contains(number.as_str()) {
            findings.push(Finding::new(&code.path, line, format!("{number} has no row in {}", page.path)));
        }
        if !numbers.insert(number) {
            findings.push(Finding::new(&code.path, line, format!("two messages have the number {number}")));
        }
    }
    findings
}

#[test]
fn the_page_of_messages_has_every_number_once_with_its_type() {
    let files = repository();
    let (code, page) = (file(&files, MESSAGES), file(&files, MESSAGE_PAGE));
    assert!(coded(&code.text).len() > 10, "the numbers can't be read from {MESSAGES}");
    assert_none(&messages_that_differ(code, page));
}

/// The place where a problem's name is declared.
fn declared(files: &[Text], name: &str) -> (String, usize) {
    let quoted = format!("\"{name}\"");
    let file = files.iter().find(|file| file.path.starts_with("src/problem/") && file.text.contains(&quoted));
    let file = file.unwrap_or_else(|| panic!("src/problem/ does not declare {name}"));
    (file.path.clone(), file.line_of(file.text.find(&quoted).unwrap()))
}

/// What is wrong with a kind in itself.
fn defects(kind: &ProblemKind) -> Vec<String> {
    let mut defects = Vec::new();
    let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !kind.name.chars().all(is_kebab) || kind.name.split('-').any(str::is_empty) {
        defects.push(format!("{} is not kebab-case", kind.name));
    }
    let texts =
        [("title", kind.title), ("explanation", kind.explanation), ("remedy", kind.remedy), ("example", kind.example)];
    let empty = texts.iter().filter(|(_, text)| text.trim().is_empty());
    defects.extend(empty.map(|(name, _)| format!("{} has no {name}", kind.name)));
    defects
}

#[test]
fn every_problem_has_a_name_of_its_own_and_all_its_texts() {
    let files = repository();
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    for kind in ProblemKind::ALL {
        let (path, line) = declared(&files, kind.name);
        findings.extend(defects(kind).into_iter().map(|text| Finding::new(&path, line, text)));
        if !names.insert(kind.name) {
            findings.push(Finding::new(&path, line, format!("two kinds are called {}", kind.name)));
        }
    }
    assert_none(&findings);
}

/// Whether a text has a name as a word of its own.
fn has_word(text: &str, name: &str) -> bool {
    let within = |c: char| c.is_alphanumeric() || c == '-';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(within) && !text[at + name.len()..].starts_with(within))
}

/// The kinds that none of these parts of files has as a word.
fn unmentioned(files: &[Text], part: impl Fn(&Text) -> Option<&str>, complaint: &str) -> Vec<Finding> {
    let parts: Vec<&str> = files.iter().filter_map(part).collect();
    let unmentioned = ProblemKind::ALL.iter().filter(|kind| parts.iter().all(|part| !has_word(part, kind.name)));
    let finding = |kind: &ProblemKind| {
        let (path, line) = declared(files, kind.name);
        Finding::new(&path, line, format!("{} {complaint}", kind.name))
    };
    unmentioned.map(finding).collect()
}

/// The text of a document for callers and operators.
fn document(file: &Text) -> Option<&str> {
    (file.path == "README.md" || file.path.starts_with("docs/")).then_some(&file.text)
}

#[test]
fn every_problem_is_named_in_readme_or_docs() {
    let files = repository();
    assert_none(&unmentioned(&files, document, "is named in neither README.md nor docs/"));
}

/// The tests in a file, if it has any.
fn tests_of(file: &Text) -> Option<&str> {
    if file.path.starts_with("tests/") && !file.path.starts_with("tests/tidy/") || file.path.ends_with("/tests.rs") {
        return Some(&file.text);
    }
    file.text.split("#[cfg(test)]\nmod tests {").nth(1)
}

#[test]
fn every_problem_is_named_by_a_test() {
    let files = repository();
    assert_none(&unmentioned(&files, tests_of, "is caused by no test"));
    let pages = &file(&files, "tests/api/problems.rs").text;
    assert!(pages.contains("in ProblemKind::ALL") || pages.contains("ProblemKind::ALL {"), "no test opens every page");
}

#[test]
fn the_checkers_find_messages_and_problems_that_are_incomplete() {
    let code = "    fn number(self) -> &str {\n        match self {\n            Self::A => \"001\",\n            Self::B => \"002\",\n            \
        Self::C => \"003\",\n        }\n    }\n\n    fn severity(self) -> Severity {\n        match self {\n            \
        Self::A | Self::B => Severity::Success,\n            _ => Severity::Error,\n        }\n    }\n";
    let page = "## 001 to 009\n| number | type |\n|---|---|\n| **001** | S | x |\n| **002** | W | x |\n| **001** | S | x |\n| **007** | E | x |\n";
    let found = messages_that_differ(&Text::new("code", code), &Text::new("page", page));
    let expected = [
        (5, "002 is of type S, not W"),
        (6, "001 has two rows"),
        (7, "no message has the number 007"),
        (5, "003 has no row in page"),
    ];
    assert_eq!(lines(&found), expected);
    let kind = ProblemKind { name: "Not-Kebab", remedy: " ", ..ProblemKind::NOT_FOUND };
    assert_eq!(defects(&kind), ["Not-Kebab is not kebab-case", "Not-Kebab has no remedy"]);
    assert!(has_word("`not-found`,", "not-found") && !has_word("order-not-found", "not-found"));
}

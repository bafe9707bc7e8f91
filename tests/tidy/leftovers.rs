//! Nothing is left over: no ignored test, no unfinished code, no path of somebody's machine.

use crate::texts::{Text, repository};
use crate::{Finding, assert_none, lines};

/// Lines that may name such a path, as they are.
const ALLOWED: [(&str, &str); 2] = [
    ("CONTRIBUTING.md", "mkdir -p /tmp/fuzz-corpus/cart"),
    (
        "CONTRIBUTING.md",
        "cargo +nightly fuzz run cart /tmp/fuzz-corpus/cart fuzz/corpus/cart -- -max_total_time=600 -max_len=8192",
    ),
];

const UNFINISHED: [&str; 4] = ["#[ignore", "todo!(", "dbg!(", "unimplemented!("];

const MACHINE_PATHS: [&str; 5] = ["/work/", "/root/", "/tmp/", "/home/", "/Users/"];

fn leftovers(file: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let mut found = |text: String| findings.push(Finding::new(&file.path, at + 1, text));
        if file.is_rust() {
            let marks = UNFINISHED.iter().filter(|mark| line.contains(**mark));
            marks.for_each(|mark| found(format!("{mark} is left over")));
        }
        if ALLOWED.contains(&(file.path.as_str(), line)) {
            continue;
        }
        // A relative path or an address may go through such a folder.
        let is_absolute = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}/".contains(c));
        let paths = MACHINE_PATHS.iter().filter(|path| line.match_indices(**path).any(|(at, _)| is_absolute(at)));
        paths.for_each(|path| found(format!("{path} is a folder of one machine")));
    }
    findings
}

#[test]
fn nothing_is_left_over() {
    let files = repository();
    // This file has the patterns themselves.
    let findings: Vec<_> = files.iter().filter(|file| file.path != file!()).flat_map(leftovers).collect();
    assert_none(&findings);
}

#[test]
fn the_checker_finds_what_is_left_over_and_no_more() {
    let text = "#[ignore = \"later\"]\nfn f() { todo!() }\nopen(\"/tmp/x\")\nnothing to do!\nhttps://x/tmp/y a/tmp/z\n";
    assert_eq!(
        lines(&leftovers(&Text::new("src/a.rs", text))),
        [(1, "#[ignore is left over"), (2, "todo!( is left over"), (3, "/tmp/ is a folder of one machine")]
    );
    let (file, line) = ALLOWED[0];
    assert!(leftovers(&Text::new(file, line)).is_empty());
    assert_eq!(leftovers(&Text::new("README.md", line)).len(), 1, "the line is allowed in its file alone");
}

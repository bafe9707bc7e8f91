//! Texts as editors, shells and other programs leave them.

use super::*;

const ONE: &str = "-----BEGIN ONE-----\nMAEB\n-----END ONE-----\n";
const TWO: &str = "-----BEGIN TWO-----\nMAEC\n-----END TWO-----\n";

/// The labels and the last bytes.
fn read(content: &[u8]) -> Result<Vec<(String, u8)>, String> {
    let sections = sections(content)?;
    Ok(sections.iter().map(|one| (one.label().to_owned(), *one.der().last().unwrap())).collect())
}

#[test]
fn sections_are_found_however_a_text_was_saved() {
    let both = format!("{ONE}{TWO}");
    let expected = vec![("ONE".to_owned(), 1), ("TWO".to_owned(), 2)];
    for (name, content) in [
        ("as it should be", both.clone()),
        ("a mark", format!("\u{feff}{both}")),
        ("marks in the middle, as `cat` leaves them", format!("\u{feff}{ONE}\u{feff}{TWO}")),
        ("CR LF", both.replace('\n', "\r\n")),
        ("CR", both.replace('\n', "\r")),
        ("CR CR LF", both.replace('\n', "\r\r\n")),
        ("blank lines", both.replace('\n', "\n\n")),
        ("blanks behind", both.replace('\n', " \t\n")),
        ("blanks before", format!("  {}", both.trim_end().replace('\n', "\n \t"))),
        ("no last line break", both.trim_end().to_owned()),
        ("`cat` without a line break between", format!("{}{TWO}", ONE.trim_end())),
        ("the same with a mark", format!("{}\u{feff}{TWO}", ONE.trim_end())),
        ("the same behind a text", format!("a note{both}")),
        (
            "attributes",
            format!("Bag Attributes\n    friendlyName: x\nsubject=CN = x\n\n{ONE}Key Attributes: <None>\n{TWO}"),
        ),
        ("text between", format!("# the old one\n{ONE}until March\n{TWO}")),
        ("a comment about sections", format!("# -----BEGIN ONE-----\nput -----BEGIN ONE----- here\n{both}")),
        ("a comment about whole sections", format!("# from -----BEGIN ONE----- to -----END ONE-----\n{both}")),
        ("no padding, long lines", both.replace("MAEC", "MAACAAI")),
        ("text in one line with the end", both.replace("MAEB\n", "MAEB")),
    ] {
        assert_eq!(read(content.as_bytes()), Ok(expected.clone()), "{name}");
    }
    assert_eq!(read(b""), Ok(vec![]));
    assert_eq!(read(b"\xFCnlesbar\nMAEB\n"), Ok(vec![]));
    assert_eq!(read(format!("caf\u{e9} {ONE}").as_bytes()), Ok(vec![("ONE".to_owned(), 1)]));
}

#[test]
fn no_section_vanishes() {
    let third = |text: &str| format!("{ONE}{TWO}{text}");
    let long = ONE.replace("MAEB", &"MAEB".repeat(20));
    for (content, expected) in [
        (third(&ONE.replace("MAEB", "MA!B")), "the base64 of a section can't be read: entry 3 (ONE, line 7)"),
        (third(&ONE.replace("MAEB", "MAEBM")), "can't be read: entry 3 (ONE, line 7)"),
        (third(&ONE.replace("MAEB", "")), "a section is empty: entry 3 (ONE, line 7)"),
        (third(&ONE.replace("-----END ONE-----\n", "")), "it is cut off: the line -----END ONE----- is missing"),
        (third(&ONE.replace("-----BEGIN ONE-----\n", "")), "it is cut off: -----END ONE----- has no begin"),
        (ONE.replace("-----END ONE-----\n", TWO), "it is cut off: ONE has no end before -----BEGIN TWO-----"),
        (ONE.replace("END ONE", "END TWO"), "ONE ends with -----END TWO-----"),
        (third(&ONE.replace("-----", "----")), "line 7 begins or ends no section"),
        (third(&ONE.replace("-----", "\u{2014}-")), "line 7 begins or ends no section"),
        (third(&ONE.replace("-----", "-----  ")), "line 7 begins or ends no section"),
        (third(&ONE.to_lowercase()), "line 7 begins or ends no section"),
        (ONE.replace("BEGIN ONE-----", "BEGIN ONE"), "does not end with -----"),
        (ONE.replace("END ONE-----", "END ONE----- # x"), "does not end with -----"),
        (ONE.replace('\n', " "), "does not end with -----"),
        (ONE.replace("MAEB", &"MAEB".repeat(20)).replace('\n', " "), "its lines are joined into one"),
        (ONE.replace("MAEB", &"MAEB".repeat(20)).replace('\n', "\\n"), "its lines are joined into one"),
        // As JSON and YAML have a whole text in one line.
        (third(&format!("\"{}\"", long.replace('\n', "\\n"))), "its lines are joined into one"),
        (third(&format!("{{\"cert\":\"{}\"}}", long.replace('\n', "\\n"))), "its lines are joined into one"),
        (third(&format!("ca: {}", long.replace('\n', " "))), "its lines are joined into one"),
        (third(&format!("ca: {}", ONE.replace('\n', " "))), "does not end with -----"),
        (
            third("until March -----END ONE----------BEGIN ONE-----\nMAEB\n-----END ONE-----"),
            "-----END ONE----- has no begin",
        ),
    ] {
        let problem = read(content.as_bytes()).unwrap_err();
        assert!(problem.contains(expected), "{content}: {problem}");
        assert!(!problem.contains("MA"), "{problem}");
    }
}

#[test]
fn headers_say_that_a_section_is_encrypted() {
    let headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    let content = ONE.replace("MAEB", &format!("{headers}MAEB")) + TWO;
    let read = sections(content.as_bytes()).unwrap();
    assert_eq!(read.iter().map(Section::is_encrypted).collect::<Vec<_>>(), [true, false]);
    assert_eq!(format!("{read:?}"), "[entry 1 (ONE, line 1), entry 2 (TWO, line 7)]");
    assert_eq!(read.last().unwrap().to_pem(), TWO);
}

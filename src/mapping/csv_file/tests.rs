//! Files as spreadsheets and editors leave them.

use super::*;

const LAYOUT: Layout = Layout { header: |_| 0, optional: &["when"], names: &["target"] };

fn parse(text: &str) -> CsvFile {
    CsvFile::parse("t.csv", text, LAYOUT)
}

fn texts(defects: &[Defect]) -> Vec<String> {
    defects.iter().map(ToString::to_string).collect()
}

/// Line and cells of every row that can be read.
fn rows(csv: &CsvFile) -> Vec<(u64, Vec<&str>)> {
    csv.rows.iter().map(|row| (row.line, row.cells.iter().map(String::as_str).collect())).collect()
}

#[test]
fn a_row_is_in_its_line_whatever_ends_the_lines() {
    let table: [(&str, &[u64]); 9] = [
        ("k,v,remark\nA,1,\nB,2,\n", &[2, 3]),
        ("k,v,remark\nA,1,\n\n\nB,2,", &[2, 5]),
        ("# one\n\n# three\nk,v,remark\nA,1,\n# six\nB,2,\n", &[5, 7]),
        ("sep=,\nk,v,remark\nA,1,\nB,2,\n", &[3, 4]),
        ("k,v,remark\n,,\nA,1,\n,,\nB,2,\n", &[3, 5]),
        ("k,v,remark\nA,1,\"two\nlines\"\nB,2,\n", &[2, 4]),
        ("k,v,remark\nA,1,\"\n\nfour\n\"\nB,2,\n", &[2, 6]),
        ("k,v,remark\nA,1,\"a \"\"quoted\"\"\nword\"\nB,2,\n", &[2, 4]),
        ("k,v,\"remark\nof two\"\nA,1,\nB,2,\n", &[3, 4]),
    ];
    for (text, expected) in table {
        for line_end in ["\n", "\r\n", "\r"] {
            for begin in ["", "\u{feff}"] {
                let text = format!("{begin}{}", text.replace('\n', line_end));
                let csv = parse(&text);
                let found: Vec<u64> = csv.rows.iter().map(|row| row.line).collect();
                assert_eq!(
                    (found.as_slice(), csv.rows.last().map(|row| row.cell(0))),
                    (expected, Some("B")),
                    "{text:?}"
                );
                assert_eq!(texts(&csv.findings.mistakes), [""; 0], "{text:?}");
            }
        }
    }
}

#[test]
fn a_mistake_is_in_its_line_whatever_ends_the_lines() {
    let text = "k,v,remark\nA,\"two\nlines\",\n# four\nB\nC,\"open,\nD,#REF!,\nE,1,2,3\n\"F\" x,1,\nG,1,\n";
    let expected = [
        "t.csv line 2, column v: a cell goes over several lines; is a quotation mark not closed?",
        "t.csv line 5: 1 cell; expected 3, as in the header: without v",
        "t.csv line 6: a cell goes over several lines; is a quotation mark not closed?",
        "t.csv line 7, column v: \"#REF!\" is a spreadsheet's error; expected a value: type it again, and save",
        "t.csv line 8: 4 cells; expected 3, as in the header: \"3\" is behind the last column; a cell with a separator in it, a decimal comma too, needs quotation marks",
        "t.csv line 9: text behind a closing quotation mark; one inside of a cell is written twice",
    ];
    for line_end in ["\n", "\r\n", "\r"] {
        for begin in ["", "\u{feff}"] {
            let csv = parse(&format!("{begin}{}", text.replace('\n', line_end)));
            assert_eq!(texts(&csv.findings.mistakes), expected, "{line_end:?}");
            assert_eq!(rows(&csv), [(10, vec!["G", "1", ""])]);
            assert_eq!(csv.broken.len(), 6);
        }
    }
}

#[test]
fn harmless_damage_is_read_as_it_was_meant() {
    let expected = [(vec!["DE", "08", "South"]), (vec!["AT", "", "a, b"])];
    for text in [
        "k;l;v;remark\nDE;08;South;\nAT;;a, b;\n",
        "k,l,v,remark\nDE,08,South,\nAT,,\"a, b\",\n",
        "k\tl\tv\tremark\nDE\t08\tSouth\t\nAT\t\ta, b\t\n",
        "sep=;\nk;l;v;remark\nDE;08;South;\nAT;;a, b;\n",
        "sep=,\r\nk,l,v,remark\r\nDE,08,South,\r\nAT,,\"a, b\",\r\n",
        "SEP=\t\nk\tl\tv\tremark\nDE\t08\tSouth\t\nAT\t\ta, b\t\n",
        "\"sep=;\",,,\nk,l,v,remark\nDE,08,South,\nAT,,\"a, b\",\n",
        "k;l;v;remark;;\nDE;08;South;;;\nAT;;a, b;;;\n;;;;;\n",
        "k;l;v;remark\nDE;08;South;;;;\nAT;;a, b;;;;\n",
        "k;l;v;remark\nDE;08;South\nAT;;a, b\n",
        "k,l,v,remark\nDE,\"=\"\"08\"\"\",South,\nAT,,\"a, b\",\n",
        "k;l;v;remark\nDE;=\"08\";South;\nAT;;a, b;\n",
        "k;l;v;remark\nDE;'08;South;\nAT;;a, b;\n",
        "\"k\",\"l\",\"v\",\"remark\"\n\"DE\",\"08\",\"South\",\"\"\n\"AT\",\"\",\"a, b\",\"\"\n",
        "“k”;“l”;“v”;remark\n“DE”;„08“;“South”;\nAT;;“a, b”;\n",
        "k;l;v;remark\n\u{a0}DE\u{a0};\u{202f}08;South\u{a0};\nAT;\u{200b};a, b;\n",
        "\"# a comment, saved again\",,,\nk,l,v,remark\nDE,08,South,\nAT,,\"a, b\",\n",
        "k, l, v, remark\nDE, 08, South, \nAT, , \"a, b\", \n",
        "########\n# Regions\n########\nk;l;v;remark\nDE;08;South;\nAT;;a, b;\n",
    ] {
        let csv = parse(text);
        assert_eq!(csv.header, ["k", "l", "v", "remark"], "{text:?}");
        let found: Vec<Vec<&str>> =
            rows(&csv).into_iter().map(|(_, cells)| cells.into_iter().take(3).collect()).collect();
        assert_eq!(found, expected, "{text:?}");
        assert_eq!(csv.findings, Findings::default(), "{text:?}");
    }
}

#[test]
fn every_other_damage_of_a_cell_is_named_with_line_and_column() {
    let (error, formula, number, date) =
        ("a spreadsheet's error", "a spreadsheet's formula", "as a spreadsheet shortens it", "has made a date of");
    let table = [
        ("#REF!", error),
        ("#N/A", error),
        ("#NAME?", error),
        ("#VALUE!", error),
        ("#DIV/0!", error),
        ("#NUM!", error),
        ("#NULL!", error),
        ("#SPILL!", error),
        ("########", error),
        ("#BEZUG!", error),
        ("#NV", error),
        ("#VALEUR!", error),
        ("#¡REF!", error),
        ("Err:502", error),
        ("=A1", formula),
        ("=SUM(A1:A3)", formula),
        ("=VLOOKUP(A2;Sheet2!A:B;2;0)", formula),
        ("+A1", formula),
        ("-A1", formula),
        ("@A1", formula),
        ("+$B$2+C3", formula),
        ("@SUM(A1)", formula),
        ("1E+05", number),
        ("1.23457E+11", number),
        ("-1,2E+10", number),
        ("1-Mar", date),
        ("01. Mrz", date),
        ("Mar 01", date),
        ("Mar-01", date),
        ("2-Okt", date),
        ("Mai 1999", date),
    ];
    for (cell, expected) in table {
        for place in 0..3 {
            let mut cells = ["a", "b", "c"];
            cells[place] = cell;
            let csv = parse(&format!("k\tl\tv\tremark\nx\ty\tz\t\n{}\t\n", cells.join("\t")));
            let found = texts(&csv.findings.mistakes);
            let column = ["k", "l", "v"][place];
            assert!(found.len() == 1 && found[0].contains(expected), "{cell}: {found:?}");
            assert!(found[0].starts_with(&format!("t.csv line 3, column {column}: ")), "{cell}: {found:?}");
            // In a remark it does no harm, and whoever means it can say so.
            let meant = parse(&format!("k\tv\tremark\na\t=\"{cell}\"\t{cell}\n"));
            assert_eq!((rows(&meant), &meant.findings), (vec![(2, vec!["a", cell, cell])], &Findings::default()));
        }
    }
}

#[test]
fn what_may_be_meant_is_a_warning() {
    for (cell, expected) in [
        ("TRUE", "a yes or no"),
        ("WAHR", "a yes or no"),
        ("01.03.2026", "made a date of"),
        ("2026-03-01", "made a date of"),
        ("3/1/26", "made a date of"),
        ("1,5", "has a decimal comma"),
        ("-0,00", "has a decimal comma"),
        ("@x", "begins like a formula"),
        ("@type", "begins like a formula"),
        ("+abc", "begins like a formula"),
        ("-abc", "begins like a formula"),
        ("+ A1 kg", "begins like a formula"),
        ("@Straße", "begins like a formula"),
    ] {
        let csv = parse(&format!("k;v;remark\na;{cell};{cell}\n"));
        assert_eq!(texts(&csv.findings.mistakes), [""; 0]);
        let found = texts(&csv.findings.warnings);
        assert!(found.len() == 1 && found[0].contains(expected), "{cell}: {found:?}");
        assert!(found[0].starts_with("t.csv line 2, column v: "), "{found:?}");
        assert_eq!(parse(&format!("k;v\na;=\"{cell}\"\n")).findings, Findings::default());
    }
}

#[test]
fn codes_and_texts_are_no_damage() {
    for cell in [
        "08",
        "0010",
        "-",
        "+",
        "=",
        "@",
        "+49 89 1234",
        "-1",
        "-1.5",
        "K-P",
        "W-M",
        "A1",
        "1E05",
        "1e5",
        "2A",
        "MAR",
        "Mar",
        "1-MAR",
        "true",
        "X",
        "#1",
        "# 7",
        "Set 12",
        "May be",
        "19\" rack",
        "it's",
        "Err: none",
        "1.5",
        "1-3",
        "10/12",
        "http://a=b",
        "–",
    ] {
        let csv = parse(&format!("v\tl\nx\t{cell}\n"));
        assert_eq!((rows(&csv), &csv.findings), (vec![(2, vec!["x", cell])], &Findings::default()), "{cell}");
    }
}

#[test]
fn titles_above_the_header_are_named_and_what_is_below_is_read() {
    let layout =
        Layout { header: |rows| rows.iter().position(|row| row.len() > 1).unwrap_or(0), optional: &[], names: &[] };
    let csv = CsvFile::parse("t.csv", "Regions of 2026\n\nk;v\nA;1\n", layout);
    let expected = "t.csv line 1: a title above the header, which is in line 3; expected no row there: delete it, or begin it with #";
    assert_eq!(texts(&csv.findings.mistakes), [expected]);
    assert_eq!((csv.header_line, rows(&csv)), (3, vec![(4, vec!["A", "1"])]));
}

#[test]
fn an_empty_file_says_so() {
    for text in ["", "\n\n", "# comment\n", ";;;\n", "\u{feff}", "sep=;\n"] {
        assert_eq!(
            texts(&parse(text).findings.mistakes),
            ["t.csv: the file is empty; expected a header row"],
            "{text:?}"
        );
    }
    let filled_up = "k,v\nA\n\0\0\nB,1,2\n";
    assert_eq!(
        texts(&parse(filled_up).findings.mistakes),
        ["t.csv line 3: has characters U+0000; expected CSV in UTF-8, or UTF-16 with a byte order mark"]
    );
    let wide = parse(&format!("k{},v\nA\nB\n", ",t".repeat(99)));
    assert_eq!(texts(&wide.findings.mistakes), ["t.csv line 1: 101 columns; expected at most 100"]);
    assert!(
        parse(&format!("k,v{0}\nA,B{0}\n", ",".repeat(16_384))).findings.mistakes.is_empty(),
        "a spreadsheet's width"
    );
}

#[test]
fn an_open_quotation_mark_swallows_no_row() {
    let csv = parse("k,v,remark\nA,1,\"note\nB,2,x\nC,3,\"\nD,4,\n");
    assert!(texts(&csv.findings.mistakes)[0].starts_with("t.csv line 2: a cell goes over several lines"));
    let keys: Vec<&str> = csv.rows.iter().map(|row| row.cell(0)).collect();
    assert_eq!(keys, ["B", "D"]);
}

/// Lines that each open a cell for all that follow: reading on from each of them would take hours.
#[test]
fn open_quotation_marks_are_looked_for_once() {
    const LINES: usize = 200_000;
    for line in ["a\",\"", "a\",\"\",\""] {
        for end in ["", "x\"y\n"] {
            let csv = parse(&format!("k,l,m,n,o,remark\n{}{end}", format!("{line}\n").repeat(LINES)));
            assert_eq!((csv.rows.len(), csv.findings.mistakes.len() >= LINES / 2), (0, true), "{line:?} {end:?}");
        }
    }
    let csv = parse("k,l,m,n,o,remark\na\",\"\na\",\"\nA,B,C,D,E,\"two\nlines\"\n");
    assert_eq!(rows(&csv), [(4, vec!["A", "B", "C", "D", "E", "two\nlines"])]);
}

#[test]
fn another_separator_is_named_once() {
    let separators =
        [("|", "|"), ("¦", "¦"), ("^", "^"), ("~", "~"), (":", ":"), ("   ", "blanks"), ("，", "wide comma")];
    for (separator, name) in separators {
        let text = "k;l;v\nDE;08;South, west\nAT;;East\n".replace(';', separator);
        let csv = parse(&text);
        let found = texts(&csv.findings.mistakes);
        assert!(csv.is_unreadable && found.len() == 1 && csv.findings.warnings.is_empty(), "{text:?}: {found:?}");
        let expected = "t.csv line 1: the columns seem to be separated by ";
        assert!(found[0].starts_with(expected) && found[0].contains(name), "{text:?}: {found:?}");
    }
    // What is in cells, or only in a title, separates nothing.
    for text in ["k;v\nA|B;1:2\nC|D;3:4\n", "k,v\nhttp://a,b  c\n", "sep=|\nk|v\nA|1\n", "a: b\nk,v\nA,1\n"] {
        assert!(!parse(text).is_unreadable, "{text:?}");
    }
}

#[test]
fn a_wrong_sep_does_no_harm_and_is_named_once() {
    for (text, sign) in [
        ("sep=;\nk,v,remark\nA,1,a; b\nB,2,c\n", ","),
        ("sep=,\nk;v;remark\nA;1;a, b\nB;2;c\n", ";"),
        ("sep=|\nk,v,remark\nA,1,a|b\nB,2,c\n", ","),
        ("sep=,\nk\tv\tremark\nA\t1\ta, b\nB\t2\tc\n", "tabs"),
    ] {
        let csv = parse(text);
        assert_eq!(csv.rows.iter().map(|row| row.cell(1)).collect::<Vec<_>>(), ["1", "2"], "{text:?}");
        let found = texts(&[csv.findings.mistakes, csv.findings.warnings].concat());
        assert!(found.len() == 1 && found[0].starts_with("t.csv line 1: says sep="), "{text:?}: {found:?}");
        assert!(found[0].ends_with(&format!("separated by {sign}: delete this line")), "{found:?}");
    }
}

#[test]
fn doubled_line_ends_are_named_and_count_once() {
    let csv = parse("k,v,remark\r\r\nA,1,\"two\r\r\nlines\"\r\r\n\r\r\nB\r\r\nC,2,\r\r\n");
    assert_eq!(rows(&csv), [(2, vec!["A", "1", "two\nlines"]), (6, vec!["C", "2", ""])]);
    assert!(texts(&csv.findings.mistakes)[0].starts_with("t.csv line 5: 1 cell"), "{:?}", csv.findings.mistakes);
    assert!(texts(&csv.findings.warnings)[0].starts_with("t.csv: has doubled line ends (CR CR LF)"));
    assert_eq!(parse("k,v\r\n\r\nA,1\r\r").findings, Findings::default());
}

#[test]
fn a_name_in_json_may_begin_with_a_sign() {
    let csv = parse("target,v\n@odata.type,1\n@type,@x\n");
    let found = texts(&csv.findings.warnings);
    assert!(
        found.len() == 1 && found[0].starts_with("t.csv line 3, column v: \"@x\" begins like a formula"),
        "{found:?}"
    );
}

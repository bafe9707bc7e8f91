//! Files that are wrong as a whole: each is named once, and no other file is blamed for it.

use crate::mapping::{Amounts, Defect, Findings, Folder, Mapping, MappingOptions, SHEET, example_defects};

const SHEET_TEXT: &str = "target,source,as,absent,remark\nexternalId,ID,text,refuse,\n\
    lines[].unit,ITEM.UNIT,table:units,omit,\nregion,PARTNER[00000027].COUNTRY + PARTNER[00000027].REGION,table:regions,omit,\n";
const UNITS: &str = "unit,value\nST,H87\nPC,H87\nSTD,HUR\n";
const REGIONS: &str = "country,region,value\nDE,08,SOUTH\nAT,,EAST\n";
const CART: &str = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"NUMBER_INT":"10"}]}"#;

fn lines(defects: &[Defect]) -> Vec<String> {
    defects.iter().map(ToString::to_string).collect()
}

/// Mistakes and warnings of a folder.
fn findings(folder: &Folder) -> (Vec<String>, Vec<String>) {
    let of_examples = lines(&example_defects(folder));
    match Mapping::examine(folder, &MappingOptions::default()) {
        Ok(mapping) => (of_examples, lines(mapping.warnings())),
        Err(Findings { mistakes, warnings }) => ([lines(&mistakes), of_examples].concat(), lines(&warnings)),
    }
}

/// A folder with these files in the place of its own, or beside them.
fn with(files: &[(&str, &str)]) -> Folder {
    let own = [(SHEET, SHEET_TEXT), ("tables/units.csv", UNITS), ("tables/regions.csv", REGIONS)];
    Folder::of(&[own.as_slice(), files].concat())
}

#[test]
fn a_file_of_another_form_is_one_mistake_and_blames_no_other() {
    let bytes = |text: &str, form: usize| -> Vec<u8> {
        match form {
            0 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            1 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            2 => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            3 => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            4 => text.replace(',', "|").into_bytes(),
            5 => text.replace(',', "  ").into_bytes(),
            6 => text.replace('\n', "\n\0").into_bytes(),
            _ => b"# nothing but this\n".to_vec(),
        }
    };
    let order = r#"{"externalId":"1"}"#;
    let files = [
        (SHEET, SHEET_TEXT),
        ("tables/units.csv", UNITS),
        ("tables/regions.csv", REGIONS),
        ("examples/a.cart.json", CART),
        ("examples/a.order.json", order),
    ];
    for (broken, _) in files {
        let forms = if broken.starts_with("examples") { 0..4 } else { 0..8 };
        for form in forms {
            let content = |(file, text): (&'static str, &str)| {
                (file, if file == broken { bytes(text, form) } else { text.as_bytes().to_vec() })
            };
            let (mistakes, _) = findings(&Folder::of_bytes(&files.map(content)));
            assert!(mistakes.len() == 1 && mistakes[0].starts_with(broken), "{broken} {form}: {mistakes:#?}");
        }
    }
}

#[test]
fn a_table_without_its_header_is_named_itself() {
    for (file, text) in [
        // A value of the rows below.
        ("tables/units.csv", "ST,H87,piece\nPC,H87,piece\nSTD,HUR,hour\n"),
        ("tables/units.csv", "ST,H87\nPC,H87\n"),
        ("tables/regions.csv", "DE,XX,SOUTH\nDE,YY,NORTH\n"),
        // Numbers.
        ("tables/regions.csv", "DE,08,SOUTH\nAT,,EAST\n"),
        ("tables/units.csv", "10,ten\n20,twenty\n"),
        ("tables/units.csv", "*,C62\n"),
        ("tables/currency-decimals.csv", "JPY,0\nTND,3\n"),
        // Keys of the same form, and another number of key columns than the sheet needs.
        ("tables/units.csv", "ST,H87,piece\nKG,KGM\n"),
        ("tables/units.csv", "ST,H87,piece\nKG,KGM,kilogram\n"),
        ("tables/regions.csv", "DE,SOUTH\nAT,EAST\n"),
    ] {
        let (mistakes, _) = findings(&with(&[(file, text)]));
        let of_header: Vec<&String> = mistakes.iter().filter(|mistake| mistake.contains("header row seems")).collect();
        assert_eq!(of_header.len(), 1, "{text:?}: {mistakes:#?}");
        assert!(
            of_header[0].starts_with(&format!("{file} line 1: the header row seems to be missing")),
            "{mistakes:?}"
        );
        assert!(mistakes.iter().all(|mistake| mistake.starts_with(file)), "{text:?}: {mistakes:#?}");
    }
    // It may be a header: the number of columns is right.
    let (mistakes, warnings) = findings(&with(&[("tables/units.csv", "ST,H87\nKG,KGM\n")]));
    assert_eq!((mistakes.len(), warnings.len()), (0, 1), "{mistakes:?} {warnings:?}");
    assert!(warnings[0].starts_with("tables/units.csv line 1: the header row seems to be missing"));
    for header in ["unit,value", "Einheit,Wert", "UNIT,VALUE", "EINHEIT,WERT", "ISO 3166,CODE"] {
        let folder = with(&[("tables/units.csv", &UNITS.replace("unit,value", header))]);
        assert_eq!(findings(&folder), (Vec::new(), Vec::new()), "{header}");
    }
    let (_, warnings) = findings(&with(&[("tables/units.csv", &[UNITS, "Unit,Value\nKG,KGM\n"].concat())]));
    assert_eq!(warnings, ["tables/units.csv line 5: is the header of line 1 once more; expected a key and its value"]);
}

#[test]
fn every_shipped_file_without_its_header_is_named_itself() {
    let folder = Folder::read("mapping".as_ref()).unwrap();
    let mut files: Vec<(&str, &str)> = folder.tables().map(|(_, file, text)| (file, text)).collect();
    files.push((SHEET, folder.sheet().unwrap()));
    for (broken, text) in &files {
        let is_comment = |line: &&str| line.starts_with('#');
        let rows: Vec<&str> = text.lines().filter(|line| !is_comment(line)).skip(1).collect();
        let rows = rows.join("\n");
        let changed: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (*file, if file == broken { rows.as_str() } else { *text })).collect();
        let (mistakes, _) = findings(&Folder::of(&changed));
        assert!(!mistakes.is_empty() && mistakes.iter().all(|mistake| mistake.starts_with(broken)), "{mistakes:#?}");
        assert!(mistakes[0].contains("line 1: "), "{mistakes:#?}");
    }
}

#[test]
fn a_table_without_rows_is_a_mistake_where_the_sheet_needs_it() {
    for text in ["unit,value\n", "unit,value,remark\n# KG,KGM\n,,\n"] {
        let (mistakes, warnings) = findings(&with(&[("tables/units.csv", text)]));
        let expected = "tables/units.csv line 1: no rows below the header; expected a key and its value in each";
        assert_eq!((mistakes, warnings), (vec![expected.to_owned()], Vec::new()), "{text:?}");
        let (mistakes, warnings) = findings(&with(&[("tables/other.csv", text)]));
        assert_eq!((mistakes, warnings), (Vec::new(), vec![expected.replace("units", "other")]), "{text:?}");
    }
}

#[test]
fn a_mistake_in_a_table_that_nobody_uses_is_a_warning() {
    for text in ["k,v\nA,\n", "k,v\nA,1\nA,2\n", "only\nA\n", "k|v\nA|1\n", "", "k,v\nA\n", "k,v\nA,#REF!\n"] {
        let (mistakes, warnings) = findings(&with(&[("tables/stray.csv", text)]));
        assert_eq!((mistakes.len(), warnings.len()), (0, 1), "{text:?}: {mistakes:?} {warnings:?}");
        assert!(warnings[0].starts_with("tables/stray.csv"), "{warnings:?}");
        assert!(warnings[0].ends_with("(a warning alone: no row of the sheet uses this table)"), "{warnings:?}");
        let (mistakes, _) = findings(&with(&[("tables/units.csv", text)]));
        assert!(mistakes.iter().all(|mistake| mistake.starts_with("tables/units.csv")), "{mistakes:?}");
        assert!(!mistakes.is_empty(), "{text:?}");
    }
    let before = Mapping::compile(&with(&[]), Amounts::Unshifted).unwrap();
    let after = Mapping::compile(&with(&[("tables/stray.csv", "k,v\nA,\n")]), Amounts::Unshifted).unwrap();
    assert_eq!(before.version(), after.version());
    // A row with a mistake of its own uses its table all the same; a sheet that can't be read may use any.
    for sheet in [SHEET_TEXT.replace("UNIT,table:units,omit", "UNIT,table:units,maybe"), "nothing\n".to_owned()] {
        let (mistakes, _) = findings(&with(&[(SHEET, &sheet), ("tables/units.csv", "k,v\nA,\n")]));
        assert!(mistakes.iter().any(|mistake| mistake.starts_with("tables/units.csv line 2")), "{mistakes:?}");
    }
    let own = [(SHEET, SHEET_TEXT), ("tables/units.csv", UNITS), ("tables/regions.csv", REGIONS)];
    let mut files = own.map(|(file, text)| (file, text.as_bytes().to_vec())).to_vec();
    files.push(("tables/stray.csv", b"PK\x03\x04".to_vec()));
    let (mistakes, warnings) = findings(&Folder::of_bytes(&files));
    assert_eq!((mistakes.len(), warnings.len()), (0, 1), "{mistakes:?} {warnings:?}");
}

#[test]
fn names_that_differ_in_capitals_alone_are_told() {
    let (mistakes, warnings) = findings(&with(&[("tables/Units.csv", UNITS)]));
    let expected = "tables/units.csv: differs from tables/Units.csv in nothing but capitals, and is another table; expected one of them";
    assert_eq!((mistakes, warnings), (Vec::new(), vec![expected.to_owned()]));
    let sheet = SHEET_TEXT.replace("table:units", "table:Units");
    let (mistakes, _) = findings(&with(&[(SHEET, &sheet)]));
    assert_eq!(
        mistakes,
        ["purchase-order.csv line 3: as table:Units: there is no tables/Units.csv, and there is tables/units.csv"]
    );
}

/// Shapes of sheets with many rows, each of which once cost the square of them.
#[test]
fn a_sheet_of_many_rows_is_read_row_by_row() {
    const ROWS: u32 = 8_000;
    let shapes: [fn(u32) -> String; 7] = [
        |n| format!("a{n},HEADER.ZZ_{n},text,omit,\n"),
        |n| format!("lines[].a{n},ZZ_{n}.A,text,omit,\n"),
        |n| format!("l{n}[].a,ITEM.UNIT,text,omit,\n"),
        |n| format!("l{n}[],ITEM[ZZ_N={n}],skip,,\nl{n}[].a,ITEM.UNIT,text,omit,\n"),
        |n| format!("a{n},HEADER.ZZ_A,text,one-of:n{n},\nb{n},HEADER.ZZ_B,text,one-of:n{n},\n"),
        |n| format!("a,HEADER.ZZ_A,text,omit,HEADER.ZZ_N = x{n}\n"),
        |n| format!("a{n},HEADER.ZZ_A,text,omit\n"),
    ];
    for (index, shape) in shapes.into_iter().enumerate() {
        let rows: String = (0..ROWS).map(shape).collect();
        let text = format!("target,source,as,absent,when\nexternalId,ID,text,refuse,\n{rows}");
        let mapping = Mapping::compile(&Folder::of(&[(SHEET, &text)]), Amounts::Unshifted).unwrap();
        assert!(mapping.row_count() > ROWS as usize, "{index}");
    }
}

//! Sheet and tables as spreadsheets leave them: every mistake at once, what is only warned of, and files that were cut off.

use std::collections::HashMap;

use serde_json::json;

use super::{HEADER, cart, changed, mistakes, order, sheet};
use crate::mapping::csv_file::{CsvFile, Layout};
use crate::mapping::sheet::Sheet;
use crate::mapping::table::{Table, Tables};
use crate::mapping::{Amounts, Defect, Folder, IdField, Mapping, MappingOptions, SHEET, example_defects};

const PINNED: &str = "externalId,ID,text,refuse,\n";

fn texts(defects: &[Defect]) -> Vec<String> {
    defects.iter().map(ToString::to_string).collect()
}

/// The mistakes of a folder for an 11VMS that finds orders by this field.
fn mistakes_of(files: &[(&str, &str)], id_field: &IdField) -> Vec<String> {
    let options = MappingOptions { id_field: id_field.clone(), ..MappingOptions::default() };
    let folder = Folder::of(files);
    let mistakes = Mapping::compile_with(&folder, &options).err().unwrap_or_default();
    texts(&[mistakes, example_defects(&folder)].concat())
}

/// The warnings of a sheet without mistakes.
fn warnings(rows: &str) -> Vec<String> {
    let text = format!("{HEADER}{PINNED}{rows}");
    let mapping = Mapping::compile(&Folder::of(&[(SHEET, &text)]), Amounts::Unshifted);
    texts(mapping.unwrap_or_else(|defects| panic!("{defects:#?}")).warnings())
}

#[test]
fn mistakes_of_sheet_tables_and_examples_are_told_together() {
    let sheet = "target;source;as;absent;remark\nexternalId;ID;text;refuse;\nshort;HEADER.A\nunit;ITEM.UNIT;table:units;refuse;\n\
        region;ITEM.A + ITEM.B;table:regions;refuse;\nother;ITEM.A;table:regions;refuse;\nz;#REF!;text;omit;\nnone;ITEM.A;table:nowhere;omit;\n";
    let found = mistakes_of(
        &[
            (SHEET, sheet),
            ("tables/currency-decimals.csv", "currency,decimals\nJPY,zero\nEUR,2\nTND,9\n"),
            ("tables/regions.csv", "country,region,value\nDE\nDE,08,\n"),
            ("tables/units.csv", "unit\nH\n"),
            ("examples/a.cart.json", "{\n\"HEADER\":}"),
        ],
        &IdField::default(),
    );
    assert_eq!(
        found,
        [
            "tables/currency-decimals.csv line 2, column decimals: \"zero\" is no number of decimals; expected 0 to 5",
            "tables/currency-decimals.csv line 4, column decimals: \"9\" is no number of decimals; expected 0 to 5",
            "tables/regions.csv line 2: 1 cell; expected 3, as in the header: without region, value",
            "tables/regions.csv line 3, column value: the value is empty",
            "tables/units.csv line 1: expected one or more key columns, then the value's column",
            "purchase-order.csv line 3: 2 cells; expected 5, as in the header: without as, absent",
            "purchase-order.csv line 6: as table:regions: the table has 2 key columns, the source names 1 (country, region, by the header of tables/regions.csv)",
            "purchase-order.csv line 7, column source: \"#REF!\" is a spreadsheet's error; expected a value: type it again, and save",
            "purchase-order.csv line 8: as table:nowhere: there is no tables/nowhere.csv",
            "examples/a.cart.json: line 2, column 10: expected value",
        ]
    );
    let keys = mistakes_of(
        &[(SHEET, &format!("{HEADER}{PINNED}")), ("tables/currency-decimals.csv", "a,b,c\n1,2,3\n")],
        &IdField::default(),
    );
    assert!(keys[0].starts_with("tables/currency-decimals.csv: expected the columns currency,decimals"), "{keys:?}");
}

#[test]
fn the_id_by_which_an_order_is_found_is_pinned() {
    let reason = "by it an order is looked up before it is sent again, and anything else would make a second order";
    let other = "a,HEADER.A,text,omit,\n";
    for (row, wrong) in [
        ("externalId,,constant:SRM,,\n", "source is \"\", as is \"constant:SRM\", absent is \"\""),
        ("externalId,HEADER.OBJECT_ID,text,refuse,\n", "source is \"HEADER.OBJECT_ID\""),
        ("externalId,HEADER.GUID,guid,refuse,\n", "source is \"HEADER.GUID\", as is \"guid\""),
        ("externalId,ID,id,refuse,\n", "as is \"id\""),
        ("externalId,ID,text,omit,\n", "absent is \"omit\""),
        ("externalId,ID,text,use:x,\n", "absent is \"use:x\""),
    ] {
        let found = mistakes_of(&[(SHEET, &format!("{HEADER}{other}{row}"))], &IdField::default());
        let expected = format!(
            "purchase-order.csv line 3: target externalId: {wrong}; expected externalId,ID,text,refuse, in one row and without a condition: {reason}"
        );
        assert_eq!(found, [expected], "{row}");
    }
    let missing =
        format!("purchase-order.csv: no row has the target externalId; expected externalId,ID,text,refuse: {reason}");
    for rows in [other, "id,ID,text,refuse,\n", "externalID,ID,text,refuse,\n", "lines[].externalId,ID,text,refuse,\n"]
    {
        assert_eq!(
            mistakes_of(&[(SHEET, &format!("{HEADER}{rows}"))], &IdField::default()),
            [missing.as_str()],
            "{rows}"
        );
    }
    for row in [PINNED, "externalId,id,text,refuse\n", "externalId, ID ,text,refuse,\n"] {
        assert_eq!(mistakes_of(&[(SHEET, &format!("{HEADER}{row}"))], &IdField::default()), [""; 0], "{row}");
    }
    // A row that can't be read is told of once.
    let short = mistakes_of(&[(SHEET, &format!("{HEADER}{other}externalId,ID\n"))], &IdField::default());
    assert!(short.len() == 1 && short[0].contains("line 3: 2 cells"), "{short:?}");
    // A condition may leave the id out.
    let header = "target,source,as,absent,when,remark\n";
    let condition =
        mistakes_of(&[(SHEET, &format!("{header}externalId,ID,text,refuse,HEADER.A = 1,\n"))], &IdField::default());
    assert!(condition.iter().any(|text| text.contains("when is \"HEADER.A = 1\"")), "{condition:?}");
}

#[test]
fn the_profile_says_where_the_id_is() {
    let at = |pointer: &str| IdField::At(pointer.to_owned());
    let if_there = IdField::AtIfThere("/Ref__c".to_owned());
    let (right, wrong) = ("Ref__c,ID,text,refuse,\n", "Ref__c,HEADER.A,text,omit,\n");
    for (rows, id_field, is_right) in [
        (right, at("/Ref__c"), true),
        (PINNED, at("/Ref__c"), false),
        (wrong, at("/Ref__c"), false),
        (right, if_there.clone(), true),
        ("a,HEADER.A,text,omit,\n", if_there.clone(), true),
        (wrong, if_there, false),
        ("header.ref,ID,text,refuse,\n", at("/header/ref"), true),
        // The answer may wrap an order.
        ("ref,ID,text,refuse,\n", at("/header/ref"), true),
        ("ref,HEADER.A,text,refuse,\n", at("/header/ref"), false),
        ("header.ref,HEADER.A,text,refuse,\nref,ID,text,refuse,\n", at("/header/ref"), false),
        (right, at("/references/0/id"), true),
        (wrong, at("/references/0/id"), false),
        (right, IdField::Somewhere, true),
        (wrong, IdField::Somewhere, false),
        ("lines[].id,ID,text,refuse,\n", IdField::Somewhere, false),
        (wrong, IdField::Nowhere, true),
    ] {
        let found = mistakes_of(&[(SHEET, &format!("{HEADER}{rows}"))], &id_field);
        assert_eq!(found.is_empty(), is_right, "{rows} {id_field:?}: {found:?}");
        assert!(found.len() < 2 && found.iter().all(|text| text.contains("a second order")), "{found:?}");
    }
}

#[test]
fn what_nobody_sends_or_means_is_warned_of() {
    let table = [
        (
            "a,HEADER.NOTE,text,omit,",
            "line 3, column source: no cart of SRM is known to have a field NOTE in HEADER (ITEM has one)",
        ),
        (
            "a,HEADR.CO_CODE,text,omit,",
            "line 3, column source: no cart of SRM is known to have a section HEADR; expected HEADER",
        ),
        ("a,HEADER.CURRENY,text,omit,", "a field CURRENY in HEADER"),
        ("lines[].a,STATUS[STATE=1].UDATE,text,omit,", "a field STATE in STATUS"),
        (
            "lines[].a,ITEM.UNIT,text,omit,\nlines[],STATUS[STAT=1][INACTIVE=],skip,,",
            "line 4, column source: no cart of SRM is known to have a field INACTIVE",
        ),
        (
            "lines[].a,ITEM.UNIT,text,omit,\nline[].b,ITEM.PRICE,decimal,omit,",
            "line 4, column target: line[] is a second list of the same rows beside lines[] (line 3)",
        ),
        (
            "x.lines[].a,ITEM.UNIT,text,omit,\nlines[].b,ITEM.PRICE,decimal,omit,",
            "line 4, column target: lines[] is a second list of the same rows beside x.lines[]",
        ),
        (
            "l[].a[].x,ACCOUNT.ACC_NO,id,omit,\nl[].b[].x,ACCOUNT.ACC_NO,id,omit,",
            "l[].b[] is a second list of the same rows beside l[].a[] (line 3)",
        ),
        (
            "total,HEADER.TOTAL_VALUE,decimal,omit,\nTotal,HEADER.CURRENCY,text,omit,",
            "Total differs from the target total",
        ),
    ];
    for (rows, expected) in table {
        let found = warnings(&format!("{rows}\n"));
        assert!(found.len() == 1 && found[0].contains(expected), "{rows}: {found:#?}");
    }
    for rows in [
        "a,HEADER.ZZ_NOTE,text,omit,\nb,HEADER./ACME/NOTE,text,omit,\nc,HEADER.YY_X,text,omit,\n",
        "a,HEADER.objectId,id,omit,\nlines[].b,item.Unit_,text,omit,\n",
        "lines[].a,ZZ_EXTRA.FIELD,text,omit,\nlines[].b,ITEM[ZZ_KIND=A].UNIT,text,omit,\n",
        "goods[],ITEM[ZZ_KIND=S],skip,,\ngoods[].a,ITEM.UNIT,text,omit,\nservices[],ITEM[ZZ_KIND=],skip,,\nservices[].a,ITEM.UNIT,text,omit,\n",
        "a[].c[].x,ACCOUNT.ACC_NO,id,omit,\n",
    ] {
        assert_eq!(warnings(rows), [""; 0], "{rows}");
    }
    let header = "target,source,as,absent,wehn\n";
    let mapping = Mapping::compile(&Folder::of(&[(SHEET, &format!("{header}{PINNED}"))]), Amounts::Unshifted).unwrap();
    assert!(
        texts(mapping.warnings())[0].contains("line 1: the column wehn is none of the sheet's"),
        "{:?}",
        mapping.warnings()
    );
    let shipped = super::shipped();
    assert_eq!(shipped.warnings(), []);
    let text =
        "target,source,as,absent,when\nexternalId,ID,text,refuse,\na,HEADER.CO_CODE,text,omit,HEADER.CO_CODES = 1\n";
    let mapping = Mapping::compile(&Folder::of(&[(SHEET, text)]), Amounts::Unshifted).unwrap();
    let found = texts(mapping.warnings());
    assert!(found.len() == 1 && found[0].contains("line 3, column when: no cart of SRM is known to have"), "{found:?}");
}

#[test]
fn words_that_programs_have_changed_are_named() {
    let table = [
        ("“a”b,HEADER.A,text,omit,", "line 3: target \"“a”b\": has typographic quotation marks"),
        ("a,ITEM[X=“1”].B,text,omit,", "source"),
        ("a,HEADER.A,decimal,\"use:0,00\",", "line 3: absent use:0,00: has a decimal comma; expected use:0.00"),
        ("a,HEADER.A,amount,use:1,5", "absent use:1,5: has a decimal comma; expected use:1.5"),
        ("a,HEADER.A,decimal,use:1,5,", "absent use:1,5: has a decimal comma"),
        ("a,HEADER.A,decimal,use:1,5,free", "\"free\" is behind the last column"),
    ];
    for (row, expected) in table {
        let found = mistakes_of(&[(SHEET, &format!("{HEADER}{PINNED}{row}\n"))], &IdField::default());
        assert!(found.len() == 1 && found[0].contains(expected), "{row}: {found:#?}");
    }
    let text = format!("{HEADER}{PINNED}a,,constant:say “yes”,,“quoted” remark\nb,HEADER.A,text,\"use:“1,5”\",\n");
    assert_eq!(mistakes_of(&[(SHEET, &text)], &IdField::default()), [""; 0]);
}

#[test]
fn an_open_quotation_mark_in_a_remark_swallows_no_row() {
    for title in ["", "Our sheet\n"] {
        let rows = "a,HEADER.A,text,omit,\"see\nb,HEADER.B,text,omit\nd,HEADER.D,text,use:5\"\n";
        let found = mistakes_of(&[(SHEET, &format!("{title}{HEADER}{PINNED}{rows}"))], &IdField::default());
        assert!(found.iter().any(|text| text.contains("is a quotation mark not closed?")), "{found:?}");
    }
    let remark = "a,HEADER.A,text,omit,\"agreed with SRM,\nand with 11VMS\"\n";
    assert_eq!(mistakes_of(&[(SHEET, &format!("{HEADER}{PINNED}{remark}"))], &IdField::default()), [""; 0]);
}

#[test]
fn what_nobody_sees_around_a_word_is_no_part_of_it() {
    for cell in
        ["constant:EUR\u{200b}", "\u{feff}constant:EUR", "=\"constant:EUR\"", "„constant:EUR“", "“constant:EUR”"]
    {
        let mapping = sheet(&format!("a,,{cell},,\n"));
        assert_eq!(order(&mapping, &cart())["a"], "EUR", "{cell}");
    }
    let found = mistakes_of(&[(SHEET, &format!("{HEADER}{PINNED}a,HEADER.A,constant:EUR,,\n"))], &IdField::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("a constant has no source"), "{found:?}");
}

#[test]
fn a_key_that_has_lost_its_zero_is_explained_in_the_carts_mistake() {
    let folder = |regions: &str| {
        let sheet = format!("{HEADER}r,PARTNER[00000027].COUNTRY + PARTNER[00000027].REGION,table:regions,refuse,\n");
        let folder = Folder::of(&[(SHEET, &sheet), ("tables/regions.csv", regions)]);
        let options = MappingOptions { id_field: IdField::Nowhere, ..MappingOptions::default() };
        Mapping::compile_with(&folder, &options).unwrap()
    };
    let lost_in_table = mistakes(&folder("c,r,v\nDE,8,South\nAT,8,x\n"), &cart());
    assert!(
        lost_in_table[0].ends_with("did a spreadsheet drop the zero? \"DE\" + \"08\" is not there, \"DE\" + \"8\" is"),
        "{lost_in_table:?}"
    );
    let lost_in_cart = mistakes(&folder("c,r,v\nDE,08,South\n"), &changed([("/PARTNER/1/REGION", json!("8"))]));
    assert!(
        lost_in_cart[0].ends_with("did a spreadsheet drop the zero? \"DE\" + \"8\" is not there, \"DE\" + \"08\" is"),
        "{lost_in_cart:?}"
    );
    let unknown = mistakes(&folder("c,r,v\nDE,80,South\n"), &cart());
    assert!(unknown[0].ends_with("no row in table regions"), "{unknown:?}");
}

/// The shipped tables, and text and tables of the shipped folder.
fn shipped_tables() -> (Vec<(String, String)>, Tables) {
    let folder = Folder::read("mapping".as_ref()).unwrap();
    let files: Vec<(String, String)> =
        folder.tables().map(|(name, _, text)| (name.to_owned(), text.to_owned())).collect();
    let tables = files.iter().map(|(name, text)| (name.clone(), Table::parse(name, text).unwrap())).collect();
    (files, tables)
}

#[test]
fn a_sheet_that_is_cut_off_anywhere_is_refused_or_maps_all_examples_as_before() {
    let shipped = Folder::read("mapping".as_ref()).unwrap();
    let text = shipped.sheet().unwrap();
    let (_, tables) = shipped_tables();
    let layout = Layout { header: |_| 0, optional: &["when"], names: &["target"] };
    let meaning = |text: &str| -> Vec<Vec<String>> {
        CsvFile::parse(SHEET, text, layout).rows.iter().map(|row| row.range(0..4)).collect()
    };
    // Most cuts differ in a remark alone, and mean the same.
    let mut verdicts: HashMap<Vec<Vec<String>>, bool> = HashMap::new();
    let mut unchanged = 0;
    for (cut, _) in text.char_indices() {
        let (text, _) = text.split_at(cut);
        if !Sheet::read(SHEET, text, &tables, &IdField::default()).findings.mistakes.is_empty() {
            continue;
        }
        let maps_alike = *verdicts.entry(meaning(text)).or_insert_with(|| {
            let examples: Vec<(&str, &str)> = shipped.examples().into_iter().collect();
            let mut files: Vec<(String, &str)> =
                shipped.tables().map(|(_, file, text)| (file.to_owned(), text)).collect();
            files.extend(examples.iter().map(|(file, text)| ((*file).to_owned(), *text)));
            files.push((SHEET.to_owned(), text));
            let files: Vec<(&str, &str)> = files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
            let folder = Folder::of(&files);
            Mapping::compile(&folder, Amounts::Unshifted).unwrap().compare_examples(&folder).defects().is_empty()
        });
        if maps_alike {
            assert_eq!(
                meaning(text),
                meaning(shipped.sheet().unwrap()),
                "cut at {cut}: a row is missing, and no example tells"
            );
            unchanged += 1;
        }
    }
    assert!(verdicts.len() > 20 && unchanged > 0, "{} {unchanged}", verdicts.len());
}

#[test]
fn a_table_that_is_cut_off_anywhere_is_refused_or_is_a_beginning_of_itself() {
    let (files, tables) = shipped_tables();
    for (name, text) in files {
        let (header, rows) = text.split_once('\n').unwrap();
        for row in rows.lines() {
            for (cut, _) in row.char_indices() {
                let cut = row.split_at(cut).0;
                let read = Table::read("t", &format!("{header}\n{cut}"));
                let (Some(found), true) = (read.rows.first(), read.findings.mistakes.is_empty()) else { continue };
                let whole = tables[&name].get(&found.key).unwrap_or_else(|| panic!("{name}: {cut:?} has another key"));
                assert!(whole.starts_with(&found.value), "{name}: {cut:?} has another value");
            }
        }
    }
}

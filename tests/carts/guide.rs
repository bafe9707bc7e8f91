//! `docs/mapping.md`: every example of the guide, and every value in its table of conversions.

use std::fs;

use serde_json::Value;

use super::{mapped, mistakes};
use purchase_order_webhook::cart::Cart;
use purchase_order_webhook::mapping::{Folder, IdField, Mapping, MappingOptions};

const HEADER: &str = "target,source,as,absent,when,remark\n";

/// The words of the sheet; each has an example.
const WORDS: [&str; 33] = [
    ",text,",
    ",id,",
    ",padded:",
    ",guid,",
    ",date,",
    ",timestamp,",
    ",decimal,",
    ",amount,",
    ",integer,",
    ",flag,",
    ",lines,",
    ",rows,",
    ",skip,",
    ",table:",
    ",join:",
    ",constant:SRM,",
    ",constant:false,",
    ",constant:1,",
    ",refuse,",
    ",omit,",
    ",use:",
    ",one-of:",
    " + ",
    "[]",
    "[DIST_IND=]",
    "[00000019]",
    "[STAT=I1016][INACT=]",
    " > ",
    " <= ",
    " >= ",
    " != ",
    " and ",
    ",*,",
];

fn guide() -> String {
    fs::read_to_string("docs/mapping.md").unwrap()
}

/// The fenced blocks of the guide: what follows the fence, and the text inside.
fn blocks(guide: &str) -> Vec<(&str, &str)> {
    let fenced = guide.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("a fence and lines")).collect()
}

/// A sheet with these tables beside it, and those that the repository ships.
fn compiled(rows: &str, tables: &[(&str, &str)]) -> Mapping {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("tables");
    fs::create_dir(&own).unwrap();
    for entry in fs::read_dir("mapping/tables").unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), own.join(entry.file_name())).unwrap();
    }
    for (name, text) in tables {
        fs::write(own.join(format!("{name}.csv")), text).unwrap();
    }
    fs::write(folder.path().join("purchase-order.csv"), format!("{HEADER}{rows}")).unwrap();
    let options = MappingOptions { id_field: IdField::Nowhere, ..MappingOptions::default() };
    Mapping::compile_with(&Folder::read(folder.path()).unwrap(), &options)
        .unwrap_or_else(|defects| panic!("{rows}: {defects:?}"))
}

#[test]
fn every_example_of_the_guide_is_as_it_says() {
    let guide = guide();
    let (mut tables, mut mapping, mut cart, mut compared) = (Vec::new(), None, "", 0);
    for (kind, text) in blocks(&guide) {
        match kind.split_once(' ').unwrap_or((kind, "")) {
            ("table", name) => tables.push((name, text)),
            ("sheet", _) => mapping = Some(compiled(text, &std::mem::take(&mut tables))),
            ("cart", _) => cart = text,
            ("order", _) => {
                let order = mapped(mapping.as_ref().unwrap(), cart);
                assert_eq!(order.body, text.trim_end(), "{cart}");
                compared += 1;
            }
            ("refused", _) => {
                let refused = mapping.as_ref().unwrap().map(&Cart::parse(cart).unwrap()).unwrap_err();
                let told: Vec<String> = refused.iter().map(|m| format!("{}: {}", m.number, m.message)).collect();
                assert_eq!(told, text.lines().collect::<Vec<_>>(), "{cart}");
                compared += 1;
            }
            _ => panic!("a block of the kind {kind:?}; expected sheet, table, cart, order or refused"),
        }
    }
    assert!(compared >= 13, "only {compared} results");
}

#[test]
fn every_word_of_the_sheet_has_an_example() {
    let guide = guide();
    let examples: String = blocks(&guide)
        .into_iter()
        .filter(|(kind, _)| kind.starts_with("sheet") || kind.starts_with("table"))
        .map(|(_, text)| text)
        .collect();
    let missing: Vec<&str> = WORDS.into_iter().filter(|word| !examples.contains(word)).collect();
    assert_eq!(missing, [""; 0]);
}

/// What stands in back quotes in a cell of a table of the guide, as JSON.
fn values(cell: &str) -> Vec<Value> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| serde_json::from_str(text).ok()).collect()
}

#[test]
fn every_value_in_the_table_of_conversions_becomes_what_it_says() {
    let guide = guide();
    let (_, section) = guide.split_once("\n## as\n").unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let mut compared = 0;
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let conversion = cells[0].split('`').nth(1).unwrap();
        let (inputs, outputs) = (values(cells[1]), values(cells[2]));
        if conversion.starts_with("constant:") {
            let conversions: Vec<&str> = cells[0].split('`').skip(1).step_by(2).collect();
            assert_eq!(conversions.len(), outputs.len(), "{row}");
            for (conversion, output) in conversions.iter().zip(&outputs) {
                let cell = format!("\"{}\"", conversion.replace('"', "\"\""));
                let order = mapped(&compiled(&format!("x,,{cell},,,\n"), &[]), &cart(&Value::Null)).order();
                assert_eq!(order["x"], *output, "{row}");
                compared += 1;
            }
            continue;
        }
        let mapping = || compiled(&format!("x,HEADER.ZZ_X,{conversion},omit,,\n"), &[]);
        for (index, input) in inputs.iter().enumerate() {
            let output = if outputs.len() == 1 { outputs.first() } else { outputs.get(index) };
            let order = mapped(&mapping(), &cart(input)).order();
            assert_eq!(Some(&order["x"]), output, "{row}: {input}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "only {compared} values");
}

#[test]
fn the_rows_for_limits_are_a_sheet() {
    let guide = guide();
    let lines =
        guide.lines().map(str::trim_start).skip_while(|line| !line.contains("ITEM.QUANTITY,decimal,one-of:measure"));
    // These rows have a remark and no condition.
    let rows: Vec<String> = lines
        .take_while(|line| line.contains(','))
        .map(|line| line.rsplit_once(',').map_or_else(String::new, |(row, _)| format!("{row},,\n")))
        .collect();
    assert!(rows.len() > 2, "{rows:?}");
    compiled(&rows.concat(), &[]);
}

/// A cart with a field of the header.
fn cart(value: &Value) -> String {
    format!(r#"{{"HEADER":{{"OBJECT_ID":"1","ZZ_X":{value}}},"ITEM":[{{"NUMBER_INT":"10"}}]}}"#)
}

#[test]
fn more_digits_than_padded_takes_are_a_mistake() {
    let found = mistakes(&compiled("x,HEADER.ZZ_X,padded:4,omit,,\n", &[]), &cart(&Value::from("12345")));
    assert_eq!(found.len(), 1, "{found:?}");
}

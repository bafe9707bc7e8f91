//! What an analyst sees: `check --mapping`, `check --update-examples`, `map` on a terminal, and `dev` with a cart of one's own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::commands::{folder_with, run};
use crate::snapshot_files::{assert_snapshot, redact_after};

const SHEET: &str = "target,source,as,absent,remark\nexternalId,ID,text,refuse,\norg,HEADER.ORG,text,refuse,\n\
     lines[],ITEM[ITM_TYPE=HIER],skip,,an outline\nlines[].unit,ITEM.UNIT,table:units,refuse,\nlines[].quantity,ITEM.QUANTITY,decimal,omit,\n";
const UNITS: &str = "unit,value\nH,HUR\n";
const CART: &str = r#"{"HEADER":{"OBJECT_ID":"1","ORG":"1010"},"ITEM":[{"UNIT":"H","QUANTITY":2}]}"#;
const REFUSED: &str = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"UNIT":"?","QUANTITY":2}]}"#;

#[test]
fn check_of_a_mapping_alone_needs_no_settings() {
    let folder = folder_with(&[
        ("mapping/purchase-order.csv", SHEET),
        ("mapping/tables/units.csv", UNITS),
        ("mapping/tables/regions.txt", "no table"),
        ("mapping/examples/a.cart.JSON", "no example"),
        ("mapping/examples/a.order", "no example"),
    ]);
    let text = run("check --mapping [folder]/mapping", "", folder.path());
    assert_snapshot("commands/check-a-mapping-without-examples.snap", &text);
    fs::write(folder.path().join("mapping/purchase-order.csv"), SHEET.replace("decimal", "number")).unwrap();
    let text = run("check --mapping [folder]/mapping", "", folder.path());
    assert_snapshot("commands/check-a-mapping-with-a-mistake.snap", &text);
}

#[test]
fn check_of_a_mapping_reads_its_settings_only_from_a_file_that_is_named() {
    let folder = folder_with(&[
        ("config.toml", "mapping.shifted_amounts = \"perhaps\"\nmapping.directory = \"nowhere\"\n"),
        ("mapping/purchase-order.csv", SHEET),
        ("mapping/tables/units.csv", UNITS),
    ]);
    let alone = run("check --mapping [folder]/mapping", "", folder.path());
    assert!(alone.ends_with("exit code 0"), "{alone}");
    let text = run("check --mapping [folder]/mapping --config [folder]/config.toml", "", folder.path());
    assert!(text.contains("mapping.shifted_amounts") && text.ends_with("exit code 1"), "{text}");
    let text = run("check --mapping [folder]/mapping --target", "", folder.path());
    assert!(text.ends_with("exit code 2"), "11VMS can't be asked without settings: {text}");
}

#[test]
fn updated_examples_are_shown_then_written_and_no_order_becomes_a_refusal() {
    let folder = folder_with(&[
        ("mapping/purchase-order.csv", SHEET),
        ("mapping/tables/units.csv", UNITS),
        ("mapping/examples/changed.cart.json", CART),
        ("mapping/examples/changed.order.json", "{\"externalId\":\"1\",\n \"org\":\"2020\",\n \"lines\":[]}\n"),
        ("mapping/examples/new.cart.json", CART),
        ("mapping/examples/new-refusal.cart.json", REFUSED),
        ("mapping/examples/refused-now.cart.json", REFUSED),
        ("mapping/examples/refused-now.order.json", "{}"),
    ]);
    let text = run("check --mapping [folder]/mapping --update-examples", "", folder.path());
    assert_snapshot("commands/check-updates-examples.snap", &text);
    let read = |file: &str| fs::read_to_string(folder.path().join("mapping/examples").join(file)).unwrap();
    let changed = "{\"externalId\":\"1\",\n \"org\":\"1010\",\n \"lines\":[{\"unit\":\"HUR\",\"quantity\":\"2\"}]}\n";
    assert_eq!(read("changed.order.json"), changed, "the lines are where they were");
    let refusal =
        "[{\"number\":\"010\",\"field\":\"ORG\",\"row\":0},\n {\"number\":\"012\",\"field\":\"UNIT\",\"row\":1}]\n";
    assert_eq!(read("new-refusal.refused.json"), refusal);
    assert_eq!(read("refused-now.order.json"), "{}", "left as it is");

    fs::remove_file(folder.path().join("mapping/examples/refused-now.order.json")).unwrap();
    let text = run("check --mapping [folder]/mapping --update-examples", "", folder.path());
    assert!(text.contains("written: [folder]/mapping/examples/refused-now.refused.json"), "{text}");
    assert!(text.matches("written: ").count() == 1 && text.ends_with("exit code 0"), "{text}");
    let text = run("check --mapping [folder]/mapping", "", folder.path());
    assert!(text.contains("no mistakes") && text.ends_with("exit code 0"), "{text}");
    let names = fs::read_dir(folder.path().join("mapping/examples")).unwrap().count();
    assert_eq!(names, 8, "nothing else is left in the folder");
}

#[test]
fn nothing_is_written_for_a_sheet_with_mistakes() {
    let folder = folder_with(&[
        ("mapping/purchase-order.csv", &SHEET.replace("refuse", "maybe")),
        ("mapping/tables/units.csv", UNITS),
        ("mapping/examples/new.cart.json", CART),
    ]);
    let text = run("check --mapping [folder]/mapping --update-examples", "", folder.path());
    assert!(!text.contains("written: ") && text.ends_with("exit code 1"), "{text}");
    assert_eq!(fs::read_dir(folder.path().join("mapping/examples")).unwrap().count(), 1);
}

/// What `map` prints on a terminal, which `script` (util-linux) provides.
fn on_a_terminal(arguments: &str, folder: &Path) -> String {
    let command = format!("{} {arguments}", env!("CARGO_BIN_EXE_purchase-order-webhook"));
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &command.replace("[folder]", folder.to_str().unwrap()), "/dev/null"])
        .env_remove("PO_WEBHOOK_CONFIG")
        .stdin(Stdio::null())
        .output()
        .expect("script of util-linux, which Debian always has");
    let text =
        String::from_utf8(output.stdout).unwrap().replace('\r', "").replace(folder.to_str().unwrap(), "[folder]");
    let text = redact_after(&text, "mapping version ", |c| c.is_ascii_hexdigit(), "[mapping version]");
    format!("$ purchase-order-webhook {arguments}\n\n{text}\nexit code {}", output.status.code().unwrap())
}

#[test]
fn map_is_a_table_on_a_terminal() {
    let cart = r#"{"HEADER":{"OBJECT_ID":"1","ORG":"10\u001b[31m10"},"ITEM":[{"ITM_TYPE":"HIER"},{"UNIT":"H"}]}"#;
    let folder = folder_with(&[
        ("mapping/purchase-order.csv", SHEET),
        ("mapping/tables/units.csv", UNITS),
        ("cart.json", cart),
        ("refused.json", REFUSED),
    ]);
    let accepted = on_a_terminal("map --mapping [folder]/mapping [folder]/cart.json", folder.path());
    let refused = on_a_terminal("map --mapping [folder]/mapping [folder]/refused.json", folder.path());
    assert_snapshot("commands/map-on-a-terminal.snap", &format!("{accepted}\n\n{refused}"));
    let json = on_a_terminal("map --json --mapping [folder]/mapping [folder]/cart.json", folder.path());
    assert!(json.contains("\n  \"fields\": ["), "{json}");
}

#[test]
fn dev_explains_a_cart_that_is_refused_and_keeps_serving() {
    let folder = folder_with(&[("cart.json", REFUSED)]);
    let text = run("dev --once --cart [folder]/cart.json", "", folder.path());
    assert!(text.ends_with("exit code 1"), "{text}");
    for expected in ["\n422 ", "\n  E 010  HEADER.ZZ_SALES_ORG ", "The cart did not become an order."] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let text = run("dev --once --cart [folder]/nowhere.json", "", folder.path());
    assert!(text.contains("[folder]/nowhere.json: ") && text.ends_with("exit code 1"), "{text}");

    let mut child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
        .args(["dev", "--cart"])
        .arg(folder.path().join("cart.json"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "The cart did not become an order."));
    assert!(lines.any(|line| line.starts_with("Stop: Ctrl-C")), "it goes on");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

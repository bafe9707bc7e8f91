//! `map --compare`: on files, and on the carts that a running service has kept, in a file and in a database.

use std::fs;
use std::path::Path;

use purchase_order_webhook::ledger::kept_carts::KeptCarts;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::commands::run;
use crate::postgres::Postgres;
use crate::process::Process;
use crate::snapshot_files::{assert_snapshot, redact_after};
use crate::support::{cart, example};

/// Copies of the default mapping, `old` and `new`; in the new one, each text of a file is replaced by another one.
fn mappings(changes: &[(&str, &str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping");
    for name in ["old", "new"] {
        for part in ["", "tables"] {
            let (from, to) = (mapping.join(part), folder.path().join(name).join(part));
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            }
        }
    }
    for (file, before, after) in changes {
        let path = folder.path().join("new").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(before), "{file} has no {before}");
        fs::write(path, text.replace(before, after)).unwrap();
    }
    folder
}

/// A region with another code, a unit that is not known any more, and a constant.
const CHANGES: [(&str, &str, &str); 3] = [
    ("tables/regions.csv", "EMEA-DACH", "EMEA-CENTRAL"),
    ("tables/units.csv", "\nDAY,DAY,day\n", "\n"),
    ("purchase-order.csv", "lines[].needByDate", "lines[].channel,,constant:SRM,,\nlines[].needByDate"),
];

/// A command without what differs from run to run.
fn shown(arguments: &str, input: &str, folder: &Path) -> String {
    let text = run(arguments, input, folder);
    let text = redact_after(&text, "(version ", |c| c.is_ascii_hexdigit(), "[version]");
    redact_after(&text, "\"version\": \"", |c| c.is_ascii_hexdigit(), "[version]")
}

/// Exit code of a command's text.
fn code(text: &str) -> &str {
    text.rsplit_once("exit code ").unwrap().1
}

/// Writes carts: one, two in a batch, three line by line, and one that both refuse.
fn write_carts(folder: &Path) {
    let carts = folder.join("carts");
    fs::create_dir_all(carts.join("more")).unwrap();
    let write = |name: &str, text: String| fs::write(carts.join(name), text).unwrap();
    write("sample.json", example("asjson-sample").to_string());
    write("batch.json", json!({ "CARTS": { "item": [cart(1), cart(2)] } }).to_string());
    let mut days = cart(3);
    days["ITEM"][0]["UNIT"] = json!("DAY");
    write("more/lines.ndjson", format!("\u{feff}{}\r\n\n{days}\n{}\n", cart(4), cart(5)));
    write("refused.json", r#"{"HEADER":{"OBJECT_ID":"6"},"ITEM":[{}]}"#.to_owned());
    write("sample.order.json", "{}".to_owned());
    write("README.md", "no cart".to_owned());
}

#[test]
fn two_mappings_are_compared_on_files_for_people_and_for_programs() {
    let folder = mappings(&CHANGES);
    write_carts(folder.path());
    let compare = "map --compare [folder]/old [folder]/new [folder]/carts";
    assert_snapshot("commands/map-compare.snap", &shown(compare, "", folder.path()));
    assert_snapshot("commands/map-compare-json.snap", &shown(&format!("{compare} --json"), "", folder.path()));
}

#[test]
fn the_exit_code_says_whether_anything_differs() {
    let folder = mappings(&CHANGES);
    write_carts(folder.path());
    let one = cart(1).to_string();
    for (arguments, input, expected) in [
        ("map --compare [folder]/old [folder]/old [folder]/carts", "", "0"),
        ("map --compare [folder]/old [folder]/new -", one.as_str(), "1"),
        ("map --compare [folder]/old [folder]/old -", one.as_str(), "0"),
        ("map --compare [folder]/old [folder]/old --json -", one.as_str(), "0"),
        ("map --compare [folder]/old [folder]/new -", "{\"HEADER\":", "2"),
        ("map --compare [folder]/old [folder]/new -", "[]", "2"),
        ("map --compare [folder]/old [folder]/new [folder]/nowhere.json", "", "2"),
        ("map --compare [folder]/old [folder]/new [folder]/new", "", "2"),
        ("map --compare [folder]/old [folder]/carts [folder]/carts", "", "2"),
        ("map --compare [folder]/old", "", "2"),
        ("map --compare [folder]/old [folder]/new", "", "2"),
        ("map --compare [folder]/old [folder]/new --ledger sqlite:x.db -", "", "2"),
        ("map --ledger sqlite:x.db", "", "2"),
        ("map a.json b.json", "", "2"),
    ] {
        let text = run(arguments, input, folder.path());
        assert_eq!(code(&text), expected, "{text}");
    }
}

#[test]
fn a_cart_that_is_none_is_named_with_its_place() {
    let folder = mappings(&[]);
    fs::write(folder.path().join("carts.json"), format!("[{},\n {{\"HEADER\":{{}},\"HEADER\":{{}}}}]", cart(1)))
        .unwrap();
    let text = run("map --compare [folder]/old [folder]/new [folder]/carts.json", "", folder.path());
    assert!(text.contains("carts.json cart 2") && text.contains("line 2"), "{text}");
    assert!(text.contains("1 of 2 texts are no carts") && code(&text) == "2", "{text}");
}

/// Five carts, the last one in days.
fn sent() -> Vec<Value> {
    let mut carts: Vec<Value> = (1..=5).map(cart).collect();
    carts[4]["ITEM"][0]["UNIT"] = json!("DAY");
    carts
}

/// Sends them to a service: one alone, one as a list of one, the others in a batch.
async fn send(process: &Process) {
    let carts = sent();
    for (request_id, body) in [("one", carts[0].to_string()), ("list", json!([carts[1]]).to_string())] {
        let answer = process.post("", request_id, body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
    }
    let batch = &carts[2..];
    let answer = process.post("/batch", "b", json!({ "CARTS": batch }).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn compared(arguments: String, folder: &TempDir) -> String {
    let path = folder.path().to_owned();
    tokio::task::spawn_blocking(move || shown(&arguments, "", &path)).await.unwrap()
}

/// The counts of a report.
fn counts(text: &str) -> Value {
    let json = text.split("--- standard output ---").nth(1).unwrap().split("\nexit code").next().unwrap();
    let report: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {text}"));
    json!([report["ledger"]["orders"], report["ledger"]["cartsKept"], report["carts"], report["differing"]])
}

#[tokio::test]
async fn a_running_service_keeps_carts_for_a_rehearsal_and_is_not_disturbed_by_it() {
    let folder = mappings(&CHANGES);
    let file = folder.path().join("orders.db").display().to_string();
    let process = Process::start(&format!("ledger.keep_carts = true\nledger.url = \"sqlite:{file}\"\n")).await;
    send(&process).await;
    // Of the batch, each cart alone, as it was written.
    let kept = KeptCarts::in_file(Path::new(&file)).unwrap().next_page().await.unwrap();
    let sent: Vec<String> = sent().iter().map(Value::to_string).collect();
    assert_eq!(kept.into_iter().map(|cart| cart.text).collect::<Vec<_>>(), sent);
    let compare = format!("map --compare [folder]/old [folder]/new --ledger sqlite:{file}");
    let text = compared(compare.clone(), &folder).await.replace(&file, "[folder]/orders.db");
    assert_snapshot("commands/map-compare-ledger.snap", &text);
    let json = compared(format!("{compare} --json"), &folder).await;
    assert_eq!((counts(&json), code(&json)), (json!([5, 5, 5, 5]), "1"));
    let answer = process.post("", "r9", cart(9).to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 201, "the service goes on");
    process.stop().await;
    // The setting is off, and the ledger that of the settings.
    let process = Process::start(&format!("ledger.url = \"sqlite:{file}\"\n")).await;
    assert_eq!(process.post("", "r10", cart(10).to_string()).send().await.unwrap().status(), 201);
    fs::write(folder.path().join("config.toml"), format!("ledger.url = \"sqlite:{file}\"\n")).unwrap();
    let own = "map --config [folder]/config.toml --json --compare [folder]/old [folder]/old --ledger".to_owned();
    let json = compared(own, &folder).await;
    assert_eq!((counts(&json), code(&json)), (json!([7, 6, 6, 0]), "0"));
    process.stop().await;
}

#[tokio::test]
async fn a_ledger_that_keeps_no_carts_says_so() {
    let folder = mappings(&CHANGES);
    let file = folder.path().join("orders.db").display().to_string();
    let process = Process::start(&format!("ledger.url = \"sqlite:{file}\"\n")).await;
    send(&process).await;
    let text = compared(format!("map --compare [folder]/old [folder]/new --ledger sqlite:{file}"), &folder).await;
    assert!(text.contains("0 of 5 orders have their cart kept; nothing can be compared."), "{text}");
    assert!(text.contains("ledger.keep_carts = \"on\"") && code(&text) == "2", "{text}");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_carts_in_a_database_are_read_by_a_user_that_may_only_select() {
    let Some(server) = Postgres::start() else { return };
    let folder = mappings(&CHANGES);
    let url = server.database("orders");
    let process = Process::start(&format!("ledger.keep_carts = \"on\"\nledger.url = \"{url}\"\n")).await;
    send(&process).await;
    server.run_sql("orders", "CREATE ROLE analyst LOGIN PASSWORD 'hush'");
    server.run_sql("orders", "GRANT SELECT ON orders, order_carts, schema_version TO analyst");
    let url = url.replace("postgres@", "analyst:hush@");
    let json = compared(format!("map --json --compare [folder]/old [folder]/new --ledger {url}"), &folder).await;
    assert_eq!((counts(&json), code(&json)), (json!([5, 5, 5, 5]), "1"));
    // What fails does not show the password.
    for wrong in
        [url.replace("/orders?", "/nowhere?"), url.replace("postgres://", "mysql://"), format!("{url}&hush=hush")]
    {
        let arguments = format!("map --compare [folder]/old [folder]/new --ledger {wrong}");
        let text = compared(arguments.clone(), &folder).await;
        let output = text.replace(&arguments, "");
        assert!(code(&text) == "2" && !output.contains("analyst:hush"), "{output}");
    }
    process.stop().await;
}

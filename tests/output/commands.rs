//! `check`, `map`, and the help: what the real binary prints, and how it exits.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::SandboxVms;
use tempfile::TempDir;

use crate::snapshot_files::{assert_snapshot, readable, redact_after};
use crate::support::basics;

/// Runs a command in the repository's folder, and shows it as a terminal would; `folder` is where its own files are.
pub fn run(arguments: &str, input: &str, folder: &Path) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
        .args(arguments.split_whitespace().map(|argument| argument.replace("[folder]", folder.to_str().unwrap())))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("PO_WEBHOOK_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let output_text = |bytes: Vec<u8>| {
        let text = readable(&String::from_utf8(bytes).unwrap()).replace(folder.to_str().unwrap(), "[folder]");
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    let (stdout, stderr) = (output_text(output.stdout), output_text(output.stderr));
    let [stdout, stderr] =
        [stdout, stderr].map(|text| redact_after(&text, ", version ", |c| c.is_ascii_hexdigit(), "[mapping version]"));
    let mut text = format!("$ purchase-order-webhook {arguments}\n");
    if !input.is_empty() {
        writeln!(text, "(standard input: {input})").unwrap();
    }
    for (name, part) in [("standard output", stdout), ("standard error", stderr)] {
        if !part.is_empty() {
            writeln!(text, "\n--- {name} ---\n{part}").unwrap();
        }
    }
    format!("{text}\nexit code {}", output.status.code().unwrap())
}

/// A folder with files.
pub fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("[folder]", folder.path().to_str().unwrap())).unwrap();
    }
    folder
}

/// Settings without mistakes, but for the lines given.
fn settings(own: &str) -> String {
    let needed = "auth.issuer = \"https://issuer.example\"\nauth.audience = \"webhook\"\n\
        target.base_url = \"https://vms.example\"\ntarget.oauth2.token_url = \"https://vms.example/token\"\n\
        target.oauth2.client_id = \"webhook\"\ntarget.oauth2.client_secret = \"secret\"\n";
    format!("{needed}{own}")
}

const SMALL_CART: &str = r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"UNIT":"H","QUANTITY":2}]}"#;

#[test]
fn map_previews_the_sample_cart() {
    let text = run("map mapping/examples/asjson-sample.cart.json", "", Path::new("/nowhere"));
    assert_snapshot("commands/map-the-sample-cart.snap", &text);
}

#[test]
fn map_names_every_mistake_of_a_cart() {
    let cart = r#"{"HEADER":{"OBJECT_ID":"1","ZZ_CUST_CATEGORY":"Z"},"ITEM":[{"UNIT":"?","QUANTITY":"many"}]}"#;
    assert_snapshot("commands/map-a-cart-with-mistakes.snap", &run("map -", cart, Path::new("/nowhere")));
}

#[test]
fn map_says_where_a_cart_is_no_json() {
    let text = run("map -", "{\"HEADER\":}", Path::new("/nowhere"));
    assert_snapshot("commands/map-a-cart-that-is-no-json.snap", &text);
}

#[test]
fn check_finds_no_mistakes_in_the_example() {
    let text = run("check --config config.example.toml", "", Path::new("/nowhere"));
    assert_snapshot("commands/check-without-mistakes.snap", &text);
}

#[test]
fn check_names_mistakes_of_settings_and_mapping_together() {
    let folder = folder_with(&[
        (
            "config.toml",
            "server.listen = \"here\"\nserver.deadline = \"50\"\nserver.max_bdy = \"1MiB\"\nauth.audience = \"webhook\"\n\
             target.base_url = \"vms.example\"\nretry.jitter = 2\nmapping.directory = \"[folder]/mapping\"\n",
        ),
        (
            "mapping/purchase-order.csv",
            "target,source,as,absent,remark\nexternalId,ID,text,refuse,\nexternalId,HEADER.OBJECT_ID,text,refuse,twice\n\
             unit,ITEM.UNIT,table:units,refuse,in no list\nlines[].unit,ITEM.UNIT,table:units,refuse,\n\
             total,HEADER.TOTAL_VALUE,number,perhaps,\n",
        ),
        ("mapping/tables/units.csv", "key,value\nH,HUR\nH,HOUR\n"),
    ]);
    let text = run("check --config [folder]/config.toml", "", folder.path());
    assert_snapshot("commands/check-mistakes-of-settings-and-mapping.snap", &text);
}

#[test]
fn check_shows_examples_that_become_another_order() {
    let config = settings("mapping.directory = \"[folder]/mapping\"\n");
    let folder = folder_with(&[
        ("config.toml", &config),
        (
            "mapping/purchase-order.csv",
            "target,source,as,absent,remark\nexternalId,ID,text,refuse,\nlines[].unit,ITEM.UNIT,text,refuse,\n",
        ),
        ("mapping/examples/small.cart.json", SMALL_CART),
        ("mapping/examples/small.order.json", r#"{"externalId":"2","lines":[{"unit":"HUR"}]}"#),
        ("mapping/examples/alone.cart.json", SMALL_CART),
    ]);
    let text = run("check --config [folder]/config.toml", "", folder.path());
    assert_snapshot("commands/check-examples-that-differ.snap", &text);
}

#[test]
fn check_warns_of_what_is_probably_not_meant() {
    let config = settings("mapping.directory = \"[folder]/mapping\"\n");
    let folder = folder_with(&[
        ("config.toml", &config),
        (
            "mapping/purchase-order.csv",
            "target;source;as;absent;remark\r\nexternalId;ID;text;refuse;\r\nnote;HEADER.NOTE;text;omit;\r\n\
             system;;constant:SRM;;\r\nlines[].unit;ITEM.UNIT;text;refuse;\r\nline[].price;ITEM.PRICE;decimal;omit;\r\n",
        ),
        ("mapping/tables/regions.csv", "region,value\n07,South\n8,North\n"),
    ]);
    let text = run("check --config [folder]/config.toml", "", folder.path());
    assert_snapshot("commands/check-with-warnings.snap", &text);
}

#[test]
fn serve_does_not_start_with_mistakes() {
    let folder = folder_with(&[("config.toml", "server.listen = \"here\"\n")]);
    let text = run("serve --config [folder]/config.toml", "", folder.path());
    let text = redact_after(&text, "\"timestamp\":\"", |c| c != '"', "[time]");
    assert_snapshot("commands/serve-with-mistakes.snap", &text);
}

/// A command against a sandbox issuer and a sandbox 11VMS, whose addresses are hidden.
async fn run_with_sandbox(arguments: &str, own: &str) -> String {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let config = format!("{}{own}", basics(&issuer, &vms, &folder, own));
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let (arguments, path) = (arguments.to_owned(), folder.path().to_owned());
    let text = tokio::task::spawn_blocking(move || run(&arguments, "", &path)).await.unwrap();
    let text = text.replace(&issuer.url(), "http://issuer").replace(vms.url().as_str(), "http://11vms/");
    redact_after(&text, "has no mistakes, version ", |c| c.is_ascii_hexdigit(), "[mapping version]")
}

#[tokio::test]
async fn doctor_finds_everything_well() {
    let text = run_with_sandbox("doctor --config [folder]/config.toml", "").await;
    assert_snapshot("commands/doctor.snap", &text);
}

#[tokio::test]
async fn doctor_says_what_to_do_about_each_finding() {
    let own = "target.oauth2.client_secret = \"change-me\"\nauth.algorithms = [\"ES256\"]\nserver.cors_origins = [\"https://portal.example\"]\n\
        ledger.url = \"sqlite:mapping\"\nmapping.directory = \"nowhere\"\n";
    let text = run_with_sandbox("doctor --config [folder]/config.toml", own).await;
    assert_snapshot("commands/doctor-with-findings.snap", &text);
}

#[test]
fn doctor_with_wrong_settings_names_every_mistake() {
    let folder = folder_with(&[("config.toml", "server.listen = \"here\"\n")]);
    let text = run("doctor --config [folder]/config.toml", "", folder.path());
    let text = redact_after(&text, "has no mistakes, version ", |c| c.is_ascii_hexdigit(), "[mapping version]");
    assert_snapshot("commands/doctor-with-mistakes.snap", &text);
}

#[tokio::test]
async fn check_target_asks_11vms() {
    let text = run_with_sandbox("check --target --config [folder]/config.toml", "").await;
    assert_snapshot("commands/check-target.snap", &text);
    let own = "target.base_url = \"http://127.0.0.1:1/\"\n";
    let text = run_with_sandbox("check --target --config [folder]/config.toml", own).await;
    assert_snapshot("commands/check-target-that-is-down.snap", &text);
}

#[test]
fn help_says_what_the_commands_do() {
    let commands =
        ["", "serve ", "check ", "doctor ", "alert ", "healthcheck ", "map ", "openapi ", "settings ", "dev "];
    let pages = commands.map(|command| run(&format!("{command}--help"), "", Path::new("/nowhere")));
    assert_snapshot("commands/help.snap", &pages.join("\n\n"));
}

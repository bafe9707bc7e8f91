//! The commands of the real binary: their output and exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the binary in a folder, without settings of the environment.
fn run_in(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("PO_WEBHOOK_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    run_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments, "")
}

#[test]
fn a_hyphen_is_no_path_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["backup", "-"][..], &["backup", "--config", "-", "x.db"], &["check", "--config", "-"]] {
        let (code, _, stderr) = run_in(folder.path(), arguments, "");
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stderr.contains("expected the path of a file"), "{arguments:?}: {stderr}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [vec![], vec!["fly"], vec!["openapi", "--spec", "2.0"], vec!["map"]] {
        let (code, _, stderr) = run(&arguments);
        assert_eq!(code, 2, "{arguments:?}");
        assert!(stderr.contains("--help") || stderr.contains("Usage"), "{stderr}");
    }
}

/// The mistakes of a service that can't start: each is one ERROR line in JSON, with a message and its reason.
fn start_errors(stderr: &str) -> Vec<String> {
    let reason = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(line["level"], "ERROR", "{line}");
        assert!(line["message"].as_str().unwrap().starts_with("the service can't start"), "{line}");
        line["error.message"].as_str().unwrap().to_owned()
    };
    stderr.lines().map(reason).collect()
}

#[test]
fn dev_once_prints_the_steps_of_the_cart_and_its_order() {
    let (code, stdout, stderr) = run(&["dev", "--once"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let mut rest = stdout.as_str();
    for step in [
        "\nreceived",
        "\ntoken verified",
        "\nmapped",
        "\nrecorded",
        "\nsent",
        "\ncreated",
        "\nanswered",
        "purchase order 4500000001",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step} is missing, or in the wrong place: {stdout}"));
        rest = &rest[at + step.len()..];
    }
    assert_eq!(stderr, "");
}

#[test]
fn dev_works_outside_of_the_repository() {
    let elsewhere = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run_in(elsewhere.path(), &["dev", "--once"], "");
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "no file is left");
}

#[test]
fn wrong_settings_exit_with_78_from_serve_and_1_from_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "server.listen = \"here\"\nmapping.directory = \"nowhere\"\n").unwrap();
    let file = file.to_str().unwrap();
    let (code, _, stderr) = run(&["serve", "--config", file]);
    assert_eq!(code, 78);
    let errors = start_errors(&stderr);
    assert!(errors.iter().any(|error| error.contains("config.toml: server.listen: expected an address")), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("config.toml: auth.issuer is missing; expected")), "{errors:?}");
    let (code, _, stderr) = run(&["check", "--config", file]);
    assert_eq!(code, 1);
    assert!(stderr.contains("auth.issuer is missing"), "{stderr}");
    assert!(stderr.contains("nowhere/purchase-order.csv: "), "the mapping's mistakes are reported too: {stderr}");
    let (code, _, stderr) = run(&["serve", "--config", "/nowhere/config.toml"]);
    assert_eq!(code, 78);
    assert!(start_errors(&stderr)[0].contains("/nowhere/config.toml: can't be read"), "{stderr}");
}

#[test]
fn start_errors_are_in_the_configured_log_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let errors = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let (code, stdout, stderr) = run(&["serve", "--config", file.to_str().unwrap()]);
        assert_eq!((code, stdout.as_str()), (78, ""), "{stderr}");
        stderr
    };
    let text = errors("telemetry.log_format = \"text\"\nserver.listen = \"here\"");
    assert!(text.lines().all(|line| line.contains(" ERROR ") && line.contains("the service can't start")), "{text}");
    assert!(
        text.contains("server.listen: expected an address and port such as 0.0.0.0:8080, found \"here\""),
        "{text}"
    );
    for wrong in ["telemetry.log_format = \"xml\"", "telemetry.log_format ="] {
        assert!(!start_errors(&errors(wrong)).is_empty(), "the default is JSON: {wrong}");
    }
}

#[test]
fn the_first_line_of_serve_says_what_starts() {
    let folder = tempfile::tempdir().unwrap();
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")).unwrap();
    let database = format!("url = \"sqlite:{}\"", folder.path().display());
    let config = example
        .replace("url = \"sqlite:data/orders.db\"", &database)
        .replace("listen = \"0.0.0.0:8080\"", "listen = \"127.0.0.1:0\"");
    let file = folder.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let (code, stdout, stderr) = run(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!((code, start_errors(&stderr).len()), (1, 1), "a folder is no ledger: {stderr}");
    let first: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["level"], &first["message"]), (&Value::from("INFO"), &Value::from("the service starts")));
    for (field, expected) in [
        ("service.version", Value::from(env!("CARGO_PKG_VERSION"))),
        ("ledger.backend", Value::from("sqlite")),
        ("ledger.location", Value::from(folder.path().to_str().unwrap())),
        ("mapping.directory", Value::from("mapping")),
        ("server.address", Value::from("127.0.0.1:0")),
        ("server.management.address", Value::from("0.0.0.0:9090")),
        ("server.tls", Value::from(false)),
    ] {
        assert_eq!(first[field], expected, "{field}: {first}");
    }
    assert!(first["mapping.version"].as_str().is_some_and(|version| !version.is_empty()), "{first}");
}

/// The example, with another ledger and a free port, in a file.
fn config_with_ledger(folder: &Path, ledger: &str) -> String {
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")).unwrap();
    let config = example
        .replace("url = \"sqlite:data/orders.db\"", &format!("url = \"{ledger}\""))
        .replace("start_timeout = \"60s\"", "start_timeout = \"2s\"")
        .replace("listen = \"0.0.0.0:8080\"", "listen = \"127.0.0.1:0\"");
    let file = folder.join("config.toml");
    std::fs::write(&file, config).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_start_waits_for_its_database_up_to_a_limit_and_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = config_with_ledger(folder.path(), "postgres://me:hidden@127.0.0.1:1/orders");
    let (code, stdout, stderr) = run(&["serve", "--config", &file]);
    assert_eq!(code, 1, "{stderr}");
    let errors = start_errors(&stderr);
    assert!(errors.len() == 1 && errors[0].contains("ledger.url: 127.0.0.1:1: "), "{errors:?}");
    assert!(errors[0].contains("ledger.start_timeout") && !errors[0].contains("hidden"), "{errors:?}");
    let waits = stdout.lines().filter(|line| line.contains("the start waits")).count();
    assert_eq!(waits, 1, "one line, again after ten seconds: {stdout}");
}

#[test]
fn check_says_that_a_restore_is_too_long_ago_to_matter_or_in_the_future() {
    let folder = tempfile::tempdir().unwrap();
    let file = config_with_ledger(folder.path(), "sqlite:orders.db");
    let example = std::fs::read_to_string(&file).unwrap();
    for (restored_at, expected) in [("2001-01-01T00:00:00Z", 1), ("2999-01-01T00:00:00Z", 0)] {
        let line = format!("restored_at = \"{restored_at}\"");
        std::fs::write(&file, example.replace("#restored_at = \"2026-11-28T04:00:00Z\"", &line)).unwrap();
        let (_, stdout, stderr) = run(&["check", "--config", &file]);
        let warnings = stdout.lines().filter(|line| line.starts_with("warning: ledger.restored_at: 2001-01-01T"));
        assert_eq!(warnings.count(), expected, "{stdout}{stderr}");
        let mistakes =
            stderr.lines().filter(|line| line.contains("ledger.restored_at: 2999-01-01T00:00:00Z is in the future"));
        assert_eq!(mistakes.count(), 1 - expected, "{stdout}{stderr}");
    }
}

#[test]
fn check_names_a_file_that_is_no_regular_file_and_waits_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let pipe = pipe.to_str().unwrap();
    let file = config_with_ledger(folder.path(), "sqlite:orders.db");
    let example = std::fs::read_to_string(&file).unwrap();
    for (path, kind) in [(pipe, "a named pipe"), ("/dev/zero", "a device")] {
        for setting in [
            "target.ca",
            "auth.ca",
            "server.tls.certificate",
            "server.tls.key",
            "server.tls.client_ca",
            "target.oauth2.client_secret_file",
            "ledger.url_file",
            "sslrootcert",
        ] {
            let url = format!("postgres://127.0.0.1:1/orders?sslmode=verify-ca&sslrootcert={path}");
            let value = if setting == "sslrootcert" { url.as_str() } else { path };
            let key = if setting == "sslrootcert" { "ledger.url" } else { setting };
            let variable = format!("PO_WEBHOOK_{}", key.to_uppercase().replace('.', "__"));
            let is_secret = setting == "target.oauth2.client_secret_file";
            let unset = |key: &str| format!("#{key} = ");
            let text = example.replace("url = \"sqlite", &format!("{}\"sqlite", unset("url")));
            let text = if is_secret { text.replace("client_secret = ", &unset("client_secret")) } else { text };
            std::fs::write(&file, text).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"));
            command.args(["check", "--config", &file]).current_dir(env!("CARGO_MANIFEST_DIR"));
            if setting.starts_with("server.tls.") {
                command.env("PO_WEBHOOK_SERVER__TLS__CERTIFICATE", path).env("PO_WEBHOOK_SERVER__TLS__KEY", path);
            }
            let mistakes = String::from_utf8(command.env(variable, value).output().unwrap().stderr).unwrap();
            let expected = format!("it is {kind}; expected a regular file");
            let (last, expected) = (setting.rsplit('.').next().unwrap(), expected.as_str());
            let names = |line: &str| line.to_lowercase().contains(last) && line.contains(expected);
            assert!(mistakes.lines().any(names), "{setting}, {path}: {mistakes}");
        }
    }
    let (_, _, mistakes) = run(&["check", "--config", pipe]);
    assert!(mistakes.contains("pipe: can't be read: it is a named pipe"), "{mistakes}");
}

#[test]
fn a_start_that_waits_for_its_database_ends_with_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let file = config_with_ledger(folder.path(), "postgres://127.0.0.1:1/orders");
    let text = std::fs::read_to_string(&file).unwrap().replace("start_timeout = \"2s\"", "start_timeout = \"1h\"");
    std::fs::write(&file, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
        .args(["serve", "--config", &file])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("the start waits")));
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_files_of_a_database_are_checked_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://me:hidden@db.example/orders?sslmode=verify-full&sslrootcert=nowhere.pem";
    let file = config_with_ledger(folder.path(), url);
    for (command, expected) in [("check", 1), ("serve", 78)] {
        let (code, _, stderr) = run(&[command, "--config", &file]);
        assert_eq!(code, expected, "{stderr}");
        assert!(stderr.contains("ledger.url: sslrootcert nowhere.pem: No such file"), "{stderr}");
        assert!(!stderr.contains("hidden"), "{stderr}");
    }
}

#[test]
fn a_mapping_with_defects_is_a_wrong_setting_and_check_shows_failing_examples() {
    let folder = tempfile::tempdir().unwrap();
    let sheet = |text: &str| std::fs::write(folder.path().join("purchase-order.csv"), text).unwrap();
    std::fs::create_dir(folder.path().join("examples")).unwrap();
    let config = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")).unwrap();
    let config = config.replace("directory = \"mapping\"", &format!("directory = {:?}", folder.path()));
    let file = folder.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let file = file.to_str().unwrap();
    sheet("target,source,as,absent\na,HEADER.A,number,omit\nexternalId,ID,text,refuse\n");
    let (code, _, stderr) = run(&["serve", "--config", file]);
    assert_eq!(code, 78);
    let errors = start_errors(&stderr);
    assert!(errors[0].contains("purchase-order.csv line 2: as \"number\": expected text"), "{errors:?}");

    sheet("target,source,as,absent\nexternalId,ID,text,refuse\na,HEADER.A,text,omit\n");
    std::fs::write(
        folder.path().join("examples/x.cart.json"),
        r#"{"HEADER":{"OBJECT_ID":"1","A":"x"},"ITEM":[{"B":1}]}"#,
    )
    .unwrap();
    let (code, _, stderr) = run(&["check", "--config", file]);
    assert_eq!(code, 1);
    assert!(stderr.contains("examples/x.order.json is missing"), "{stderr}");
    std::fs::write(folder.path().join("examples/x.order.json"), r#"{"externalId":"1","a":"y"}"#).unwrap();
    let (code, _, stderr) = run(&["check", "--config", file]);
    assert_eq!(code, 1);
    assert!(stderr.contains(r#"a is "x", expected "y""#), "{stderr}");
    let (code, _, stderr) = run(&["serve", "--config", file]);
    assert_eq!(code, 78, "what check fails on is refused at the start");
    let errors = start_errors(&stderr);
    let expected = "/examples: 1 of 1 example differs; the first: examples/x.cart.json: ";
    assert!(errors.len() == 1 && errors[0].contains(expected) && errors[0].contains(r#"a is "x""#), "{errors:?}");
    std::fs::write(folder.path().join("examples/x.order.json"), r#"{"externalId":"1","a":"x"}"#).unwrap();
    let (code, stdout, stderr) = run(&["check", "--config", file]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
}

#[test]
fn check_finds_no_mistake_in_the_repository() {
    let (code, stdout, stderr) = run(&["check", "--config", "config.example.toml"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("mapping: no mistakes, version "), "{stdout}");
}

#[test]
fn map_previews_a_file_and_standard_input_without_settings() {
    let (code, stdout, stderr) = run(&["map", "mapping/examples/asjson-sample.cart.json"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let preview: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(preview["order"]["regionCode"], "EMEA-DACH");
    let cart =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping/examples/asjson-sample.cart.json"))
            .unwrap();
    let (code, piped, _) = run_in(Path::new(env!("CARGO_MANIFEST_DIR")), &["map", "-"], &cart);
    assert_eq!((code, piped), (0, stdout));
}

#[test]
fn map_names_the_mistakes_of_a_cart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, stdout, stderr) = run_in(root, &["map", "-"], r#"{"HEADER":{"OBJECT_ID":"1"},"ITEM":[{"UNIT":"?"}]}"#);
    assert_eq!(code, 1);
    assert!(stdout.contains("ZZ_SALES_ORG") && stderr.contains("mistakes"), "{stdout}{stderr}");
    let (code, _, stderr) = run_in(root, &["map", "-"], "{");
    assert_eq!(code, 1);
    assert!(stderr.contains("line 1, column 1"), "{stderr}");
    let (code, _, stderr) = run(&["map", "no-such-file.json"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("no-such-file.json"), "{stderr}");
}

#[test]
fn openapi_prints_the_committed_descriptions() {
    for (spec, file) in [(None, "openapi.json"), (Some("3.1"), "openapi.json"), (Some("3.0"), "openapi-3.0.json")] {
        let mut arguments = vec!["openapi"];
        arguments.extend(spec.iter().flat_map(|spec| ["--spec", *spec]));
        let committed =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(file)).unwrap();
        assert_eq!(run(&arguments).1, committed);
    }
}

#[test]
fn settings_prints_the_committed_example_page_and_schema() {
    for (format, file) in [
        (None, "config.example.toml"),
        (Some("toml"), "config.example.toml"),
        (Some("markdown"), "docs/configuration.md"),
        (Some("schema"), "docs/configuration.schema.json"),
    ] {
        let mut arguments = vec!["settings"];
        arguments.extend(format.iter().flat_map(|format| ["--format", *format]));
        let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert_eq!(run(&arguments).1, committed);
    }
}

#[test]
fn a_reader_that_goes_away_causes_no_panic() {
    for arguments in [&["dev", "--once"][..], &["openapi"], &["settings"]] {
        // Before the program starts: one that is quick would have written all.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("standard output: ") && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

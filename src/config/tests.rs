//! Every setting: its default, its mistakes, and the example file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::SettingsText;
use super::reader::Reader;
use super::*;
use crate::cart::Name;
use crate::mapping::{Amounts, DifferingExamples, Plausibility};
use crate::order::breaker::BreakerPolicy;

/// What no settings can do without.
pub(in crate::config) const NEEDED: &str = r#"
    auth.issuer = "https://issuer.example"
    auth.audience = "purchase-order-webhook"
    target.base_url = "https://vms.example/api/v1"
    target.oauth2.token_url = "https://issuer.example/oauth2/token"
    target.oauth2.client_id = "purchase-order-webhook"
    target.oauth2.client_secret = "change-me"
"#;

/// Reads settings with what is needed beside them, and variables.
pub(in crate::config) fn read_with_needed(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    Settings::parse("config.toml", &format!("{NEEDED}\n{text}"), &environment(variables))
}

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parse(text: &str) -> Result<Settings, Mistakes> {
    Settings::parse("config.toml", text, &BTreeMap::new())
}

fn mistakes(text: &str) -> Vec<String> {
    parse(text).err().map(|mistakes| mistakes.0).unwrap_or_default()
}

/// The keys of a TOML text, sections resolved; comments that hold a key count too.
fn keys_of_example() -> Vec<String> {
    let example = include_str!("../../config.example.toml");
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in example.lines() {
        let line = line.trim_start_matches('#').trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, _)) = line.split_once('=') {
            keys.push(format!("{section}.{}", key.trim()));
        }
    }
    keys
}

#[test]
fn the_example_is_the_defaults() {
    let example = include_str!("../../config.example.toml");
    let with_example = parse(example).unwrap();
    let table: toml::Table = example.parse().unwrap();
    // Keys without a default are taken from the example itself.
    let value = |path: &[&str]| {
        path.iter()
            .skip(1)
            .fold(table.get(path[0]), |value, key| value.and_then(|value| value.get(key)))
            .unwrap()
            .clone()
    };
    let needed: Vec<String> = [
        vec!["auth", "issuer"],
        vec!["auth", "audience"],
        vec!["target", "base_url"],
        vec!["target", "oauth2", "token_url"],
        vec!["target", "oauth2", "client_id"],
        vec!["target", "oauth2", "client_secret"],
    ]
    .iter()
    .map(|path| format!("{} = {}", path.join("."), value(path)))
    .collect();
    let defaults = parse(&needed.join("\n")).unwrap();
    assert_eq!(format!("{with_example:?}"), format!("{defaults:?}"));
}

#[test]
fn the_example_shows_every_key() {
    fn append_files(folder: &Path, text: &mut String) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                append_files(&path, text);
            } else if !path.ends_with("tests.rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let shown = keys_of_example();
    let mut known = String::new();
    append_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config"), &mut known);
    assert!(known.contains("\"target.oauth2.client_id\""), "the sources are found");
    for section in ["server", "auth", "target", "retry", "ledger", "mapping", "telemetry"] {
        let start = format!("\"{section}.");
        for (at, _) in known.match_indices(&start) {
            let key = known[at + 1..].split('"').next().unwrap();
            let secret = format!("{key}_file");
            let is_shown = shown.iter().any(|known| *known == key || *known == secret);
            let is_section = shown.iter().any(|known| known.starts_with(&format!("{key}.")));
            assert!(is_shown || is_section, "the example does not show {key}");
        }
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = r#"
        server.listen = "here"
        server.deadlin = "50s"
        server.max_body = "1MB"
        auth.algorithms = ["RS256", "HS256"]
        target.base_url = "https://user:hush@vms.example"
        auth.scopes.write = ""
        auth.scopes.read = "read"
        retry.multiplier = 0.5
        retry.attempts = -1
        ledger.url = "mysql://x"
        mapping.shifted_amounts = "sometimes"
        mapping.system_field = "ITEM.SYSTEM"
        mapping.plausibility = "perhaps"
        mapping.examples = "off"
    "#;
    let found = mistakes(text);
    for expected in [
        "config.toml: server.listen: expected an address and port",
        "config.toml: server.deadlin: unknown key",
        "config.toml: server.max_body: expected a size",
        "config.toml: auth.algorithms: expected a list of",
        "config.toml: auth.issuer is missing; expected",
        "config.toml: target.base_url: expected a URL",
        "config.toml: target.oauth2.token_url is missing",
        "config.toml: target.oauth2.client_secret is missing; expected the secret, or its file as target.oauth2.client_secret_file",
        "config.toml: retry.multiplier: expected a number from 1 to 100, found 0.5",
        "config.toml: retry.attempts: expected a whole number",
        "config.toml: ledger.url: expected sqlite:FILE",
        "config.toml: mapping.shifted_amounts: expected true or false",
        "config.toml: mapping.system_field: expected a field of the header",
        "config.toml: mapping.plausibility: expected warn or refuse or off",
        "config.toml: mapping.examples: expected refuse or warn",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(expected)), "{expected}\n{found:#?}");
    }
    assert!(!found.iter().any(|mistake| mistake.contains("hush") || mistake.contains("scopes.read")), "{found:#?}");
}

#[test]
fn settings_that_can_not_work_are_refused() {
    for (setting, expected) in [
        ("auth.algorithms = []", "auth.algorithms: expected at least one"),
        ("target.timeout = \"0s\"", "target.timeout: expected a duration above zero"),
        ("server.deadline = \"0s\"", "server.deadline: expected a duration above zero"),
        ("ledger.retention = \"1h\"", "ledger.retention: expected a duration of at least \"1d\""),
        ("ledger.url = \"sqlite::memory:\"", "ledger.url: expected sqlite:FILE"),
        ("ledger.url = \"sqlite:orders.db?mode=memory\"", "ledger.url: expected sqlite:FILE"),
        ("auth.scopes.read = \"a b\"", "auth.scopes.read: expected one scope"),
        ("target.number_pointer = \"/a~2b\"", "target.number_pointer: expected a JSON pointer"),
        ("server.management_listen = \"0.0.0.0:8080\"", "server.management_listen: expected another address"),
        ("server.cors_origins = [\"*\"]", "server.cors_origins: expected a list of origins"),
        ("server.cors_origins = [\"https://portal.example/path\"]", "server.cors_origins: expected a list of origins"),
        ("server.tls.key = \"x\"", "server.tls.certificate is missing; expected the path of a file in PEM"),
        ("[server.tls]", "server.tls.certificate is missing"),
        ("[foo]", "foo: unknown section"),
        ("[server.foo]", "server.foo: unknown section"),
        ("[alerts.slack]", "alerts.slack: unknown section"),
        ("auth.jwks_url = {}", "auth.jwks_url: expected a value, found a section"),
        ("[server.proxy]", "server.proxy.addresses: is missing"),
        ("[auth.introspection]", "auth.introspection.url is missing"),
        (
            "server.tls.certificate = \"x\"\nserver.tls.key = \"\"\"-----BEGIN hush\"\"\"",
            "server.tls.key: expected the path of a file in PEM, found something else",
        ),
        (
            "auth.introspection.url = \"https://x.example\"\nauth.introspection.client_id = \"x\"\nauth.introspection.client_secret_file = \"-----BEGIN hush\"",
            "auth.introspection.client_secret_file: expected a file's path, not the secret itself, found something else",
        ),
        ("server.proxy.certificate_header = \"x\"", "server.proxy.addresses: is missing; expected at least one"),
        ("server.proxy.addresses = [\"10.0.0.0/33\"]", "server.proxy.addresses: expected a list of addresses"),
        ("server.limits.headers = \"4KiB\"", "server.limits.headers: expected a size from \"8KiB\" to \"1MiB\""),
        ("server.limits.json_depth = 200", "server.limits.json_depth: expected a whole number from 1 to 100"),
        ("server.limits.first_byte = \"0s\"", "server.limits.first_byte: expected a duration above zero"),
        ("auth.jwks_max_age = \"5m\"", "auth.jwks_max_age: expected more than auth.jwks_refresh"),
        ("auth.ca = \"/nowhere\"", "auth.ca: expected a file with certificates in PEM"),
        (
            "auth.introspection.client_id = \"x\"\nauth.introspection.client_secret = \"x\"",
            "auth.introspection.url is missing",
        ),
        (
            "target.oauth2.auth = \"none\"\ntarget.oauth2.client_secret_file = \"x\"",
            "target.oauth2.auth: \"none\" proves nothing",
        ),
        ("target.oauth2.private_key = \"x\"", "target.oauth2.private_key: not used with this target.oauth2.auth"),
        ("target.oauth2.instance_hosts = [\"https://x\"]", "target.oauth2.instance_hosts: expected a list of hosts"),
    ] {
        let found = mistakes(&format!("{NEEDED}\n{setting}"));
        assert!(!found.concat().contains("hush"), "{found:?}");
        assert!(!found.is_empty() && found[0].starts_with(&format!("config.toml: {expected}")), "{setting} {found:?}");
    }
    let no_url = NEEDED.replace("https://issuer.example\"", "issuer\"");
    assert!(mistakes(&no_url)[0].contains("auth.issuer: expected the issuer's URL, or auth.jwks_url"));
    assert!(mistakes(&format!("{no_url}\nauth.jwks_url = \"https://issuer.example/keys\"")).is_empty());
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = environment(&[
        ("PO_WEBHOOK_TARGET__BASE_URL", "https://other.example"),
        ("PO_WEBHOOK_AUTH__AUDIENCE", "one, two"),
        ("PO_WEBHOOK_RETRY__ATTEMPTS", "5"),
        ("PO_WEBHOOK_MAPPING__SHIFTED_AMOUNTS", "true"),
        ("PO_WEBHOOK_MAPPING__SYSTEM_FIELD", "HEADER.ZZ_SYSTEM"),
        ("PO_WEBHOOK_MAPPING__PLAUSIBILITY", "refuse"),
        ("PO_WEBHOOK_MAPPING__EXAMPLES", "warn"),
        ("PO_WEBHOOK_CONFIG", "elsewhere.toml"),
        ("PO_WEBHOOK_SERVICE_HOST", "10.0.0.1"),
        ("PO_WEBHOOK_PORT", "tcp://10.0.0.1:8080"),
        ("OTHER", "x"),
    ]);
    let settings = Settings::parse("config.toml", NEEDED, &environment).unwrap();
    assert_eq!(settings.target.base_url.as_str(), "https://other.example/");
    assert_eq!(settings.auth.audience, ["one", "two"]);
    assert_eq!(settings.retry.retries, 5);
    assert_eq!(settings.mapping.options.amounts, Amounts::Shifted);
    assert_eq!(settings.mapping.options.system_field, Some(Name::of("ZZ_SYSTEM")));
    assert_eq!(settings.mapping.options.plausibility, Plausibility::Refuse);
    assert_eq!(settings.mapping.options.examples, DifferingExamples::Warn);
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let environment = environment(&[
        ("PO_WEBHOOK_TARGET_BASE_URL", "https://other.example"),
        ("PO_WEBHOOK_TARGET__BASE_ULR", "https://other.example"),
        ("PO_WEBHOOK_SERVER__DEADLINE", "soon"),
        ("PO_WEBHOOK_TELEMETRY__LOG_LEVEL", "inf\u{fffd}"),
        ("PO_WEBHOOK_SERVER", "x"),
    ]);
    let found = Settings::parse("config.toml", NEEDED, &environment).unwrap_err().0;
    assert_eq!(found.len(), 6, "{found:#?}");
    for variable in [
        "PO_WEBHOOK_TARGET_BASE_URL: ",
        "PO_WEBHOOK_TARGET__BASE_ULR: unknown key",
        "PO_WEBHOOK_SERVER__DEADLINE: expected a duration",
        "PO_WEBHOOK_TELEMETRY__LOG_LEVEL: expected UTF-8",
        "PO_WEBHOOK_SERVER: no setting",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(variable)), "{variable} {found:#?}");
    }
}

#[test]
fn a_secret_is_set_in_one_place_and_no_output_contains_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "from-file\n").unwrap();
    let without = NEEDED.replace("target.oauth2.client_secret = \"change-me\"", "");
    let from_file = format!("{without}\ntarget.oauth2.client_secret_file = {file:?}");
    let Credentials::Secret(secret, ClientAuth::Basic) = parse(&from_file).unwrap().target.oauth2.credentials else {
        panic!("expected a secret");
    };
    assert_eq!(secrecy::ExposeSecret::expose_secret(&secret.read().unwrap()), "from-file");
    assert!(!format!("{:?}", parse(NEEDED).unwrap()).contains("change-me"));
    assert!(
        mistakes(&format!("{NEEDED}\ntarget.oauth2.client_secret_file = {file:?}"))[0].contains("expected one of both")
    );
    assert!(mistakes(&format!("{without}\ntarget.oauth2.client_secret_file = \"/nowhere\""))[0].contains("/nowhere"));
    assert!(mistakes(&NEEDED.replace("\"change-me\"", "\"\""))[0].contains("expected a text that is not empty"));
}

#[test]
fn a_private_key_is_parsed_at_the_start() {
    let with = |auth: &str, key: &str| {
        let needed = NEEDED.replace("target.oauth2.client_secret = \"change-me\"", "");
        mistakes(&format!("{needed}\ntarget.oauth2.auth = {auth:?}\ntarget.oauth2.private_key = {key:?}"))
    };
    let der = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &aws_lc_rs::rand::SystemRandom::new(),
    );
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der.unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    assert_eq!(with("private_key_jwt", &pem), Vec::<String>::new());
    for (auth, key, expected) in [
        ("private_key_jwt", "hush", "target.oauth2.private_key: expected a private key in PEM (PKCS#8): RSA"),
        ("mtls", pem.as_str(), "target.oauth2.private_key: expected a private key in PEM, with its certificate"),
    ] {
        let found = with(auth, key);
        assert!(found.len() == 1 && found[0].contains(expected) && !found[0].contains("hush"), "{found:?}");
    }
}

#[test]
fn the_debug_output_of_a_reader_contains_no_secret() {
    let text = SettingsText::of("config.toml".to_owned(), NEEDED);
    let reader = Reader::parse(&text, &environment(&[("PO_WEBHOOK_A__B", "hush")])).unwrap();
    let shown = format!("{reader:?}");
    assert!(!shown.contains("change-me") && !shown.contains("hush"), "{shown}");
}

#[test]
fn a_text_that_is_no_toml_is_reported_with_its_line() {
    let found = mistakes("server.drain = \"1s\"\ntarget.oauth2.client_secret = \"hush");
    assert!(found[0].starts_with("config.toml line 2: not TOML: ") && !found[0].contains("hush"), "{found:?}");
}

#[test]
fn the_grace_is_the_first_delay_unless_it_is_set() {
    let grace = |more: &str| parse(&format!("{NEEDED}\n{more}")).unwrap().retry.unknown_grace;
    assert_eq!(grace(""), Duration::from_secs(30));
    assert_eq!(grace("retry.initial_delay = \"7s\""), Duration::from_secs(7));
    assert_eq!(grace("target.unknown_grace = \"0s\""), Duration::ZERO);
}

#[test]
fn the_ledger_is_a_file_or_a_database_whose_url_is_a_secret() {
    let storage = |line: &str| parse(&format!("{NEEDED}\n{line}")).map(|settings| settings.ledger.storage);
    assert!(matches!(storage("").unwrap(), Storage::Sqlite(path) if path.ends_with("data/orders.db")));
    let database = storage("ledger.url = \"postgres://user:hidden@db.example/orders?sslmode=verify-full\"").unwrap();
    assert!(matches!(database, Storage::Postgres(_)) && !format!("{database:?}").contains("hidden"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "postgresql://user:hidden@db.example/orders\n").unwrap();
    let Storage::Postgres(database) = storage(&format!("ledger.url_file = {file:?}")).unwrap() else { panic!() };
    assert_eq!(database.read().unwrap().location().as_deref(), Some("db.example/orders"));
    for (wrong, expected) in [
        ("postgres://user:hidden@db.example", "the database's name is missing"),
        ("mysql://user:hidden@db.example/orders", "expected sqlite:FILE"),
        ("postgres:/user:hidden@db.example/orders", "expected sqlite:FILE"),
        ("host=db.example password=hidden dbname=orders", "the form host=… dbname=… is not read"),
        ("postgres://db.example/orders?pasword=hidden", "pasword: unknown parameter; did you mean password?"),
        ("postgres://user:hidden@db.example/orders?sslmod=verify-full", "sslmod: unknown parameter"),
        ("postgres://user:hidden@db.example/orders?sslmode=bogus", "sslmode: expected disable or allow"),
        ("postgres://user:hidden@db.example/orders?channel_binding=require", "channel_binding: the driver can't"),
        ("postgres://user:hidden@db.example/orders\npostgres://x", "white space"),
    ] {
        let found = storage(&format!("ledger.url = {wrong:?}")).unwrap_err().0;
        assert!(
            found.len() == 1 && found[0].starts_with("config.toml: ledger.url: ") && found[0].contains(expected),
            "{found:?}"
        );
        assert!(!found[0].contains("hidden"), "{found:?}");
    }
}

#[test]
fn the_breaker_is_no_slower_than_the_retries() {
    let breaker = |more: &str| parse(&format!("{NEEDED}\n{more}")).unwrap().target.breaker;
    let seconds = |breaker: BreakerPolicy| (breaker.failures, breaker.pause.as_secs(), breaker.longest_pause.as_secs());
    assert_eq!(seconds(breaker("")), (20, 5, 60));
    assert_eq!(seconds(breaker("retry.initial_delay = \"2s\"\nretry.max_delay = \"10s\"")), (20, 2, 10));
    assert_eq!(seconds(breaker("target.breaker_pause = \"2m\"\ntarget.breaker_failures = 3")), (3, 120, 120));
}

#[test]
fn the_mapping_can_be_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "mapping.directory = \"sheet\"\nserver.nonsense = 1").unwrap();
    let mapping = Mapping::load(Some(&file), &BTreeMap::new()).unwrap();
    assert_eq!(mapping.directory, PathBuf::from("sheet"));
    std::fs::write(&file, "mapping.directori = \"sheet\"").unwrap();
    assert!(Mapping::load(Some(&file), &BTreeMap::new()).is_err());
}

#[test]
fn the_time_of_a_restored_backup_is_a_time_with_its_offset() {
    let with = |value: &str| parse(&format!("{NEEDED}\nledger.restored_at = {value}"));
    for (value, expected) in [
        ("\"2026-11-28T04:00:00Z\"", "2026-11-28T04:00:00Z"),
        ("\"2026-11-28T05:00:00+01:00\"", "2026-11-28T04:00:00Z"),
        ("2026-11-28T04:00:00Z", "2026-11-28T04:00:00Z"),
        ("2026-11-28 05:00:00+01:00", "2026-11-28T04:00:00Z"),
    ] {
        let restored_at = with(value).unwrap().ledger.restored_at.unwrap();
        assert_eq!(restored_at, expected.parse::<jiff::Timestamp>().unwrap(), "{value}");
    }
    for value in ["\"yesterday\"", "\"2026-11-28\"", "2026-11-28", "2026-11-28T04:00:00", "1700000000", "true", "\"\""]
    {
        let mistakes = format!("{:?}", with(value).unwrap_err());
        assert!(mistakes.contains("ledger.restored_at") && mistakes.contains("the time of the backup"), "{mistakes}");
    }
}

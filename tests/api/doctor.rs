//! The doctor: it asks every side for real, says what is wrong with each, and writes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::clock::{ManualClock, SystemClock};
use purchase_order_webhook::config::Settings;
use purchase_order_webhook::doctor::{Finding, Status, examine};
use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::{Effect, SandboxVms};
use serde_json::json;
use tempfile::TempDir;

use crate::certificates::Ca;
use crate::postgres::Postgres;
use crate::support::{Service, basics, cart};

/// The sides that a service depends on.
struct Sides {
    issuer: Issuer,
    vms: SandboxVms,
    folder: TempDir,
}

impl Sides {
    async fn start() -> Self {
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        Self { issuer, vms, folder: tempfile::tempdir().unwrap() }
    }

    fn settings(&self, own: &str) -> Settings {
        let text = format!("{}{own}", basics(&self.issuer, &self.vms, &self.folder, own));
        Settings::parse("test", &text, &BTreeMap::new()).unwrap()
    }

    async fn examine(&self, own: &str) -> Vec<Finding> {
        examine(&self.settings(own), Arc::new(SystemClock)).await
    }
}

fn not_ok(findings: &[Finding]) -> Vec<String> {
    findings.iter().filter(|finding| finding.status != Status::Ok).map(ToString::to_string).collect()
}

#[tokio::test]
async fn everything_is_asked_and_nothing_is_written() {
    let sides = Sides::start().await;
    let introspection = format!(
        "auth.introspection.url = {:?}\nauth.introspection.client_id = \"srm7\"\nauth.introspection.client_secret = \"srm7-secret\"\n",
        sides.issuer.introspection_url().as_str()
    );
    let findings = sides.examine(&introspection).await;
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(not_ok(&findings), Vec::<String>::new());
    for begin in [
        "OK certificates: ",
        "OK issuer: ",
        "OK introspection: ",
        "OK token endpoint: ",
        "OK 11VMS: ",
        "OK ledger: ",
        "OK clock: as the clock of the issuer",
        "OK clock: as the clock of the token endpoint",
        "OK clock: as the clock of 11VMS",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(begin)), "{begin}: {lines:?}");
    }
    assert_eq!(std::fs::read_dir(sides.folder.path()).unwrap().count(), 0, "no ledger is created");
    assert_eq!(sides.vms.orders(), []);
    let received = sides.vms.received();
    assert_eq!(received.iter().map(|request| request.method.as_str()).collect::<Vec<_>>(), ["GET"]);
    assert_eq!(received[0].id.len(), 32, "an id in the form of a GUID");
}

/// Asserts that exactly one side is told to be wrong, and how.
#[track_caller]
fn assert_one_wrong(findings: &[Finding], begin: &str, text: &str, remedy: &str) {
    let wrong = not_ok(findings);
    assert!(wrong.len() == 1 && wrong[0].starts_with(begin), "{begin}: {wrong:?}");
    let (problem, cure) = wrong[0].split_once(" → ").expect("what to do");
    assert!(problem.contains(text) && cure.contains(remedy), "{text}, {remedy}: {wrong:?}");
    assert!(findings.len() >= 7, "the others are asked all the same: {findings:?}");
}

#[tokio::test]
async fn a_side_that_fails_is_named_with_its_reason_and_a_cure() {
    let sides = Sides::start().await;
    let url = sides.issuer.url();
    let introspection = |secret: &str| {
        let url = sides.issuer.introspection_url();
        format!(
            "auth.introspection.url = \"{url}\"\nauth.introspection.client_id = \"srm7\"\nauth.introspection.client_secret = \"{secret}\"\n"
        )
    };
    let file = sides.folder.path().join("no.db");
    std::fs::write(&file, "no database at all").unwrap();
    let ledger = |path: &Path| format!("ledger.url = \"sqlite:{}\"\n", path.display());
    for (own, begin, text, remedy) in [
        (format!("auth.jwks_url = \"{url}/nowhere\"\n"), "FAIL issuer: ", "answered 404", "auth.jwks_url"),
        (format!("auth.issuer = \"{url}/tenant\"\n"), "FAIL issuer: ", "answered 404", "auth.issuer"),
        ("auth.algorithms = [\"ES256\"]\n".to_owned(), "FAIL issuer: ", "none is for an algorithm", "auth.algorithms"),
        (introspection("wrong"), "FAIL introspection: ", "answered 401", "client_secret"),
        (ledger(&file), "FAIL ledger: ", "is no SQLite database", "ledger.url"),
        (ledger(sides.folder.path()), "FAIL ledger: ", "is no file", "ledger.url"),
        (ledger(&file.join("below")), "FAIL ledger: ", "no.db", "ledger.url"),
        (
            "ledger.url = \"postgres://user:hidden@127.0.0.1:1/orders\"\n".to_owned(),
            "FAIL ledger: ",
            "efused",
            "host, port",
        ),
        (format!("target.base_url = \"{url}\"\n"), "FAIL 11VMS: ", "404", "target.base_url"),
    ] {
        let findings = sides.examine(&own).await;
        assert_one_wrong(&findings, begin, text, remedy);
        assert!(!format!("{findings:?}").contains("hidden"), "a password is shown");
    }
}

#[tokio::test]
async fn an_11vms_that_answers_otherwise_is_told_what_to_do() {
    let sides = Sides::start().await;
    let listed =
        |entries| Effect::Status { status: 200, body: json!({ "purchaseOrders": entries }), retry_after: None };
    let other = json!([{ "poNumber": "STRANGER-1", "externalId": "other-1" }]);
    for (effects, text, remedy) in [
        (vec![Effect::status(401), Effect::status(401)], "401", "[target.oauth2]"),
        (vec![Effect::status(403)], "403", "permission"),
        (vec![Effect::status(503)], "503", "try again"),
        (vec![Effect::status(200)], "200", "profile"),
        (vec![listed(other)], "", "profile"),
        (vec![Effect::HangUpBefore], "no answer", "network"),
    ] {
        for effect in effects {
            sides.vms.next(effect);
        }
        assert_one_wrong(&sides.examine("").await, "FAIL 11VMS: ", text, remedy);
    }
}

#[tokio::test]
async fn without_a_token_11vms_is_not_asked() {
    let sides = Sides::start().await;
    let findings = sides.examine("target.oauth2.client_secret = \"wrong\"\n").await;
    let wrong = not_ok(&findings);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].starts_with("FAIL token endpoint: ") && wrong[0].contains("invalid_client"), "{wrong:?}");
    assert!(wrong[1].starts_with("FAIL 11VMS: ") && wrong[1].contains("was not asked"), "{wrong:?}");
    assert!(sides.vms.received().is_empty());
}

#[tokio::test]
async fn a_further_issuer_is_named_by_its_section() {
    let sides = Sides::start().await;
    let second = "[[auth.issuers]]\nissuer = \"http://127.0.0.1:1\"\naudience = \"x\"\n";
    let wrong = not_ok(&sides.examine(second).await);
    let line = wrong.iter().find(|line| line.starts_with("FAIL issuer: ")).unwrap();
    assert!(line.contains("check auth.issuers.1.issuer and auth.issuers.1.jwks_url"), "{line}");
}

#[tokio::test]
async fn a_side_that_is_silent_does_not_hold_up_the_others_for_ever() {
    let sides = Sides::start().await;
    // Accepts connections, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("target.base_url = \"http://{}\"\ntarget.timeout = \"300ms\"\n", silent.local_addr().unwrap());
    let findings = sides.examine(&own).await;
    assert_one_wrong(&findings, "FAIL 11VMS: ", "no answer within", "network");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_a_warning_with_its_offset() {
    let sides = Sides::start().await;
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(90));
    let findings = examine(&sides.settings(""), Arc::new(clock)).await;
    let wrong = not_ok(&findings);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    for line in &wrong {
        let is_told = line.starts_with("WARN clock: 9") || line.starts_with("WARN clock: 89");
        assert!(is_told && line.contains(" s ahead of the clock of ") && line.contains("NTP"), "{line}");
    }
}

#[tokio::test]
async fn certificates_are_part_of_the_diagnosis() {
    let (sides, ca) = (Sides::start().await, Ca::new());
    let expired = ca.server_between("expired", "20240101", "20240601");
    let own = format!(
        "server.tls.certificate = \"{}\"\nserver.tls.key = \"{}\"\n",
        expired.certificate.display(),
        expired.key.display()
    );
    let findings = sides.examine(&own).await;
    assert_one_wrong(
        &findings,
        "FAIL server.tls.certificate ",
        "has expired: it was valid until 2024-06-01",
        "replace",
    );
}

#[tokio::test]
async fn a_ledger_in_use_by_the_running_service_is_well_and_stays_so() {
    let service = Service::start().await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let own = basics(&service.issuer, &service.vms, &service.folder, "");
    let settings = Settings::parse("test", &own, &BTreeMap::new()).unwrap();
    let findings = examine(&settings, Arc::new(SystemClock)).await;
    assert_eq!(not_ok(&findings), Vec::<String>::new());
    let ledger = findings.iter().map(ToString::to_string).find(|line| line.starts_with("OK ledger: ")).unwrap();
    assert!(ledger.contains(&format!("in use by process {}", std::process::id())), "{ledger}");
    assert_eq!(service.send(&cart(2)).await.status, 201, "the service goes on");

    let mut service = service.restart().await;
    assert_eq!(service.send(&cart(3)).await.status, 201);
    let folder = Arc::clone(&service.folder);
    let own = basics(&service.issuer, &service.vms, &folder, "");
    service.stop().await;
    // Its connections are closed a moment later.
    while names(folder.path()).iter().any(|name| name == "orders.db-wal") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = names(folder.path());
    let settings = Settings::parse("test", &own, &BTreeMap::new()).unwrap();
    let findings = examine(&settings, Arc::new(SystemClock)).await;
    let ledger = findings.iter().map(ToString::to_string).find(|line| line.starts_with("OK ledger: ")).unwrap();
    assert!(ledger.contains("schema version"), "{ledger}");
    assert_eq!(names(folder.path()), before, "no file appears beside the ledger");
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_database_is_asked_without_being_written() {
    let Some(server) = Postgres::start() else { return };
    let sides = Sides::start().await;
    let url = server.database("orders");
    server
        .run_sql("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
    server.run_sql("postgres", "CREATE DATABASE readonly");
    server.run_sql("postgres", "ALTER DATABASE readonly SET default_transaction_read_only = on");
    let of = |name: &str| format!("ledger.url = \"{}\"\n", url.replace("/orders?", &format!("/{name}?")));

    let findings = sides.examine(&of("orders")).await;
    assert_eq!(not_ok(&findings), Vec::<String>::new());
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.iter().any(|line| line.starts_with("OK clock: as the clock of the database")), "{lines:?}");
    assert_eq!(server.run_sql("orders", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");

    assert_one_wrong(&sides.examine(&of("latin")).await, "FAIL ledger: ", "LATIN1", "ledger.url");
    assert_one_wrong(&sides.examine(&of("readonly")).await, "FAIL ledger: ", "read-only", "ledger.url");
    assert_one_wrong(&sides.examine(&of("nowhere")).await, "FAIL ledger: ", "does not exist", "ledger.url");
    let service = Service::start_with(&of("orders")).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let findings = sides.examine(&of("orders")).await;
    assert_eq!(not_ok(&findings), Vec::<String>::new(), "beside a running service");
    server.run_sql("orders", "INSERT INTO schema_version VALUES (1000)");
    assert_one_wrong(&sides.examine(&of("orders")).await, "FAIL ledger: ", "version 1000", "newer program");
}

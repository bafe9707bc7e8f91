//! Databases as they are found: encodings, poolers, TLS, sockets, and values that they can't hold.

use std::path::Path;
use std::sync::Arc;

use purchase_order_webhook::ledger::postgres::{OpenError, PostgresLedger, file_mistakes};
use purchase_order_webhook::ledger::{Ledger, LedgerError};
use purchase_order_webhook::order::{Admission, Candidate, OrderId, Terms};

use crate::certificates::{Ca, Kind};
use crate::pgbouncer::PgBouncer;
use crate::{GRACE, LONG, Postgres, admitted, at, candidate, parsed, url_of};

async fn open(url: &str) -> Result<PostgresLedger, OpenError> {
    PostgresLedger::open(url_of(url), LONG).await
}

async fn assert_works(url: &str, number: usize) {
    let ledger = open(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    admitted(&ledger, number).await;
    ledger.check().await.unwrap();
}

/// Asserts that only a person can cure it; returns the reason.
async fn refused(url: &str) -> String {
    match open(url).await {
        Err(OpenError::Permanent(error)) => error.to_string(),
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoding_that_can_not_hold_every_name_is_refused() {
    let Some(server) = Postgres::start() else { return };
    for encoding in ["LATIN1", "LATIN2", "WIN1252", "SQL_ASCII", "EUC_JP"] {
        let name = format!("in_{}", encoding.to_lowercase());
        server.run_sql(
            "postgres",
            &format!("CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"),
        );
        let reason = refused(&format!("postgres://postgres@127.0.0.1:{}/{name}", server.port)).await;
        assert!(reason.contains(encoding) && reason.contains("expected UTF8"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_the_database_can_not_hold_fails_alone() {
    let Some(server) = Postgres::start() else { return };
    let ledger = Arc::new(open(&server.database("orders")).await.unwrap());
    // A text without NUL, and a key of 2704 bytes at most.
    // One that can't be compressed.
    let mut state = 1_u32;
    let mut letter = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 16) % 26).unwrap())
    };
    let random: String = (0..8_000).map(&mut letter).collect();
    let odd = ["4\u{0}7".to_owned(), random];
    let calls: Vec<_> = (0..40)
        .map(|number| {
            let id = odd.get(number).map_or_else(|| OrderId::of(&number.to_string()), |id| OrderId::of(id));
            let ledger = Arc::clone(&ledger);
            tokio::spawn(
                async move { ledger.admit(Candidate { id, ..candidate(number) }, Terms::new(at(0), GRACE)).await },
            )
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        let result = call.await.unwrap();
        if number < odd.len() {
            assert!(matches!(result, Err(LedgerError::Unwritable(_))), "{number}: {result:?}");
        } else {
            assert!(matches!(result, Ok(Admission::Started(_))), "{number}: {result:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_has_to_keep_sessions() {
    let Some(server) = Postgres::start() else { return };
    server.database("orders");
    let Some(pooler) = PgBouncer::start(server.port, "session") else { return };
    assert_works(&pooler.url(), 1).await;
    for mode in ["transaction", "statement"] {
        let Some(pooler) = PgBouncer::start(server.port, mode) else { return };
        let reason = refused(&pooler.url()).await;
        assert!(reason.contains("pooler") && reason.contains("pool_mode = session"), "{mode}: {reason}");
    }
    // With one connection for all, the second session gets none, which may also have other reasons.
    let Some(pooler) = PgBouncer::start(server.port, "transaction\ndefault_pool_size = 1") else { return };
    let error = open(&pooler.url()).await.unwrap_err();
    assert!(matches!(error, OpenError::Transient(_)) && error.to_string().contains("pool_mode = session"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_can_be_a_socket_or_an_address() {
    let Some(server) = Postgres::start() else { return };
    server.database("orders");
    let (port, folder) = (server.port, server.socket_folder().display().to_string());
    let encoded = folder.replace('/', "%2F");
    let mut urls = vec![
        format!("postgres://postgres@{encoded}:{port}/orders"),
        format!("postgresql://postgres@/orders?host={folder}&port={port}"),
        format!("postgres:///?host={folder}&port={port}&user=postgres&dbname=orders&sslmode=verify-full"),
        format!("postgres://postgres@localhost:{port}/orders"),
        format!("postgres://postgres@nowhere.invalid:{port}/orders?hostaddr=127.0.0.1"),
        format!("postgres://postgres@127.0.0.1:1,127.0.0.1:{port}/orders?connect_timeout=2&load_balance_hosts=random"),
        format!("postgres://postgres@127.0.0.1:{port}/orders?options=-c%20work_mem%3D1MB&application_name=x"),
    ];
    // Where the machine has IPv6.
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        urls.push(format!("postgres://postgres@[::1]:{port}/orders"));
    }
    for (number, url) in urls.iter().enumerate() {
        assert_works(url, number + 1).await;
    }
}

/// The driver trusts the certificates of the crate `webpki-roots` besides the named ones: ours has none.
#[test]
fn the_driver_trusts_no_certificates_of_its_own() {
    let lock = include_str!("../../Cargo.lock");
    let package = lock.split("[[package]]").find(|package| package.contains("name = \"webpki-roots\"")).unwrap();
    assert!(!package.contains("source ="), "the crate of crates.io is built in: {package}");
    assert!(
        include_str!("../../vendor/webpki-roots/src/lib.rs")
            .contains("TLS_SERVER_ROOTS: &[TrustAnchor<'static>] = &[];")
    );
}

/// A server with TLS, and the rules of its `pg_hba.conf`.
fn with_tls(ca: &Ca, rules: &str) -> Option<Postgres> {
    let server = Postgres::start()?;
    server.database("orders");
    let pair = ca.server("database", Kind::Ec);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    server.write_file("server.crt", &read(&pair.certificate));
    server.write_file("server.key", &read(&pair.key));
    server.write_file("root.crt", &read(ca.certificate()));
    server.set("ssl_ca_file", "root.crt");
    server.set("ssl", "on");
    let rules = format!("local all all trust\nhost postgres all 127.0.0.1/32 trust\n{rules}\n");
    server.write_file("pg_hba.conf", &rules);
    server.run_sql("postgres", "SELECT pg_reload_conf()");
    Some(server)
}

/// A copy of a file as some editors save it, with a byte order mark: the driver has to be given what was checked.
fn with_mark(folder: &Path, pem: &Path) -> String {
    let path = folder.join(pem.file_name().unwrap());
    std::fs::write(&path, format!("\u{feff}{}", std::fs::read_to_string(pem).unwrap())).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_verified_against_the_named_certificates_alone() {
    let (ca, other) = (Ca::new(), Ca::new());
    let Some(server) = with_tls(&ca, "hostssl orders all 127.0.0.1/32 trust") else { return };
    let url = |host: &str, query: &str| format!("postgres://postgres@{host}:{}/orders?{query}", server.port);
    let (right, wrong) = (ca.certificate().display(), other.certificate().display());
    let folder = tempfile::tempdir().unwrap();
    let marked = with_mark(folder.path(), ca.certificate());
    for (number, query) in [
        format!("sslmode=verify-full&sslrootcert={right}"),
        format!("sslmode=verify-ca&sslrootcert={right}"),
        format!("sslmode=verify-full&sslrootcert={marked}"),
        format!("sslmode=require&sslrootcert={right}"),
        "sslmode=require".to_owned(),
        "sslmode=prefer".to_owned(),
        // Without TLS the server refuses.
        "sslmode=allow".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        assert_works(&url("127.0.0.1", query), number + 1).await;
    }
    for (host, query) in [
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={wrong}")),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={wrong}")),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={wrong}")),
        ("127.0.0.1", "sslmode=verify-full".to_owned()),
        ("127.0.0.1", "sslrootcert=system".to_owned()),
        ("127.0.0.1", "sslmode=disable".to_owned()),
    ] {
        refused(&url(host, &query)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_is_shown_and_a_server_without_tls_is_reached() {
    let ca = Ca::new();
    let Some(server) = with_tls(&ca, "hostssl orders all 127.0.0.1/32 cert\nhostnossl orders plain 127.0.0.1/32 trust")
    else {
        return;
    };
    server.run_sql("postgres", "CREATE ROLE plain SUPERUSER LOGIN");
    let pair = ca.client("postgres");
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (with_mark(folder.path(), &pair.certificate), with_mark(folder.path(), &pair.key));
    let files = format!("sslcert={certificate}&sslkey={key}");
    let at = format!("127.0.0.1:{}/orders", server.port);
    assert_works(&format!("postgres://postgres@{at}?sslmode=require&{files}"), 1).await;
    // TLS is tried first, and refused for this user.
    assert_works(&format!("postgres://plain@{at}?sslmode=prefer"), 2).await;
    refused(&format!("postgres://postgres@{at}?sslmode=require")).await;
}

#[tokio::test]
async fn a_file_without_what_it_must_hold_is_named_at_the_start_and_by_check() {
    let (ca, folder) = (Ca::new(), tempfile::tempdir().unwrap());
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (pair, stranger) = (ca.client("one"), ca.client("two"));
    let (certificate, key) = (pair.certificate.display().to_string(), pair.key.display().to_string());
    let other_key = stranger.key.display().to_string();
    let (empty, text) = (file("empty.pem", ""), file("text.pem", "no certificate"));
    let utf16: Vec<u8> =
        std::fs::read_to_string(&certificate).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = folder.path().join("wide.pem");
    std::fs::write(&wide, utf16).unwrap();
    let wide = wide.display().to_string();
    let broken = file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let nowhere = folder.path().join("nowhere.pem").display().to_string();
    let root = |path: &str| format!("sslmode=verify-full&sslrootcert={path}");
    let client = |certificate: &str, key: &str| format!("sslmode=require&sslcert={certificate}&sslkey={key}");
    for (query, parameter, path) in [
        (root(&nowhere), "sslrootcert", &nowhere),
        (root(&empty), "sslrootcert", &empty),
        (root(&text), "sslrootcert", &text),
        (root(&broken), "sslrootcert", &broken),
        (root(&wide), "sslrootcert", &wide),
        (root(&key), "sslrootcert", &key),
        (client(&nowhere, &key), "sslcert", &nowhere),
        (client(&empty, &key), "sslcert", &empty),
        (client(&key, &key), "sslcert", &key),
        (client(&certificate, &nowhere), "sslkey", &nowhere),
        (client(&certificate, &empty), "sslkey", &empty),
        (client(&certificate, &certificate), "sslkey", &certificate),
        (client(&certificate, &other_key), "sslkey", &other_key),
    ] {
        let url = format!("postgres://me:hidden@127.0.0.1:1/orders?{query}");
        let mistakes = file_mistakes(&parsed(&url).unwrap());
        let expected = format!("{parameter} {path}: ");
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(&expected), "{query}: {mistakes:?}");
        assert!(!mistakes[0].contains("[45"), "no list of bytes: {mistakes:?}");
        assert!(refused(&url).await.contains(&expected), "{query}");
    }
    let url = format!("postgres://db/orders?{}", client(&certificate, &key));
    assert_eq!(file_mistakes(&parsed(&url).unwrap()), Vec::<String>::new());
}

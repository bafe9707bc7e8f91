//! TLS of the service, as other people's clients see it (curl, OpenSSL's s_client, reqwest): versions, certificates that
//! change, client certificates, and the header of a proxy in front.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Version};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::certificates::{Ca, Kind, Pair};
use crate::support::{Answer, ORDERS, Service, cart};

fn settings(pair: &Pair, more: &str) -> String {
    let (certificate, key) = (pair.certificate.display(), pair.key.display());
    format!("server.tls.certificate = \"{certificate}\"\nserver.tls.key = \"{key}\"\n{more}")
}

fn builder(ca: &Ca) -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([ca.trusted()]).timeout(Duration::from_secs(20))
}

fn https(service: &Service, path: &str) -> String {
    format!("https://{}{path}", service.address)
}

async fn curl(service: &Service, ca: &Ca, arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new("curl");
    command.args(["--silent", "--show-error", "--noproxy", "*", "--include", "--cacert"]).arg(ca.certificate());
    let output = command.args(arguments).arg(https(service, "/livez")).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    format!("{text}{}", String::from_utf8_lossy(&output.stderr))
}

/// What `openssl s_client` shows of the handshake and the answer.
async fn s_client(service: &Service, arguments: &[&str], request: &str) -> String {
    let (address, request) = (service.address.to_string(), request.to_owned());
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let run = move || {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-ign_eof", "-connect", &address]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test]
async fn curl_connects_with_every_version_of_tls_and_http() {
    let ca = Ca::new();
    let service = Service::start_with(&settings(&ca.server("server", Kind::Rsa), "")).await;
    for (arguments, begins) in [
        (["--tlsv1.3", "--http2"].as_slice(), "HTTP/2 200"),
        (&["--tlsv1.2", "--tls-max", "1.2", "--http2"], "HTTP/2 200"),
        (&["--tlsv1.2", "--tls-max", "1.2", "--http1.1"], "HTTP/1.1 200"),
        (&["--http1.0"], "HTTP/1.0 200"),
        (&["--no-alpn"], "HTTP/1.1 200"),
    ] {
        let answer = curl(&service, &ca, arguments).await;
        assert!(answer.starts_with(begins), "{arguments:?}: {answer}");
        assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    }
    let weak = s_client(&service, &["-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384@SECLEVEL=0"], "").await;
    assert!(weak.contains("handshake failure"), "without forward secrecy: {weak}");
    let old = curl(&service, &ca, &["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0"]).await;
    assert!(old.starts_with("curl: (35)"), "TLS 1.1 is refused: {old}");
}

#[tokio::test]
async fn a_client_without_sni_gets_the_certificate() {
    let ca = Ca::new();
    let service = Service::start_with(&settings(&ca.server("server", Kind::Rsa), "")).await;
    let request = "GET /livez HTTP/1.0\r\n\r\n";
    let ca_file = ca.certificate().to_str().unwrap();
    let shown = s_client(&service, &["-tls1_2", "-noservername", "-CAfile", ca_file], request).await;
    for expected in ["Verify return code: 0 (ok)", "subject=CN = server", "HTTP/1.0 200 OK", "TLSv1.2"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let shown = s_client(&service, &["-tls1_3", "-servername", "elsewhere.example", "-CAfile", ca_file], request).await;
    assert!(shown.contains("subject=CN = server") && shown.contains("HTTP/1.0 200 OK"), "{shown}");
}

/// The subject of the certificate that a new connection gets.
async fn subject(service: &Service) -> String {
    let shown = s_client(service, &[], "GET /livez HTTP/1.0\r\n\r\n").await;
    shown.lines().find(|line| line.starts_with("subject=")).unwrap_or(&shown).to_owned()
}

/// Moves the clock until the service uses its changed files.
async fn until_subject(service: &Service, expected: &str) {
    for _ in 0..50 {
        service.clock.advance(Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(20)).await;
        if subject(service).await == expected {
            return;
        }
    }
    panic!("expected {expected}, got {}", subject(service).await);
}

fn replace(pair: &Pair, by: &Pair) {
    std::fs::copy(&by.certificate, &pair.certificate).unwrap();
    std::fs::copy(&by.key, &pair.key).unwrap();
}

#[tokio::test]
async fn changed_certificates_are_used_without_a_restart_and_unusable_ones_are_not() {
    let ca = Ca::new();
    let used = ca.server("first", Kind::Ec);
    let service = Service::start_with(&settings(&used, "")).await;
    let open = builder(&ca).build().unwrap();
    assert_eq!(open.get(https(&service, "/livez")).send().await.unwrap().status(), 200);
    assert_eq!(subject(&service).await, "subject=CN = first");
    replace(&used, &ca.server("second", Kind::Rsa));
    until_subject(&service, "subject=CN = second").await;
    // A certificate without its key, as in the moment between two writes.
    std::fs::copy(ca.server("third", Kind::Ec).certificate, &used.certificate).unwrap();
    for _ in 0..5 {
        service.clock.advance(Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(subject(&service).await, "subject=CN = second");
    replace(&used, &ca.server("fourth", Kind::Ec));
    until_subject(&service, "subject=CN = fourth").await;
    assert_eq!(open.get(https(&service, "/livez")).send().await.unwrap().status(), 200, "open connections stay usable");
}

async fn list(client: &Client, service: &Service, token: &str) -> Answer {
    Answer::of(client.get(https(service, ORDERS)).bearer_auth(token).send().await.unwrap()).await
}

fn bound_to(service: &Service, pair: &Pair) -> String {
    let mut claims = service.issuer.claims();
    claims["cnf"] = json!({ "x5t#S256": pair.thumbprint() });
    service.issuer.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": service.issuer.kid() }), &claims)
}

#[tokio::test]
async fn a_certificate_bound_token_is_accepted_with_its_certificate_alone() {
    let ca = Ca::new();
    let more = format!("server.tls.client_ca = {:?}", ca.certificate());
    let service = Service::start_with(&settings(&ca.server("server", Kind::Ec), &more)).await;
    let (mine, yours) = (ca.client("mine"), ca.client("yours"));
    let with = |pair: &Pair| builder(&ca).identity(pair.identity()).build().unwrap();
    let without = builder(&ca).build().unwrap();
    let token = bound_to(&service, &mine);
    let stolen = list(&without, &service, &token).await;
    stolen.is_problem(401, "invalid-token");
    assert!(stolen.header("www-authenticate").contains("none was shown"), "{:?}", stolen.headers);
    assert_eq!(list(&with(&mine), &service, &token).await.status, 200);
    // It is remembered as verified by now.
    list(&with(&yours), &service, &token).await.is_problem(401, "invalid-token");
    list(&without, &service, &token).await.is_problem(401, "invalid-token");
    let bearer = service.issuer.token();
    assert_eq!(list(&without, &service, &bearer).await.status, 200, "a certificate is optional");
    assert_eq!(list(&with(&yours), &service, &bearer).await.status, 200);
}

#[tokio::test]
async fn a_required_client_certificate_must_be_a_trusted_one() {
    let (ca, stranger) = (Ca::new(), Ca::new());
    let alone = ca.self_signed("alone");
    let trusted = format!(
        "{}{}",
        std::fs::read_to_string(ca.certificate()).unwrap(),
        std::fs::read_to_string(&alone.certificate).unwrap()
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.pem");
    std::fs::write(&file, trusted).unwrap();
    let more = format!("server.tls.client_ca = {file:?}\nserver.tls.client_certificates = \"required\"");
    let service = Service::start_with(&settings(&ca.server("server", Kind::Ec), &more)).await;
    let get = |client: Client| client.get(https(&service, "/livez")).send();
    assert!(get(builder(&ca).build().unwrap()).await.is_err(), "no certificate");
    let foreign = stranger.client("mine");
    assert!(get(builder(&ca).identity(foreign.identity()).build().unwrap()).await.is_err(), "a stranger's");
    assert_eq!(get(builder(&ca).identity(ca.client("mine").identity()).build().unwrap()).await.unwrap().status(), 200);
    assert_eq!(get(builder(&ca).identity(alone.identity()).build().unwrap()).await.unwrap().status(), 200);
    let client = builder(&ca).identity(alone.identity()).build().unwrap();
    assert_eq!(list(&client, &service, &bound_to(&service, &alone)).await.status, 200);
    // Probes have no certificate.
    let probe = reqwest::get(format!("http://{}/readyz", service.management)).await.unwrap();
    assert_eq!(probe.status(), 200);
}

#[tokio::test]
async fn no_session_is_resumed_where_client_certificates_are_requested() {
    let ca = Ca::new();
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().join("session");
    let session = session.to_str().unwrap();
    let request = "GET /livez HTTP/1.0\r\n\r\n";
    let client_ca = format!("server.tls.client_ca = {:?}", ca.certificate());
    for (more, resumed) in [("", true), (client_ca.as_str(), false)] {
        let service = Service::start_with(&settings(&ca.server("server", Kind::Ec), more)).await;
        s_client(&service, &["-tls1_2", "-sess_out", session], request).await;
        let again = s_client(&service, &["-tls1_2", "-sess_in", session], request).await;
        assert_eq!(again.contains("Reused, TLSv1.2"), resumed, "{more}: {again}");
    }
}

#[tokio::test]
async fn a_changed_client_ca_file_changes_the_accepted_certificates() {
    let (before, after) = (Ca::new(), Ca::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.pem");
    std::fs::copy(before.certificate(), &file).unwrap();
    let more = format!("server.tls.client_ca = {file:?}\nserver.tls.client_certificates = \"required\"");
    let service = Service::start_with(&settings(&before.server("server", Kind::Ec), &more)).await;
    let get = async |ca: &Ca| {
        let client = builder(&before).identity(ca.client("one").identity()).build().unwrap();
        client.get(https(&service, "/livez")).send().await.is_ok_and(|answer| answer.status() == 200)
    };
    assert!(get(&before).await && !get(&after).await);
    std::fs::copy(after.certificate(), &file).unwrap();
    for _ in 0..50 {
        service.clock.advance(Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(20)).await;
        if get(&after).await {
            break;
        }
    }
    assert!(!get(&before).await && get(&after).await);
}

#[tokio::test]
async fn a_cart_is_accepted_over_tls_and_http_2() {
    let ca = Ca::new();
    let service = Service::start_with(&settings(&ca.server("server", Kind::Rsa), "")).await;
    let client = builder(&ca).build().unwrap();
    let request = client.post(https(&service, ORDERS)).bearer_auth(service.issuer.token());
    let answer = request.header("content-type", "application/json").body(cart(1).to_string()).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 201));
}

#[tokio::test]
async fn a_connection_without_a_whole_handshake_is_closed() {
    let ca = Ca::new();
    let more = "server.limits.first_byte = \"300ms\"";
    let service = Service::start_with(&settings(&ca.server("server", Kind::Ec), more)).await;
    // Silence, and a handshake that stops half-way.
    for begun in [b"".as_slice(), b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "the connection stays open");
    }
}

fn behind(addresses: &str, header: &str) -> String {
    format!("server.proxy.addresses = [{addresses:?}]\nserver.proxy.certificate_header = {header:?}")
}

#[tokio::test]
async fn a_certificate_header_is_believed_from_the_configured_proxy_alone() {
    let ca = Ca::new();
    let pair = ca.client("mine");
    let value = format!(":{}:", pair.base64());
    let ask = |service: &Service, token: String, name: &'static str, value: String| {
        service.client.get(service.url(ORDERS)).bearer_auth(token).header(name, value).send()
    };
    let service = Service::start_with(&behind("127.0.0.0/8", "client-cert")).await;
    let token = bound_to(&service, &pair);
    assert_eq!(ask(&service, token.clone(), "client-cert", value.clone()).await.unwrap().status(), 200);
    let other = format!(":{}:", ca.client("yours").base64());
    assert_eq!(ask(&service, token.clone(), "client-cert", other).await.unwrap().status(), 401);
    assert_eq!(ask(&service, token, "x-client-cert", value.clone()).await.unwrap().status(), 401, "another header");

    let elsewhere = Service::start_with(&behind("10.0.0.0/8", "client-cert")).await;
    let token = bound_to(&elsewhere, &pair);
    assert_eq!(ask(&elsewhere, token, "client-cert", value.clone()).await.unwrap().status(), 401, "another address");
    let without_proxy = Service::start().await;
    let token = bound_to(&without_proxy, &pair);
    assert_eq!(ask(&without_proxy, token, "client-cert", value).await.unwrap().status(), 401, "no proxy is configured");
}

#[tokio::test]
async fn check_names_the_setting_of_each_unusable_file() {
    let ca = Ca::new();
    let pair = ca.server("server", Kind::Ec);
    let folder = tempfile::tempdir().unwrap();
    let nonsense = folder.path().join("nonsense.pem");
    std::fs::write(&nonsense, "nonsense").unwrap();
    let of = |certificate: &Path, key: &Path, more: &str| {
        let text = format!("server.tls.certificate = {certificate:?}\nserver.tls.key = {key:?}\n{more}");
        crate::support::defects(&text)
    };
    assert_eq!(of(&pair.certificate, &pair.key, ""), Vec::<String>::new());
    let client_ca = format!("server.tls.client_ca = {nonsense:?}");
    for (found, expected) in [
        (of(&nonsense, &pair.key, ""), "server.tls.certificate"),
        (of(&pair.certificate, &nonsense, ""), "server.tls.key"),
        (of(&pair.certificate, &ca.client("other").key, ""), "server.tls.certificate and server.tls.key"),
        (of(&pair.certificate, &pair.key, &client_ca), "server.tls.client_ca"),
    ] {
        assert!(found.len() == 1 && found[0].starts_with(expected), "{expected}: {found:?}");
    }
}

//! The gateways of docs/gateway.md, run as they are written there, in front of the service. Each says NOT RUN where it is not
//! installed; `scripts/test` installs them.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, RequestBuilder};
use serde_json::{Value, json};

use crate::certificates::{Ca, Files, Kind, Pair};
use crate::raw_server::{RawAnswer, RawServer, Then};
use crate::support::{Answer, ORDERS, Service, cart};

const PAGE: &str = include_str!("../../docs/gateway.md");

/// A gateway of the page.
#[derive(Debug, Clone, Copy)]
struct Kit {
    program: &'static str,
    /// The language of its block on the page.
    block: &'static str,
    /// The text of the block that names its own address, with a place for it.
    listens: [&'static str; 2],
    /// The same for the service's address.
    forwards: [&'static str; 2],
    /// Names the file with its settings.
    arguments: &'static [&'static str],
    certificate_header: &'static str,
}

const NGINX: Kit = Kit {
    program: "nginx",
    block: "nginx",
    listens: ["listen 443 ", "listen HOST:PORT "],
    forwards: ["server purchase-order-webhook:8080;", "server HOST:PORT;"],
    arguments: &["-c"],
    certificate_header: "ssl-client-cert",
};

const HAPROXY: Kit = Kit {
    program: "haproxy",
    block: "haproxy",
    listens: ["bind :443 ", "bind HOST:PORT "],
    forwards: ["server one purchase-order-webhook:8080 ", "server one HOST:PORT "],
    arguments: &["-db", "-f"],
    certificate_header: "client-cert",
};

const ENVOY: Kit = Kit {
    program: "envoy",
    block: "yaml",
    listens: ["address: 0.0.0.0, port_value: 443", "address: HOST, port_value: PORT"],
    forwards: ["address: purchase-order-webhook, port_value: 8080", "address: HOST, port_value: PORT"],
    arguments: &["--log-level", "error", "--concurrency", "1", "--disable-hot-restart", "-c"],
    certificate_header: "x-forwarded-client-cert",
};

/// A running gateway; stopped with this handle.
struct Gateway {
    address: SocketAddr,
    ca: Ca,
    process: Child,
    _files: Files,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Gateway {
    /// Starts a gateway in front of a service, and waits until it listens. `None`, said loudly, where it is not installed;
    /// on CI that is a failure.
    async fn start(kit: Kit, service: SocketAddr) -> Option<Self> {
        let Some(program) = installed(kit.program) else {
            let text = format!("NOT RUN: {} is not installed (scripts/test does it)", kit.program);
            assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
            eprintln!("{text}");
            return None;
        };
        let (ca, files) = (Ca::new(), Files::new());
        let server = ca.server("gateway", Kind::Rsa);
        files.put("tls.pem", server.pem());
        files.put("tls.crt", std::fs::read(&server.certificate).unwrap());
        files.put("tls.key", std::fs::read(&server.key).unwrap());
        files.put("client-ca.crt", std::fs::read(ca.certificate()).unwrap());
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = files.path("").display().to_string();
        let settings = block(kit.block);
        let settings = replaced(&settings, kit.listens, address);
        let settings = replaced(&settings, kit.forwards, service);
        let settings = settings.replace("/etc/gateway/", &folder);
        // nginx reads the page's file from its main one; Envoy tells the format by the name.
        let file = match kit.program {
            "nginx" => files.put("nginx.conf", nginx_around(&settings, &folder)),
            _ => files.put("gateway.yaml", settings),
        };
        let errors = std::fs::File::create(files.path("errors")).unwrap();
        let mut command = Command::new(program);
        command.args(kit.arguments).arg(file).stdout(Stdio::null()).stderr(errors);
        let mut process = command.spawn().unwrap();
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Some(Self { address, ca, process, _files: files });
            }
            let ended = process.try_wait().unwrap();
            let errors = || std::fs::read_to_string(files.path("errors")).unwrap();
            assert!(ended.is_none(), "{} ended: {}", kit.program, errors());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not listen", kit.program);
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    fn client(&self) -> ClientBuilder {
        Client::builder().no_proxy().tls_certs_only([self.ca.trusted()]).timeout(Duration::from_secs(30))
    }

    fn post(&self, client: &Client, token: &str, body: String) -> RequestBuilder {
        let request = client.post(self.url(ORDERS)).bearer_auth(token);
        request.header("content-type", "application/json").body(body)
    }
}

/// The program, on the search path, where Debian keeps servers, or where `scripts/test-gateways` puts it.
fn installed(name: &str) -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/envoy");
    let places = [
        Path::new("/usr/sbin"),
        Path::new("/usr/local/sbin"),
        Path::new("/usr/bin"),
        Path::new("/usr/local/bin"),
        &tools,
    ];
    places.iter().map(|place| place.join(name)).find(|path| path.is_file())
}

/// The only block of a language on the page.
fn block(language: &str) -> String {
    let blocks: Vec<&str> = PAGE.split(&format!("\n```{language}\n")).skip(1).collect();
    let [block] = blocks.as_slice() else { panic!("{} blocks of {language} on the page", blocks.len()) };
    format!("{}\n", block.split("\n```\n").next().unwrap())
}

/// The text with an address in the place of the page's own.
fn replaced(text: &str, [of_the_page, place]: [&str; 2], address: SocketAddr) -> String {
    assert_eq!(text.matches(of_the_page).count(), 1, "{of_the_page} is not on the page once");
    let own = place.replace("HOST", &address.ip().to_string()).replace("PORT", &address.port().to_string());
    text.replace(of_the_page, &own)
}

/// What Debian's main file has around a file of conf.d, for any user, in a folder of the test.
fn nginx_around(settings: &str, folder: &str) -> String {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: Vec<String> = temporary.iter().map(|name| format!("{name}_temp_path {folder}{name};")).collect();
    format!(
        "daemon off; master_process off; pid {folder}pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off; {}\n{settings}\n}}\n",
        temporary.join(" ")
    )
}

/// A token that is bound to a certificate (RFC 8705).
fn bound_to(service: &Service, pair: &Pair) -> String {
    let mut claims = service.issuer.claims();
    claims["cnf"] = json!({ "x5t#S256": pair.thumbprint() });
    service.issuer.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": service.issuer.kid() }), &claims)
}

async fn carts_pass(kit: Kit) {
    let header = kit.certificate_header;
    let settings = format!("server.proxy.addresses = [\"127.0.0.1\"]\nserver.proxy.certificate_header = {header:?}");
    let service = Service::start_with(&settings).await;
    let Some(gateway) = Gateway::start(kit, service.address).await else { return };
    headers_pass_both_ways(&gateway, &service).await;
    problems_and_large_batches_pass(&gateway, &service).await;
    certificates_are_passed_on_and_not_believed_from_clients(&gateway, &service, header).await;
}

async fn headers_pass_both_ways(gateway: &Gateway, service: &Service) {
    let token = service.issuer.token();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (number, client) in [(1, gateway.client().http1_only()), (2, gateway.client())] {
        let client = client.build().unwrap();
        let request = gateway.post(&client, &token, cart(number).to_string()).header("traceparent", traceparent);
        let request = request.header("sap-passport", "2A54482A0300E60000").header("x-request-id", "call-1");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.header("location"), format!("{ORDERS}/{number}"));
        assert_eq!((answer.header("x-request-id"), answer.header("api-version")), ("call-1", "2"));
        let received = service.vms.received().pop().unwrap();
        assert_eq!(received.header("traceparent"), Some(traceparent));
        assert_eq!(received.header("sap-passport"), Some("2A54482A0300E60000"));
        let again = Answer::of(gateway.post(&client, &token, cart(number).to_string()).send().await.unwrap()).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));

        let request = gateway.post(&client, &token, cart(number + 10).to_string()).header("prefer", "respond-async");
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.header("preference-applied")), (202, "respond-async"), "{}", answer.text);
        assert_ne!(answer.header("retry-after"), "");

        let fetch = client.head(gateway.url(ORDERS)).bearer_auth(&token).header("x-csrf-token", "fetch");
        assert_eq!(fetch.send().await.unwrap().status(), 200);
        let other = client.get(gateway.url(ORDERS)).bearer_auth(&token).header("accept-version", "1");
        Answer::of(other.send().await.unwrap()).await.is_problem(400, "unsupported-version");
    }
}

async fn problems_and_large_batches_pass(gateway: &Gateway, service: &Service) {
    let (client, token) = (gateway.client().build().unwrap(), service.issuer.token());
    let wrong = gateway.post(&client, &token, json!({ "HEADER": { "OBJECT_ID": "1" } }).to_string());
    Answer::of(wrong.send().await.unwrap()).await.is_problem(422, "invalid-cart");
    let anonymous = Answer::of(gateway.post(&client, "nonsense", cart(3).to_string()).send().await.unwrap()).await;
    anonymous.is_problem(401, "invalid-token");
    assert!(anonymous.header("www-authenticate").starts_with("Bearer"), "{:?}", anonymous.headers);

    let long = |number: u32| {
        let mut cart = cart(number);
        cart["HEADER"]["ZZ_NOTE"] = Value::from("x".repeat(900_000));
        cart
    };
    let carts: Vec<Value> = (100..110).map(long).collect();
    let request = client.post(gateway.url(&format!("{ORDERS}/batch"))).bearer_auth(&token);
    let request = request.header("content-type", "application/json").body(Value::from(carts).to_string());
    let answer = Answer::of(request.send().await.unwrap()).await;
    let results = answer.body["results"].as_array().unwrap_or_else(|| panic!("{} {}", answer.status, answer.text));
    assert!(results.len() == 10 && results.iter().all(|result| result["status"] == 201), "{}", answer.text);
}

async fn certificates_are_passed_on_and_not_believed_from_clients(gateway: &Gateway, service: &Service, header: &str) {
    let (mine, yours) = (gateway.ca.client("mine"), gateway.ca.client("yours"));
    let token = bound_to(service, &mine);
    let list = async |client: &Client, forged: Option<&Pair>| {
        let mut request = client.get(gateway.url(ORDERS)).bearer_auth(&token);
        if let Some(pair) = forged {
            request = request.header(header, format!(":{}:", pair.base64()));
        }
        request.send().await.unwrap().status()
    };
    // Each request on a connection of its own: the later ones resume the TLS session.
    let with = |pair: &Pair| gateway.client().identity(pair.identity()).pool_max_idle_per_host(0).build().unwrap();
    let (owner, thief, nobody) = (with(&mine), with(&yours), gateway.client().build().unwrap());
    for _ in 0..3 {
        assert_eq!(list(&owner, None).await, 200, "the owner of the certificate");
    }
    for forged in [None, Some(&mine)] {
        assert_eq!(list(&thief, forged).await, 401, "another certificate, the header {forged:?}");
        assert_eq!(list(&nobody, forged).await, 401, "no certificate, the header {forged:?}");
    }
}

/// A service that takes a request and hangs up gets it once: what became of it is unknown.
async fn a_post_is_sent_once(kit: Kit) {
    let service = RawServer::start(|request| {
        if request.starts_with("GET") {
            return RawAnswer::whole(200, &[], "{}");
        }
        RawAnswer { bytes: Vec::new(), then: Then::Close }
    })
    .await;
    let Some(gateway) = Gateway::start(kit, service.address).await else { return };
    // Whatever a client would do by itself: a gateway that says that nothing was sent makes clients repeat a POST.
    let clients = [gateway.client().build().unwrap(), gateway.client().http1_only().build().unwrap()];
    for (sent, client) in (1..).zip(clients.iter().cycle().take(6)) {
        let answer = gateway.post(client, "token", cart(1).to_string()).send().await;
        // On a connection that it has used before, HAProxy closes it instead of an answer: the outcome is unknown, as it is.
        if let Ok(answer) = answer {
            assert!([502, 503].contains(&answer.status().as_u16()), "{answer:?}");
        }
        let posts = service.requests().iter().filter(|request| request.starts_with("POST")).count();
        assert_eq!(posts, sent, "a cart is sent again behind {}", kit.program);
    }
}

#[tokio::test]
async fn carts_pass_nginx_as_documented() {
    carts_pass(NGINX).await;
}

#[tokio::test]
async fn carts_pass_haproxy_as_documented() {
    carts_pass(HAPROXY).await;
}

#[tokio::test]
async fn carts_pass_envoy_as_documented() {
    carts_pass(ENVOY).await;
}

#[tokio::test]
async fn no_documented_gateway_sends_a_post_again() {
    for kit in [NGINX, HAPROXY, ENVOY] {
        a_post_is_sent_once(kit).await;
    }
}

//! A real forward proxy, tinyproxy, between the service and everything that it asks. It says NOT RUN where it is not installed.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::clock::SystemClock;
use purchase_order_webhook::config::Settings;
use purchase_order_webhook::doctor::{Status, examine};
use tempfile::TempDir;

use crate::provider::Provider;
use crate::support::{Answer, ORDERS, Service, basics, cart};
use crate::{list, service_beside};

const CREDENTIALS: &str = "acme:hu%2Dsh";

/// A running proxy, which wants a user and a password; stopped with this handle.
struct ForwardProxy {
    address: SocketAddr,
    process: Child,
    folder: TempDir,
}

impl Drop for ForwardProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl ForwardProxy {
    /// `None`, said loudly, where it is not installed; on CI that is a failure.
    async fn start() -> Option<Self> {
        let places = ["/usr/bin/tinyproxy", "/usr/sbin/tinyproxy", "/usr/local/bin/tinyproxy"];
        let Some(program) = places.into_iter().find(|place| Path::new(place).is_file()) else {
            let text = "NOT RUN: tinyproxy is not installed (Debian: apt-get install tinyproxy)";
            assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
            eprintln!("{text}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = folder.path().join("tinyproxy.conf");
        let text = format!(
            "Port {}\nListen 127.0.0.1\nTimeout 600\nLogFile \"{}\"\nLogLevel Connect\nMaxClients 100\nBasicAuth acme hu-sh\n",
            address.port(),
            folder.path().join("log").display()
        );
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(program);
        command.arg("-d").arg("-c").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        let mut proxy = Self { address, process: command.spawn().unwrap(), folder };
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Some(proxy);
            }
            assert!(proxy.process.try_wait().unwrap().is_none(), "tinyproxy ended: {}", proxy.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("tinyproxy does not listen");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Whether it was asked for something; its log is written at once.
    fn was_asked(&self, begin: &str) -> bool {
        self.log().lines().any(|line| line.contains(": ") && line.contains(begin))
    }

    fn setting(&self, credentials: &str) -> String {
        format!("outbound.proxy = \"http://{credentials}@{}\"\n", self.address)
    }
}

/// What the service asks the provider for: its keys, whether a token is active, and its own token for 11VMS.
fn settings(provider: &Provider) -> String {
    format!(
        "target.ca = \"{}\"\ntarget.oauth2.token_url = \"{}/token\"\ntarget.oauth2.client_id = \"webhook-basic\"\n\
         target.oauth2.client_secret = \"webhook-secret\"\ntarget.oauth2.scopes = [\"orders\"]\nretry.attempts = 0\n\
         auth.introspection.url = \"{}/token/introspection\"\nauth.introspection.client_id = \"introspector\"\n\
         auth.introspection.client_secret = \"introspector-secret\"\n",
        provider.ca.certificate().display(),
        provider.issuer,
        provider.issuer
    )
}

async fn send(service: &Service, provider: &Provider) -> Answer {
    let token = provider.token("rs256").await;
    let request = service.client.post(service.url(ORDERS)).bearer_auth(token);
    let request = request.header("content-type", "application/json").body(cart(1).to_string());
    Answer::of(request.send().await.unwrap()).await
}

/// `host:port` of the provider.
fn host(provider: &Provider) -> &str {
    provider.issuer.trim_start_matches("https://")
}

#[tokio::test]
async fn everything_is_reached_through_the_forward_proxy() {
    let Some(provider) = Provider::start(None) else { return };
    let Some(proxy) = ForwardProxy::start().await else { return };
    let service = service_beside(&provider, &(settings(&provider) + &proxy.setting(CREDENTIALS))).await;
    let answer = send(&service, &provider).await;
    assert_eq!(answer.status, 201, "{}\n{}", answer.text, proxy.log());
    let counts = provider.counts().await;
    assert_eq!(counts["jwks"], 1, "{counts}");
    assert_eq!(list(&service, &provider.token("opaque").await).await.status, 200);
    assert_eq!(provider.counts().await["introspection"], 1);
    assert!(proxy.was_asked(&format!("CONNECT {}", host(&provider))), "{}", proxy.log());
    let vms = format!("{}purchase-orders", service.vms.url());
    assert!(proxy.was_asked(&format!("POST {vms}")), "{vms}: {}", proxy.log());
    // One connection each to the issuer and to the token endpoint at least: the clients are separate ones.
    let tunnels = proxy.log().matches(&format!("CONNECT {}", host(&provider))).count();
    assert!(tunnels >= 2, "{}", proxy.log());
}

#[tokio::test]
async fn what_no_proxy_names_is_reached_without_it() {
    let Some(provider) = Provider::start(None) else { return };
    let Some(proxy) = ForwardProxy::start().await else { return };
    let with = proxy.setting(CREDENTIALS);
    let service = service_beside(&provider, &(settings(&provider) + &with)).await;
    let port = service.vms.url().port().unwrap();
    let (issuer, vms) = (service.issuer.clone(), service.vms.clone());
    drop(service);
    // The stand-in alone, then everything.
    for (exceptions, tunnels) in [(format!("127.0.0.1:{port}"), true), ("127.0.0.0/8".to_owned(), false)] {
        let before = proxy.log().len();
        let more = format!(
            "auth.issuer = {:?}\nauth.ca = \"{}\"\n{}{with}outbound.no_proxy = [{exceptions:?}]",
            provider.issuer,
            provider.ca.certificate().display(),
            settings(&provider)
        );
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let service = Service::start_beside(issuer.clone(), vms.clone(), folder, &more).await;
        let answer = send(&service, &provider).await;
        assert!([200, 201].contains(&answer.status), "{exceptions}: {}", answer.text);
        let log = proxy.log().split_off(before);
        assert!(!log.contains(&format!(":{port}")), "{exceptions}: {log}");
        assert_eq!(log.contains(&format!("CONNECT {}", host(&provider))), tunnels, "{exceptions}: {log}");
    }
}

/// The lines of the doctor that say no OK.
async fn faults(service: &Service, provider: &Provider, more: &str) -> Vec<String> {
    let own = format!(
        "auth.issuer = {:?}\nauth.ca = \"{}\"\n{}{more}",
        provider.issuer,
        provider.ca.certificate().display(),
        settings(provider)
    );
    let text = format!("{}{own}", basics(&service.issuer, &service.vms, &service.folder, &own));
    let settings = Settings::parse("test", &text, &std::collections::BTreeMap::new()).unwrap();
    let findings = examine(&settings, Arc::new(SystemClock)).await;
    assert!(findings.iter().any(|finding| finding.text.contains("is reached through the forward proxy")));
    findings.iter().filter(|one| one.status == Status::Fail).map(ToString::to_string).collect()
}

#[tokio::test]
async fn whether_the_proxy_or_the_target_has_failed_is_told() {
    let Some(provider) = Provider::start(None) else { return };
    let Some(proxy) = ForwardProxy::start().await else { return };
    let service = service_beside(&provider, &(settings(&provider) + &proxy.setting(CREDENTIALS))).await;
    assert_eq!(faults(&service, &provider, &proxy.setting(CREDENTIALS)).await, Vec::<String>::new());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let elsewhere = |setting: &str| format!("{setting} = \"https://{closed}/x\"\n");
    let down = format!("outbound.proxy = \"http://acme:hush@{closed}\"\n");
    let nobody = format!("outbound.proxy = \"http://{}\"\n", proxy.address);
    for (more, expected) in [
        // tinyproxy answers 407 without credentials, and 401 to wrong ones.
        (proxy.setting("acme:hush"), vec!["with \"401 Unauthorized\"", "or it refuses the credentials"]),
        (nobody, vec!["wants credentials (407): user:password@ in outbound.proxy"]),
        (down, vec!["it can't be reached: Connection refused", "(outbound.proxy) can't be reached: "]),
        (
            proxy.setting(CREDENTIALS) + &elsewhere("auth.jwks_url"),
            vec!["answers CONNECT", "made no connection to", "issuer: the keys of"],
        ),
        (
            proxy.setting(CREDENTIALS) + &format!("target.base_url = \"https://{closed}\"\n"),
            vec!["made no connection to", "11VMS: https://"],
        ),
    ] {
        let found = faults(&service, &provider, &more).await.join("\n");
        assert!(!found.is_empty() && !found.contains("hush") && !found.contains("Basic "), "{more}: {found}");
        for expected in expected {
            assert!(found.contains(expected), "{more}: {expected}: {found}");
        }
    }
    // As the caller of an order sees it.
    let more = settings(&provider).replace(
        &format!("token_url = \"{}/token\"", provider.issuer),
        &format!("token_url = \"https://{closed}/token\""),
    );
    let service = service_beside(&provider, &(more + &proxy.setting(CREDENTIALS))).await;
    let answer = send(&service, &provider).await;
    answer.is_problem(502, "parked");
    assert!(answer.text.contains("made no connection to") && !answer.text.contains("hu-sh"), "{}", answer.text);
}

//! The real app on free ports of 127.0.0.1, with a sandbox issuer and a sandbox 11VMS; carts and answers.
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::app::App;
use purchase_order_webhook::clock::{Clock, ManualClock, SystemClock};
use purchase_order_webhook::config::{Mistakes, Settings};
use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The path of the collection.
pub const ORDERS: &str = "/v2/purchase-orders";

/// A service with everything around it.
pub struct Service {
    pub address: SocketAddr,
    pub management: SocketAddr,
    pub issuer: Issuer,
    pub vms: SandboxVms,
    pub clock: Arc<ManualClock>,
    pub folder: Arc<TempDir>,
    pub client: Client,
    token: String,
    settings: String,
    stop: CancellationToken,
    running: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts a service whose clock is moved by hand.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same, with further settings (TOML lines).
    pub async fn start_with(settings: &str) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        Self::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), settings).await
    }

    /// Starts one more service with the same issuer and 11VMS.
    pub async fn start_beside(issuer: Issuer, vms: SandboxVms, folder: Arc<TempDir>, settings: &str) -> Self {
        Self::start_at(ManualClock::default(), issuer, vms, folder, settings).await
    }

    /// The same, with a clock of the caller's.
    pub async fn start_at(
        clock: ManualClock,
        issuer: Issuer,
        vms: SandboxVms,
        folder: Arc<TempDir>,
        settings: &str,
    ) -> Self {
        let clock = Arc::new(clock);
        let parsed = Settings::parse(
            "test",
            &format!("{}{settings}", basics(&issuer, &vms, &folder, settings)),
            &BTreeMap::new(),
        );
        // Not a part of every test's future: it is large.
        let building = Box::pin(App::build(parsed.unwrap(), Arc::clone(&clock) as Arc<dyn Clock>));
        let app = building.await.unwrap();
        let (address, management) = (app.address().unwrap(), app.management_address().unwrap());
        let stop = CancellationToken::new();
        let running = tokio::spawn(app.run(stop.clone()));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        // Tests move the clock by hand, some by years.
        let mut claims = issuer.claims_at(clock.now());
        claims["exp"] = json!(4_000_000_000_u64);
        let token = issuer.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": issuer.kid() }), &claims);
        let settings = settings.to_owned();
        Self { address, management, issuer, vms, clock, folder, client, token, settings, stop, running: Some(running) }
    }

    /// Stops as SIGTERM does, and waits until it is done.
    pub async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.await.unwrap();
        }
    }

    /// Stops, and starts another one on the same ledger, issuer and 11VMS.
    pub async fn restart(mut self) -> Self {
        self.stop().await;
        let (issuer, vms, folder) = (self.issuer.clone(), self.vms.clone(), Arc::clone(&self.folder));
        let settings = self.settings.clone();
        drop(self);
        Self::start_beside(issuer, vms, folder, &settings).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A POST of a cart with a good token.
    pub fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client
            .post(self.url(ORDERS))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(body)
    }

    /// A good token, at whatever time of the service's clock.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a cart and reads the answer.
    pub async fn send(&self, cart: &Value) -> Answer {
        Answer::of(self.post(cart.to_string()).send().await.unwrap()).await
    }

    /// Sends a small cart with another token.
    pub async fn send_with(&self, token: &str) -> Answer {
        let request = self.client.post(self.url(ORDERS)).bearer_auth(token);
        let request = request.header("content-type", "application/json").body(cart(1).to_string());
        Answer::of(request.send().await.unwrap()).await
    }

    /// A GET with a good token.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(self.url(path)).bearer_auth(&self.token).send().await.unwrap()).await
    }

    /// Waits, without moving the clock, until an order is in a state.
    pub async fn until(&self, id: &str, state: &str) -> Value {
        for _ in 0..2_000 {
            let answer = self.get(&format!("{ORDERS}/{id}")).await;
            if answer.body["state"] == state {
                return answer.body;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{id} never became {state}: {}", self.get(&format!("{ORDERS}/{id}")).await.body);
    }

    pub fn ledger_file(&self) -> PathBuf {
        self.folder.path().join("orders.db")
    }
}

/// The settings that a service needs, but for those that `settings` has.
pub fn basics(issuer: &Issuer, vms: &SandboxVms, folder: &TempDir, settings: &str) -> String {
    let mut lines = vec![
        "server.listen = \"127.0.0.1:0\"".to_owned(),
        "server.management_listen = \"127.0.0.1:0\"".to_owned(),
        format!("auth.issuer = {:?}", issuer.url()),
        format!("auth.audience = {AUDIENCE:?}"),
        format!("target.base_url = {:?}", vms.url().as_str()),
        format!("target.oauth2.token_url = {:?}", issuer.token_url().as_str()),
        "target.oauth2.client_id = \"purchase-order-webhook\"".to_owned(),
        "target.oauth2.client_secret = \"webhook-secret\"".to_owned(),
        format!("ledger.url = {:?}", format!("sqlite:{}", folder.path().join("orders.db").display())),
    ];
    // A setting of the test replaces the usual one; a secret's file replaces the secret.
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().trim_end_matches("_file").to_owned();
    let own: Vec<String> = settings.lines().map(key).collect();
    let needs_no_secret = ["private_key_jwt", "mtls", "jwt_bearer"].iter().any(|word| settings.contains(word));
    lines.retain(|line| !own.contains(&key(line)));
    if needs_no_secret {
        lines.retain(|line| !line.contains("client_secret"));
    }
    lines.join("\n") + "\n"
}

/// The defects that `check` finds in the files of settings.
pub fn defects(settings: &str) -> Vec<String> {
    purchase_order_webhook::app::check_files(&parsed(settings))
}

/// What `check` says of settings: the mistakes of the settings themselves, or those of their files.
pub fn mistakes(settings: &str) -> Vec<String> {
    match try_parse(settings) {
        Ok(settings) => purchase_order_webhook::app::check_files(&settings),
        Err(Mistakes(mistakes)) => mistakes,
    }
}

/// Settings that have all that is required.
pub fn parsed(settings: &str) -> Settings {
    try_parse(settings).unwrap()
}

fn try_parse(settings: &str) -> Result<Settings, Mistakes> {
    let needed = "auth.issuer = \"https://issuer.example\"\nauth.audience = \"x\"\ntarget.base_url = \"https://vms.example\"\n\
        target.oauth2.token_url = \"https://vms.example/token\"\ntarget.oauth2.client_id = \"x\"\n";
    let has_key = settings.contains("mtls") || settings.contains("private_key_jwt");
    let secret = if has_key { "" } else { "target.oauth2.client_secret = \"x\"\n" };
    Settings::parse("config.toml", &format!("{needed}{secret}{settings}"), &BTreeMap::new())
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, body, text }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts that this is a problem of a kind, whole and well-formed.
    #[track_caller]
    pub fn is_problem(&self, status: u16, name: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        assert_eq!(self.body["type"], format!("/problems/{name}"), "{}", self.text);
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["requestId"], self.header("x-request-id"));
        for member in ["title", "detail", "instance"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {}", self.text);
        }
        let messages = self.body["messages"].as_array().unwrap();
        assert!(!messages.is_empty() && messages.iter().all(|message| message["type"] == "E"), "{}", self.text);
    }
}

/// A cart of the repository's examples.
pub fn example(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping/examples").join(format!("{name}.cart.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The order that an example becomes.
pub fn expected_order(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping/examples").join(format!("{name}.order.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A small valid cart without a GUID: its number is its id.
pub fn cart(number: u32) -> Value {
    json!({
        "HEADER": { "OBJECT_ID": number.to_string(), "CURRENCY": "EUR", "TOTAL_VALUE": 100.5, "ZZ_SALES_ORG": "1010", "ZZ_CUST_CATEGORY": "A" },
        "ITEM": [{ "NUMBER_INT": 1, "DESCRIPTION": "Service", "QUANTITY": 1, "UNIT": "H", "PRICE": 100.5 }],
        "ACCOUNT": [{ "DISTR_PERC": 100, "COST_CTR": "0000001000" }],
        "PARTNER": [
            { "PARTNER_FCT": "00000019", "PARTNER_ID": "0000300123" },
            { "PARTNER_FCT": "00000027", "COUNTRY": "DE", "REGION": "08" }
        ]
    })
}

/// The system's time, where a test needs it.
pub fn now() -> jiff::Timestamp {
    SystemClock.now()
}

/// The JSON body of a raw HTTP answer.
pub fn json_body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

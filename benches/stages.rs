//! What each stage of an order costs alone, and what the whole order costs: processor time, in user and kernel mode.
//!
//! `cargo bench --bench stages` prints a table. Stages within one process are measured in this one; what the real binary needs for
//! a request, in its process. The last rows compare the sum of an order's stages with the whole order. What the sum lacks is what lies
//! between them: tasks that wait and wake, logs, metrics, and caches that a stage finds cold.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench fails by panicking, and prints what it measured"
)]
#![allow(clippy::disallowed_methods, reason = "a bench plays the caller")]

#[path = "carts/mod.rs"]
mod carts;
#[path = "orders/mod.rs"]
mod orders;
#[path = "service/mod.rs"]
mod service;

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use purchase_order_webhook::app::token_verifier;
use purchase_order_webhook::cart::Cart;
use purchase_order_webhook::clock::{Clock, SystemClock};
use purchase_order_webhook::condition::Conditions;
use purchase_order_webhook::config::Settings;
use purchase_order_webhook::ledger::sqlite::SqliteLedger;
use purchase_order_webhook::mapping::{Amounts, Folder, Mapping};
use purchase_order_webhook::order::{Admission, Terms, admit};
use purchase_order_webhook::problem::{Problem, ProblemKind};
use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use purchase_order_webhook::vms::Vms as _;
use purchase_order_webhook::vms::client::VmsClient;
use serde_json::json;
use tikv_jemallocator::Jemalloc;
use tokio::net::TcpListener;

use carts::cart_of;
use orders::{ITEMS, Orders, at_once, spread_guid};
use service::Service;

/// As in the service.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Callers at once, as in `benches/compare`.
const CALLERS: usize = 64;

const STAND_IN: &str = "stand-in";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if std::env::args().nth(1).as_deref() == Some(STAND_IN) {
        return runtime.block_on(stand_in());
    }
    runtime.block_on(async {
        let stages = Arc::new(Stages::new().await);
        println!("{:<58} {:>9}", "stage", "µs");
        let token = stages.tokens().await;
        let cart = stages.cart();
        let ledger = stages.ledger().await;
        let call = stages.call().await;
        Stages::problem();
        let (http, whole) = stages.requests().await;
        let sum = token + cart + ledger + call + http;
        print_row("sum: HTTP, token, cart, ledger and call, 64 at a time", sum);
        println!("{:<58} {:>9.2}", "the whole, against the sum", whole / sum);
    });
}

/// What several stages need.
struct Stages {
    issuer: Issuer,
    vms: StandIn,
    settings: Settings,
    clock: Arc<dyn Clock>,
    text: String,
    mapping: Mapping,
    orders: Orders,
}

impl Stages {
    async fn new() -> Self {
        let issuer = Issuer::start().await.unwrap();
        let vms = StandIn::start();
        let text = format!(
            "auth.issuer = {:?}\nauth.audience = {AUDIENCE:?}\ntarget.base_url = {:?}\ntarget.oauth2.token_url = {:?}\n\
             target.oauth2.client_id = \"purchase-order-webhook\"\ntarget.oauth2.client_secret = \"webhook-secret\"\n",
            issuer.url(),
            vms.url,
            issuer.token_url().as_str(),
        );
        let settings = Settings::parse("bench", &text, &BTreeMap::new()).unwrap();
        let folder = Folder::read(Path::new("mapping")).unwrap();
        let mapping = Mapping::compile(&folder, Amounts::Unshifted).unwrap();
        Self {
            issuer,
            vms,
            settings,
            clock: Arc::new(SystemClock),
            text: cart_of(ITEMS),
            mapping,
            orders: Orders::new(),
        }
    }

    async fn tokens(&self) -> f64 {
        let verifier =
            token_verifier(&self.settings.auth, Duration::from_mins(5), &self.clock, &Conditions::default()).unwrap();
        let fresh: Vec<String> = (0..4_000).map(|number| self.token_of(number)).collect();
        verifier.verify(&self.issuer.token(), None).await.unwrap();
        let spent = Spent::begin_here();
        for token in &fresh {
            verifier.verify(token, None).await.unwrap();
        }
        print_row("token, RS256, seen for the first time", spent.each(fresh.len()));
        let (token, times) = (self.issuer.token(), 200_000);
        verifier.verify(&token, None).await.unwrap();
        let spent = Spent::begin_here();
        for _ in 0..times {
            black_box(verifier.verify(black_box(&token), None).await.unwrap());
        }
        print_row("token, seen before", spent.each(times))
    }

    fn token_of(&self, number: usize) -> String {
        let mut claims = self.issuer.claims();
        claims["jti"] = json!(number.to_string());
        self.issuer.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": self.issuer.kid() }), &claims)
    }

    fn cart(&self) -> f64 {
        let times = 30_000;
        let spent = Spent::begin_here();
        for _ in 0..times {
            let cart = Cart::parse(black_box(&self.text)).unwrap();
            black_box((self.mapping.map(&cart).unwrap(), cart.fingerprint()));
        }
        print_row("cart of 5 items: read, mapped, fingerprinted", spent.each(times))
    }

    /// The ledger's part of an order: its admission with its first attempt, and its settlement. Returns that of as many at a time as
    /// the whole order is measured with.
    async fn ledger(self: &Arc<Self>) -> f64 {
        let mut in_groups = f64::NAN;
        for (together, count) in [(1, 1_000), (16, 8_000), (CALLERS, 8_000)] {
            let folder = tempfile::tempdir().unwrap();
            let ledger = SqliteLedger::open(&folder.path().join("orders.db")).unwrap();
            let candidates: Arc<Vec<_>> = Arc::new((0..count).map(|number| self.orders.candidate(number)).collect());
            let (stages, now) = (Arc::clone(self), self.clock.now());
            let spent = Spent::begin_here();
            at_once(0..count, together, move |number| {
                let (stages, ledger, candidates) = (Arc::clone(&stages), ledger.clone(), Arc::clone(&candidates));
                async move { stages.orders.settle(&ledger, candidates[number].clone(), now).await }
            })
            .await;
            in_groups =
                print_row(&format!("ledger: admission and settlement, {together} at a time"), spent.each(count));
        }
        in_groups
    }

    async fn call(self: &Arc<Self>) -> f64 {
        let client = VmsClient::from_config(&self.settings.target, Arc::clone(&self.clock), Conditions::default());
        let client = Arc::new(client.unwrap());
        client.fetch_token().await.unwrap();
        let candidate = self.orders.candidate(0);
        let Admission::Started(order) = admit(None, candidate, Terms::new(self.clock.now(), Duration::ZERO)) else {
            panic!("a new order")
        };
        let (times, order) = (20_000, Arc::new(order));
        let spent = Spent::begin_here();
        at_once(0..times, CALLERS, move |_| {
            let (client, order) = (Arc::clone(&client), Arc::clone(&order));
            async move { drop(black_box(client.create(&order, None).await)) }
        })
        .await;
        print_row("call to 11VMS, 64 at a time", spent.each(times))
    }

    fn problem() {
        let times = 50_000;
        let spent = Spent::begin_here();
        for _ in 0..times {
            let detail = "CURRENCY of HEADER is missing or initial; expected a text";
            black_box(Problem::new(ProblemKind::INVALID_CART, detail).into_response());
        }
        print_row("problem, as an answer", spent.each(times));
    }

    /// A request that does nothing, a preview, and an order, in the real binary; returns the first and the last.
    async fn requests(self: &Arc<Self>) -> (f64, f64) {
        let settings = "target.max_concurrency = 128\n";
        let service = Arc::new(Service::start(self.issuer.clone(), &self.vms.url, settings).await);
        assert!(self.text.contains(CART_GUID), "each order needs a cart of its own");
        let order = |first: usize| {
            let (stages, service) = (Arc::clone(self), Arc::clone(&service));
            move |number: usize| {
                let cart = stages.text.replacen(CART_GUID, &spread_guid(first + number), 1);
                let request = service.post(ORDERS, cart);
                async move { assert_eq!(request.send().await.unwrap().status().as_u16(), 201) }
            }
        };
        let other = |request: reqwest::RequestBuilder| {
            move |_| {
                let request = request.try_clone().unwrap();
                async move { assert_eq!(request.send().await.unwrap().status().as_u16(), 200) }
            }
        };
        let (warm_up, times) = (2_000, 20_000);
        at_once(0..warm_up, CALLERS, order(0)).await;
        let spent = Spent::begin(service.id());
        at_once(0..times, CALLERS, other(service.get("/livez"))).await;
        let http = print_row("HTTP: a request that does nothing (/livez)", spent.each(times));
        let spent = Spent::begin(service.id());
        at_once(0..times, CALLERS, other(service.post(&format!("{ORDERS}/preview"), self.text.clone()))).await;
        print_row("preview: HTTP, token, cart with its explanation", spent.each(times));
        let spent = Spent::begin(service.id());
        at_once(0..times, CALLERS, order(warm_up)).await;
        (http, print_row("the whole: an order, 64 callers", spent.each(times)))
    }
}

const ORDERS: &str = "/v2/purchase-orders";

/// The GUID of the cart that `cart_of` makes.
const CART_GUID: &str = "42010aef4c1d1edca5b1c2d3e4f50601";

fn print_row(stage: &str, microseconds: f64) -> f64 {
    println!("{stage:<58} {microseconds:>9.1}");
    microseconds
}

/// The processor time of a process, from a moment on.
struct Spent {
    process: u32,
    before: f64,
}

impl Spent {
    fn begin(process: u32) -> Self {
        Self { process, before: processor_time(process) }
    }

    fn begin_here() -> Self {
        Self::begin(std::process::id())
    }

    /// Microseconds for each of so many.
    fn each(&self, times: usize) -> f64 {
        (processor_time(self.process) - self.before) * 1e6 / f64::from(u32::try_from(times).unwrap())
    }
}

/// Seconds that all threads of a process have spent, in whole hundredths (proc_pid_stat(5)).
fn processor_time(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = |at: usize| fields.split_whitespace().nth(at).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// An 11VMS that answers at once, in a process of its own: this program again.
struct StandIn {
    url: String,
    process: Child,
}

impl StandIn {
    fn start() -> Self {
        let mut process =
            Command::new(std::env::current_exe().unwrap()).arg(STAND_IN).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { url: format!("http://{}/", address.trim()), process }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

async fn stand_in() {
    let created = || async { (StatusCode::CREATED, r#"{"poNumber":"4500000001","status":"CREATED"}"#) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let service = TowerToHyperService::new(Router::new().fallback(created));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let service = service.clone();
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
    }
}

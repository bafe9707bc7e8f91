//! A burst of carts, with an 11VMS that takes 200 ms for each: the time compared with the least possible one
//! (carts × latency ÷ `target.max_concurrency`), and the peak memory of the service.
//!
//! `cargo bench --bench burst` sends 10,000 carts within a second or two, each on a connection of its own, and then as many in batches of 500.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a bench plays the caller, and measures real time")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use reqwest::Client;
use serde_json::Value;
use tokio::process::{Child, Command};

use support::{ORDERS, cart};

const CARTS: u32 = 10_000;
const LATENCY: Duration = Duration::from_millis(200);
const CONCURRENCY: u32 = 32;

/// How the carts are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    EachAlone,
    Batches,
}

struct Service {
    child: Child,
    address: String,
    client: Client,
    token: String,
    vms: SandboxVms,
    _issuer: Issuer,
    _folder: tempfile::TempDir,
}

impl Service {
    async fn start() -> Self {
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        vms.set_latency(LATENCY);
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.path().join("config.toml");
        let text = format!(
            "server.listen = \"127.0.0.1:{port}\"\nserver.management_listen = \"127.0.0.1:0\"\nserver.max_in_flight = {CARTS}\n\
             server.deadline = \"10m\"\nauth.issuer = {:?}\nauth.audience = {AUDIENCE:?}\n\
             target.base_url = {:?}\ntarget.max_concurrency = {CONCURRENCY}\n\
             target.oauth2.token_url = {:?}\ntarget.oauth2.client_id = \"purchase-order-webhook\"\n\
             target.oauth2.client_secret = \"webhook-secret\"\nledger.url = {:?}\ntelemetry.log_level = \"error\"\n",
            issuer.url(),
            vms.url().as_str(),
            issuer.token_url().as_str(),
            format!("sqlite:{}", folder.path().join("orders.db").display()),
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = format!("http://127.0.0.1:{port}");
        // Callers wait without a time-out.
        let client = Client::builder().no_proxy().tcp_keepalive(None).tcp_user_timeout(None).build().unwrap();
        while client.get(format!("{address}/readyz")).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let token = issuer.token();
        Self { child, address, client, token, vms, _issuer: issuer, _folder: folder }
    }

    /// Peak of the resident memory, in MiB.
    fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    fn post(&self, path: &str, body: String) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.address))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(body)
    }

    async fn send(&self, form: Form) -> usize {
        let requests: Vec<_> = match form {
            Form::EachAlone => (1..=CARTS).map(|number| self.post(ORDERS, cart(number).to_string())).collect(),
            Form::Batches => (1..=CARTS)
                .map(cart)
                .collect::<Vec<_>>()
                .chunks(500)
                .map(|carts| self.post(&format!("{ORDERS}/batch"), Value::from(carts).to_string()))
                .collect(),
        };
        let mut calls = Vec::new();
        for request in requests {
            calls.push(tokio::spawn(request.send()));
            // As fast as a batch job connects, within a second or two.
            if calls.len() % 100 == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let mut created = 0;
        for call in calls {
            let answer = call.await.unwrap().unwrap();
            let status = answer.status().as_u16();
            let body: Value = answer.json().await.unwrap();
            created += match body["results"].as_array() {
                Some(results) => results.iter().filter(|result| result["status"] == 201).count(),
                None => usize::from(status == 201),
            };
        }
        created
    }
}

#[tokio::main]
async fn main() {
    let least = LATENCY.mul_f64(f64::from(CARTS) / f64::from(CONCURRENCY));
    println!("{CARTS} carts, 11VMS takes {LATENCY:?}, {CONCURRENCY} at a time: at least {least:?}");
    for form in [Form::EachAlone, Form::Batches] {
        let service = Service::start().await;
        let began = Instant::now();
        let created = service.send(form).await;
        let took = began.elapsed();
        println!(
            "{form:?}: {created} created, {} orders in 11VMS, {took:?} = {:.3} times the least, peak memory {} MiB",
            service.vms.orders().len(),
            took.as_secs_f64() / least.as_secs_f64(),
            service.peak_memory(),
        );
    }
}

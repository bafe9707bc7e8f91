//! A burst of carts, with an 11VMS that takes 200 ms for each: the time compared with the least possible one
//! (carts × latency ÷ `target.max_concurrency`), and the peak memory of the service. What the stand-in itself takes beyond its
//! latency shows with a bare client, which sends as many orders at a time and does nothing else.
//!
//! `cargo bench --bench burst` sends 10,000 carts within a second or two, each on a connection of its own, and then as many in batches of
//! 500. It leaves its figures in `target/compare/burst.json`, where `benches/compare/growth` finds them for docs/scaling.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a bench plays the caller, and measures real time")]

#[path = "service/mod.rs"]
mod service;
#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::SandboxVms;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use service::Service;
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

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::EachAlone => "each alone",
            Self::Batches => "in batches of 500",
        }
    }
}

/// All carts, as requests.
fn requests(service: &Service, form: Form) -> Vec<RequestBuilder> {
    let carts = (1..=CARTS).map(cart);
    match form {
        Form::EachAlone => carts.map(|cart| service.post(ORDERS, cart.to_string())).collect(),
        Form::Batches => carts
            .collect::<Vec<_>>()
            .chunks(500)
            .map(|carts| service.post(&format!("{ORDERS}/batch"), Value::from(carts).to_string()))
            .collect(),
    }
}

/// Sends them; returns how many carts became orders.
async fn send(requests: Vec<RequestBuilder>) -> usize {
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

/// Starts an 11VMS with a thread of its own: ten thousand callers do not delay its answers.
async fn start_vms(issuer: Issuer) -> SandboxVms {
    let (started, vms) = oneshot::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let vms = SandboxVms::start(issuer).await.unwrap();
            let _ = started.send(vms);
            std::future::pending::<()>().await;
        });
    });
    vms.await.unwrap()
}

/// How many times the least time a bare client takes, which has so many requests under way as the service.
async fn bare_client(vms: &SandboxVms) -> f64 {
    const ROUNDS: u32 = 50;
    let (client, url) = (Client::new(), format!("{}purchase-orders", vms.url()));
    vms.accept_any_token();
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let request = client.post(&url).bearer_auth("a token").body("{}");
        callers.spawn(async move {
            for _ in 0..ROUNDS {
                let answer = request.try_clone().unwrap().send().await.unwrap();
                assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
            }
        });
    }
    callers.join_all().await;
    began.elapsed().as_secs_f64() / (LATENCY * ROUNDS).as_secs_f64()
}

#[tokio::main]
async fn main() {
    let least = LATENCY.mul_f64(f64::from(CARTS) / f64::from(CONCURRENCY));
    println!("{CARTS} carts, 11VMS takes {LATENCY:?}, {CONCURRENCY} at a time: at least {least:?}");
    let settings = format!(
        "server.max_in_flight = {CARTS}\nserver.deadline = \"10m\"\ntarget.max_concurrency = {CONCURRENCY}\n\
         telemetry.log_level = \"error\"\n"
    );
    let mut measured = Vec::new();
    for form in [Form::EachAlone, Form::Batches] {
        let issuer = Issuer::start().await.unwrap();
        let vms = start_vms(issuer.clone()).await;
        vms.set_latency(LATENCY);
        let bare = bare_client(&vms).await;
        let sent_before = vms.orders().len();
        let service = Service::start(issuer, vms.url().as_str(), &settings).await;
        let requests = requests(&service, form);
        let began = Instant::now();
        let created = send(requests).await;
        let took = began.elapsed();
        let (ratio, memory) = (took.as_secs_f64() / least.as_secs_f64(), service.peak_memory());
        assert_eq!(created, CARTS as usize);
        measured.push(json!({ "form": form.name(), "ratio": ratio, "bare": bare, "memory_mib": memory }));
        println!(
            "{form:?}: {created} created, {} orders in 11VMS, {took:?} = {:.3} times the least (a bare client {bare:.3}), peak memory {} MiB",
            vms.orders().len() - sent_before,
            ratio,
            memory,
        );
    }
    keep(&measured);
}

/// Keeps the figures for the page about growth.
fn keep(measured: &[Value]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compare");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("burst.json"), Value::from(measured).to_string()).unwrap();
}

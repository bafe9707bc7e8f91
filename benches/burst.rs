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

#[path = "service/mod.rs"]
mod service;
#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::Value;

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

/// Sends all carts; returns how many became orders.
async fn send(service: &Service, form: Form) -> usize {
    let requests: Vec<_> = match form {
        Form::EachAlone => (1..=CARTS).map(|number| service.post(ORDERS, cart(number).to_string())).collect(),
        Form::Batches => (1..=CARTS)
            .map(cart)
            .collect::<Vec<_>>()
            .chunks(500)
            .map(|carts| service.post(&format!("{ORDERS}/batch"), Value::from(carts).to_string()))
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

#[tokio::main]
async fn main() {
    let least = LATENCY.mul_f64(f64::from(CARTS) / f64::from(CONCURRENCY));
    println!("{CARTS} carts, 11VMS takes {LATENCY:?}, {CONCURRENCY} at a time: at least {least:?}");
    let settings = format!(
        "server.max_in_flight = {CARTS}\nserver.deadline = \"10m\"\ntarget.max_concurrency = {CONCURRENCY}\n\
         telemetry.log_level = \"error\"\n"
    );
    for form in [Form::EachAlone, Form::Batches] {
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        vms.set_latency(LATENCY);
        let service = Service::start(issuer, vms.url().as_str(), &settings).await;
        let began = Instant::now();
        let created = send(&service, form).await;
        let took = began.elapsed();
        println!(
            "{form:?}: {created} created, {} orders in 11VMS, {took:?} = {:.3} times the least, peak memory {} MiB",
            vms.orders().len(),
            took.as_secs_f64() / least.as_secs_f64(),
            service.peak_memory(),
        );
    }
}

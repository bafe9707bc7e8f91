//! Answers as callers get them, one file an exchange below `tests/snapshots`: each reads like a specification.
//!
//! The clock shows one time and the jitter is off, so that times and delays are the same in every run.

mod answers;
mod operation;
mod pages;
mod refused_orders;
mod refused_requests;
mod unavailable;

use std::sync::Arc;

use jiff::Timestamp;
use purchase_order_webhook::clock::ManualClock;
use purchase_order_webhook::problem::ProblemKind;
use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::SandboxVms;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::exchange::Exchange;
use crate::snapshot_files::{assert_snapshot, folder};
use crate::support::{ORDERS, Service};

fn start_time() -> Timestamp {
    "2026-03-02T09:30:00Z".parse().unwrap()
}

async fn start() -> Service {
    start_with("").await
}

async fn start_with(settings: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    start_beside(issuer, settings).await
}

async fn start_beside(issuer: Issuer, settings: &str) -> Service {
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let settings = format!("retry.jitter = 0\n{settings}");
    Service::start_at(ManualClock::at(start_time()), issuer, vms, folder, &settings).await
}

/// A service that tries once, and takes every outcome for known at once.
async fn start_without_retries() -> Service {
    start_with("retry.attempts = 0\ntarget.unknown_grace = \"0s\"").await
}

/// A token with some claims of its own.
fn token(service: &Service, own: &Value) -> String {
    let mut claims = service.issuer.claims_at(start_time());
    for (name, value) in own.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": service.issuer.kid() });
    service.issuer.sign(&header, &claims)
}

/// A request with a good token; `path` continues that of the orders.
fn request(service: &Service, method: Method, path: &str) -> RequestBuilder {
    let request = service.client.request(method, service.url(&format!("{ORDERS}{path}")));
    request.bearer_auth(token(service, &json!({})))
}

fn get(service: &Service, path: &str) -> RequestBuilder {
    request(service, Method::GET, path)
}

fn post(service: &Service, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request(service, Method::POST, path).header("content-type", "application/json").body(body)
}

async fn exchange(service: &Service, request: RequestBuilder) -> Exchange {
    Exchange::of(&service.client, request).await
}

async fn send(service: &Service, cart: &Value) -> Exchange {
    exchange(service, post(service, "", cart.to_string())).await
}

/// Compares an answer with its file, whose name begins with the problem's status and name.
#[track_caller]
fn assert_problem(kind: ProblemKind, file: &str, answer: &Exchange) {
    answer.assert_problem(kind);
    assert!(file.starts_with(file_of(kind).trim_end_matches(".snap")), "{file} is no name for {}", kind.name);
    assert_snapshot(file, &answer.text());
}

/// The file of the first case of a kind.
fn file_of(kind: ProblemKind) -> String {
    format!("problems/{}-{}.snap", kind.status.as_u16(), kind.name)
}

#[test]
fn every_kind_of_problem_has_a_snapshot() {
    let missing: Vec<String> =
        ProblemKind::ALL.iter().map(|kind| file_of(*kind)).filter(|file| !folder().join(file).is_file()).collect();
    assert!(missing.is_empty(), "tests/snapshots lacks {missing:?}");
}

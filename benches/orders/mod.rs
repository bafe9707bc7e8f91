//! Orders for a ledger without a service: carts of 5 items, each under a GUID of its own, created at the first attempt.
#![allow(dead_code, reason = "each bench uses a part of this")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::cart::Cart;
use purchase_order_webhook::ledger::Ledger;
use purchase_order_webhook::mapping::{Amounts, Folder, Mapping};
use purchase_order_webhook::order::retry::{DuplicateGuard, RetryPolicy};
use purchase_order_webhook::order::{Admission, Candidate, OrderId, PropagatedHeaders, Requester, Terms, Verdict};
use serde_json::json;
use tokio::task::JoinSet;

use crate::carts::cart_of;

/// Items of a cart.
pub const ITEMS: usize = 5;

/// The candidate of which all others are copies.
pub struct Orders {
    sample: Candidate,
    policy: RetryPolicy,
}

impl Orders {
    /// Maps the cart once.
    pub fn new() -> Self {
        let text = cart_of(ITEMS);
        let mapping = Mapping::compile(&Folder::read(Path::new("mapping")).unwrap(), Amounts::Unshifted).unwrap();
        let cart = Cart::parse(&text).unwrap();
        let mapped = mapping.map(&cart).unwrap();
        let sample = Candidate {
            id: OrderId::of("sample"),
            cart_number: String::new(),
            fingerprint: cart.fingerprint(),
            body: mapped.body,
            mapping_version: mapping.version().to_owned(),
            warnings: Vec::new(),
            propagated_headers: PropagatedHeaders::default(),
            requester: Requester::from("srm7"),
            cart: None,
        };
        Self { sample, policy: policy() }
    }

    /// The order's candidate of a number.
    pub fn candidate(&self, number: usize) -> Candidate {
        let (id, cart_number) = (OrderId::of(&spread_guid(number)), format!("1{number:09}"));
        Candidate { id, cart_number, ..self.sample.clone() }
    }

    /// Admits an order with its first attempt, and settles it: two commits.
    pub async fn settle(&self, ledger: &dyn Ledger, candidate: Candidate, at: Timestamp) {
        let terms = Terms::new(at, self.policy.unknown_grace).with_first_attempt(at);
        let Admission::Started(mut order) = ledger.admit(candidate, terms).await.unwrap() else {
            panic!("a new order")
        };
        let answer = Some(json!({ "poNumber": "4500000001", "status": "CREATED" }));
        let verdict =
            Verdict::Created { number: "4500000001".into(), status: 201, answer, found: false, duplicates: 0 };
        order.conclude(verdict, at, &self.policy, 0.0).unwrap();
        ledger.store(order).await.unwrap();
    }
}

/// A created order is never tried again: any policy does.
const fn policy() -> RetryPolicy {
    RetryPolicy {
        retries: 5,
        initial_delay: Duration::from_secs(1),
        multiplier: 2.0,
        max_delay: Duration::from_mins(5),
        jitter: 0.0,
        unknown_grace: Duration::ZERO,
        guard: DuplicateGuard::LookUp,
    }
}

/// GUIDs of one host that are spread as an SAP system's are.
pub fn spread_guid(number: usize) -> String {
    format!("42010aef4c1d1edc{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Runs a task for each number of a range, so many of them at once.
pub async fn at_once<F>(
    numbers: std::ops::Range<usize>,
    at_once: usize,
    run: impl Fn(usize) -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let (next, run) = (Arc::new(AtomicUsize::new(numbers.start)), Arc::new(run));
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        let (next, run) = (Arc::clone(&next), Arc::clone(&run));
        workers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return;
                }
                run(number).await;
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
}

//! Fills a ledger with created orders, by its own API: what `benches/compare/growth` measures the service on.
//!
//! `fill URL FIRST END` adds the orders of those numbers. The first of all was received [`OLDEST`] ago, the others [`APART`]
//! from one to the next.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench fails by panicking, and prints what it did"
)]
#![allow(clippy::disallowed_methods, reason = "a bench has no clock of the service's")]

#[path = "carts/mod.rs"]
mod carts;
#[path = "orders/mod.rs"]
mod orders;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use purchase_order_webhook::ledger::Ledger;
use purchase_order_webhook::ledger::postgres::PostgresLedger;
use purchase_order_webhook::ledger::sqlite::SqliteLedger;
use purchase_order_webhook::postgres_url::{PostgresUrl, Variables};
use tikv_jemallocator::Jemalloc;

use orders::{Orders, at_once};

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Age of the first order: within the default of `ledger.retention`.
const OLDEST: Duration = Duration::from_hours(365 * 24);

/// Time between two orders: 5 million of them end months ago.
const APART: Duration = Duration::from_secs(5);

/// Orders under way at once: several of the largest groups, so that one fills while another is written.
const TOGETHER: usize = 1_024;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [url, first, end] = words.as_slice() else {
        // `cargo bench` runs every bench, this one without a ledger.
        println!("fill URL FIRST END: adds the orders of these numbers to a ledger");
        return;
    };
    let (first, end): (usize, usize) = (first.parse().unwrap(), end.parse().unwrap());
    let (ledger, orders, began) = (open(url).await, Arc::new(Orders::new()), Instant::now());
    let start = Timestamp::now() - OLDEST;
    at_once(first..end, TOGETHER, move |number| {
        let (ledger, orders) = (Arc::clone(&ledger), Arc::clone(&orders));
        async move {
            let received_at = start + APART * u32::try_from(number).unwrap();
            orders.settle(&*ledger, orders.candidate(number), received_at).await;
        }
    })
    .await;
    println!("{} orders in {:.1} s", end - first, began.elapsed().as_secs_f64());
}

async fn open(url: &str) -> Arc<dyn Ledger> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return Arc::new(SqliteLedger::open(Path::new(path)).unwrap());
    }
    let url = PostgresUrl::parse(url, &Variables::default()).unwrap();
    Arc::new(PostgresLedger::open(Arc::new(move || Ok(url.clone())), Duration::from_hours(1)).await.unwrap())
}

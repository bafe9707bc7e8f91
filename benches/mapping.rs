//! What the first half of the use case costs: a cart's text read, mapped and fingerprinted, with the mapping that the
//! repository ships, for carts of 1, 5, 30 and 500 items.
//!
//! `cargo bench --bench mapping` prints microseconds a cart: the best and the median of 50 rounds.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking, and prints what it measured")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

#[path = "carts/mod.rs"]
mod carts;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use purchase_order_webhook::cart::Cart;
use purchase_order_webhook::mapping::{Amounts, Folder, Mapping};
use tikv_jemallocator::Jemalloc;

use carts::cart_of;

/// As in the service.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

const ROUNDS: usize = 50;
/// Items of all carts of a round.
const ITEMS_A_ROUND: usize = 2_000;

fn main() {
    let folder = Folder::read(Path::new("mapping")).unwrap();
    let mapping = Mapping::compile(&folder, Amounts::Unshifted).unwrap();
    for items in [1, 5, 30, 500] {
        let text = cart_of(items);
        let carts = u32::try_from((ITEMS_A_ROUND / items).min(400)).unwrap();
        let cart = Cart::parse(&text).unwrap();
        assert!(mapping.map(&cart).unwrap().warnings.is_empty());
        let label = |step: &str| format!("{items} items, {} bytes: {step}", text.len());
        measure(&label("parse"), carts, || drop(black_box(Cart::parse(black_box(&text)).unwrap())));
        measure(&label("map"), carts, || drop(black_box(mapping.map(black_box(&cart)).unwrap())));
        measure(&label("fingerprint"), carts, || drop(black_box(black_box(&cart).fingerprint())));
        measure(&label("all"), carts, || {
            let cart = Cart::parse(black_box(&text)).unwrap();
            drop(black_box((mapping.map(&cart).unwrap(), cart.fingerprint())));
        });
    }
}

fn measure(label: &str, carts: u32, run: impl Fn()) {
    let round = || {
        let start = Instant::now();
        (0..carts).for_each(|_| run());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(carts)
    };
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_by(f64::total_cmp);
    let (best, median) = (rounds.first().unwrap(), rounds.get(ROUNDS / 2).unwrap());
    println!("{label}: best {best:.1} µs, median {median:.1} µs");
}

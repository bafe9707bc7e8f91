//! What the first half of the use case costs: a cart's text read, mapped and fingerprinted, with the mapping that the
//! repository ships, for carts of 5 and of 30 items.
//!
//! `cargo bench --bench mapping` prints microseconds a cart: the best and the median of 50 rounds.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking, and prints what it measured")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use purchase_order_webhook::cart::Cart;
use purchase_order_webhook::mapping::{Amounts, Folder, Mapping};
use serde_json::{Value, json};
use tikv_jemallocator::Jemalloc;

/// As in the service.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

const ROUNDS: usize = 50;
const CARTS_A_ROUND: u32 = 400;

fn main() {
    let folder = Folder::read(Path::new("mapping")).unwrap();
    let mapping = Mapping::compile(&folder, Amounts::Unshifted).unwrap();
    for items in [5, 30] {
        let text = cart(items);
        let cart = Cart::parse(&text).unwrap();
        assert!(mapping.map(&cart).unwrap().warnings.is_empty());
        let label = |step: &str| format!("{items} items, {} bytes: {step}", text.len());
        measure(&label("parse"), || drop(black_box(Cart::parse(black_box(&text)).unwrap())));
        measure(&label("map"), || drop(black_box(mapping.map(black_box(&cart)).unwrap())));
        measure(&label("fingerprint"), || drop(black_box(black_box(&cart).fingerprint())));
        measure(&label("all"), || {
            let cart = Cart::parse(black_box(&text)).unwrap();
            drop(black_box((mapping.map(&cart).unwrap(), cart.fingerprint())));
        });
    }
}

fn measure(label: &str, run: impl Fn()) {
    let round = || {
        let start = Instant::now();
        (0..CARTS_A_ROUND).for_each(|_| run());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(CARTS_A_ROUND)
    };
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_by(f64::total_cmp);
    let (best, median) = (rounds.first().unwrap(), rounds.get(ROUNDS / 2).unwrap());
    println!("{label}: best {best:.1} µs, median {median:.1} µs");
}

/// A cart of as many items as SAP's serializers write it, each with a supplier, a ship-to and an account.
fn cart(items: usize) -> String {
    let sample = fs::read_to_string("tests/carts/01-account-deleted.json").unwrap();
    let sample: Value = serde_json::from_str(&sample).unwrap();
    let rows = |section: &str, first: usize, owner: &str| -> Vec<Value> {
        let of_item = |item: usize| {
            let rows = sample.get(section).and_then(Value::as_array).into_iter().flatten().skip(first);
            rows.cloned().map(move |mut row| {
                let fields = row.as_object_mut().unwrap();
                fields.insert(owner.to_owned(), json!(format!("42010aef4c1d1edca5b1c2d3e4f5{:04x}", 0xa000 + item)));
                if section == "ITEM" {
                    fields.insert("NUMBER_INT".to_owned(), json!(format!("{item:010}")));
                }
                row
            })
        };
        (1..=items).flat_map(of_item).collect()
    };
    let mut header = sample.get("HEADER").cloned().unwrap();
    let total = header.get("TOTAL_VALUE").and_then(Value::as_f64).unwrap() * f64::from(u32::try_from(items).unwrap());
    header.as_object_mut().unwrap().insert("TOTAL_VALUE".to_owned(), json!(total));
    let sections = json!({
        "HEADER": header,
        "ITEM": rows("ITEM", 0, "GUID"),
        "ACCOUNT": rows("ACCOUNT", 1, "P_GUID"),
        "PARTNER": rows("PARTNER", 0, "P_GUID"),
        "ORGDATA": sample.get("ORGDATA"),
    });
    json!({ "CART": sections }).to_string()
}

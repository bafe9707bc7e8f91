//! Every seed of the fuzz targets, replayed: what once was a finding stays one. `fuzz/` has the targets for libFuzzer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

/// Fewer would mean that the seeds are not where they are looked for.
const AT_LEAST: usize = 10;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(seeds.len() >= AT_LEAST, "{name} has {} seeds", seeds.len());
    for seed in seeds {
        // The last one that is named is the one that failed.
        println!("{}", seed.display());
        target(&fs::read(seed).unwrap());
    }
}

#[test]
fn carts() {
    replay("cart", targets::cart);
}

#[test]
fn sheets() {
    replay("sheet", targets::sheet);
}

#[test]
fn tables() {
    replay("table", targets::table);
}

#[test]
fn headers_of_tokens() {
    replay("token_header", targets::token_header);
}

#[test]
fn values_of_retry_after() {
    replay("retry_after", targets::retry_after);
}

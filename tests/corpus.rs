//! Every seed of the fuzz targets passes, so that a finding stays mended. New inputs are made by libFuzzer: see `fuzz/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

/// Fewer seeds mean that the folder is the wrong one.
const AT_LEAST: usize = 10;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(seeds.len() >= AT_LEAST, "{name} has {} seeds", seeds.len());
    for seed in seeds {
        // The last line names the seed that failed.
        println!("{}", seed.display());
        target(&fs::read(seed).unwrap());
    }
}

#[test]
fn every_seed_of_carts_passes() {
    replay("cart", targets::cart);
}

#[test]
fn every_seed_of_sheets_passes() {
    replay("sheet", targets::sheet);
}

#[test]
fn every_seed_of_tables_passes() {
    replay("table", targets::table);
}

#[test]
fn every_seed_of_token_headers_passes() {
    replay("token_header", targets::token_header);
}

#[test]
fn every_seed_of_token_answers_passes() {
    replay("token_answer", targets::token_answer);
}

#[test]
fn every_seed_of_retry_after_passes() {
    replay("retry_after", targets::retry_after);
}

#[test]
fn every_seed_of_pem_passes() {
    replay("pem", targets::pem);
}

#[test]
fn every_seed_of_forwarded_certificates_passes() {
    replay("forwarded_certificate", targets::forwarded_certificate);
}

#[test]
fn every_seed_of_key_sets_passes() {
    replay("key_set", targets::key_set);
}

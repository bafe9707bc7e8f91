//! The real app on free ports of 127.0.0.1, with a sandbox issuer and a sandbox 11VMS, as callers and operators see it.
//!
//! Time is moved by hand. Crashes of the process have `tests/chaos`, simulated faults `tests/simulation`, the ledgers by
//! themselves `tests/ledger`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]

#[path = "../support/certificates.rs"]
mod certificates;
#[path = "../support/cloud_alm.rs"]
mod cloud_alm_receiver;
#[path = "../support/collector.rs"]
mod collector;
#[path = "../support/compression.rs"]
mod compression;
#[path = "../support/exchange.rs"]
mod exchange;
#[path = "../support/json_schema.rs"]
mod json_schema;
#[path = "../support/log_lines.rs"]
mod log_lines;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/raw_server.rs"]
mod raw_server;
#[path = "../support/small_disk.rs"]
mod small_disk;
#[path = "../support/snapshot_files.rs"]
mod snapshot_files;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod answers_on_the_wire;
mod attack_table;
mod attacks_on_systems;
mod batch;
mod bodies;
mod callers_recipes;
mod callers_tokens;
mod carts_as_sent;
mod catalogues;
mod certificate_files;
mod cloud_alm;
mod collector_tls;
mod description;
mod dev_tokens;
mod docs;
mod doctor;
mod forge;
mod forwarded_certificates;
mod full_disk;
mod gateways;
mod http2_failures;
mod hygiene;
mod identity_systems;
mod issuer_clients;
mod ledger_file;
mod limits;
mod listing;
mod load;
mod malformed_requests;
mod metrics;
mod operate;
mod outgoing_certificates;
mod pages;
mod preview_form;
mod problems;
mod published_keys;
mod recovery;
mod reload;
mod replicas;
mod salesforce;
mod several_issuers;
mod snapshots;
mod sockets;
mod target_profile;
mod tls;
mod token_endpoints;
mod token_recipes;
mod token_shapes;
mod tokens_in;
mod tokens_out;
mod traces;
mod ways_in;

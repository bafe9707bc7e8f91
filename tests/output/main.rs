//! What analysts and operators read and do: the output of the commands, the log of a cart, a stop. Each text is a file
//! below `tests/snapshots`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]

#[path = "../support/cloud_alm.rs"]
mod cloud_alm_receiver;
#[path = "../support/collector.rs"]
mod collector;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/snapshot_files.rs"]
mod snapshot_files;
#[path = "../support/mod.rs"]
mod support;

mod clocks;
mod commands;
mod exports;
mod forward_proxy;
mod healthcheck;
mod log;
mod log_forms;
mod map_files;
mod mapping;
mod process;
mod rehearsal;
mod splunk;
mod stop;
mod unused;

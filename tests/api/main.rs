//! The real app over HTTP. Names are sentences.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod bodies;
mod docs;
mod problems;
mod recovery;
mod reload;
mod sockets;
mod tokens_in;
mod tokens_out;

//! Alerts, from what an order or the service meets to what each receiver gets: the real app, and receivers that take down every
//! byte. The mail server is PyPI's aiosmtpd; where it is not installed, its tests say NOT RUN.
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
#[path = "../support/raw_server.rs"]
mod raw_server;
#[path = "../support/mod.rs"]
mod support;

mod command;
mod conditions;
mod fields;
mod independence;
mod mail;
mod mail_server;
mod receivers;

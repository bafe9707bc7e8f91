//! Approved SAP SRM 7 shopping carts become purchase orders in 11VMS: one cart, exactly one order.
//!
//! The modules in reading order; ARCHITECTURE.md explains how they depend on each other.

// These macros panic when the reader of the output goes away.
#![warn(clippy::print_stderr, clippy::print_stdout)]

// The use case: read it first.
pub mod relay;

// The domain, without I/O except for the mapping's folder.
pub mod cart;
pub mod mapping;
pub mod message;
pub mod order;

// The other sides: callers' tokens, storage, HTTP clients, 11VMS.
pub mod auth;
pub mod ledger;
pub mod outbound;
pub mod vms;

// What others hear of it.
pub mod deliveries;

// HTTP, from the ground up: problems, sockets, carts to candidates, the API, pages for people, routers.
pub mod problem;

pub mod edge;

pub mod intake;

pub mod api;
pub mod pages;
pub mod server;

// What most modules need.
pub mod bounded_queue;
pub mod certificate;
pub mod clock;
pub mod condition;
pub mod config;
pub mod digest;
pub mod metric;
pub mod pem;
pub mod postgres_url;
pub mod private_key;
pub mod reload;
pub mod settings_file;
pub mod shutdown;
pub mod single_flight;
pub mod system;
pub mod telemetry;
pub mod trace;

// Composition, diagnosis and commands.
pub mod app;
pub mod cli;
pub mod doctor;

// Test doubles; absent from production builds.
#[cfg(feature = "sandbox")]
pub mod sandbox;

// What the unit tests share with the others.
#[cfg(test)]
#[path = "../tests/support/log_lines.rs"]
mod log_lines;

//! Approved SAP SRM 7 shopping carts become purchase orders in 11VMS: one cart, exactly one order.
//!
//! The modules in reading order; ARCHITECTURE.md tells the whole story.

pub mod relay;

pub mod cart;
pub mod mapping;
pub mod message;
pub mod order;

pub mod auth;
pub mod ledger;
pub mod outbound;
pub mod vms;

pub mod problem;

pub mod edge;
pub mod intake;

pub mod api;
pub mod pages;
pub mod server;

pub mod clock;
pub mod config;
pub mod digest;
pub mod reload;
pub mod system;
pub mod telemetry;

pub mod app;
pub mod cli;

#[cfg(feature = "sandbox")]
pub mod sandbox;

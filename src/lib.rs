//! draft
pub mod auth;
pub mod cart;
pub mod clock;
pub mod config;
pub mod digest;
pub mod ledger;
pub mod mapping;
pub mod message;
pub mod order;
pub mod relay;
pub mod vms;

//! The handlers, one file for each resource. Each fails with the problems that its description lists.
#![allow(clippy::missing_errors_doc, reason = "the errors of a handler stand in its OpenAPI description")]

pub mod audit;
pub mod batch;
pub mod catalogues;
pub mod health;
pub mod metrics;
pub mod operate;
pub mod preview;
pub mod protected_resource;
pub mod purchase_orders;

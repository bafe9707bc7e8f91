//! The handlers, one room a resource. Each fails with the problems that its description lists.
#![allow(clippy::missing_errors_doc, reason = "the errors of a handler stand in its OpenAPI description")]

pub mod answer;
pub mod batch;
pub mod docs;
pub mod health;
pub mod operate;
pub mod preview;
pub mod purchase_orders;

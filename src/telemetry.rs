//! What the service reports about itself: log lines, and the steps of one cart for `dev`.
//!
//! Owns formats, levels and the names of all log fields; and what the log says of the relay's work.

mod breaker_condition;
pub mod cloud_alm;
mod escape;
mod export;
pub mod fields;
mod log;
pub mod metrics;
mod order_log;
pub mod otlp;
mod resource;
mod steps;

pub use breaker_condition::BreakerCondition;
pub use escape::escape;
pub use log::records::LogRecords;
pub use log::{LogControl, report_on_standard_error, start_log};
pub use order_log::OrderLog;
pub use steps::{STEP, start_steps};

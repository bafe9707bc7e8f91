//! What the service reports about itself: log lines, and the steps of one cart for `dev`.
//!
//! Owns formats, levels and the names of all log fields. Knows nothing of orders.

mod escape;
pub mod fields;
mod log;
mod steps;

pub use escape::escape;
pub use log::{report_on_standard_error, start_log};
pub use steps::{STEP, start_steps};

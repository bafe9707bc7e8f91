//! The channels of alerts, each with its own protocol.

pub mod pagerduty;
pub mod sap_alert_notification;
pub mod smtp;
pub mod webhook;

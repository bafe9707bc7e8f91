//! What every span, metric and log record says of the service that it comes from.

use std::sync::LazyLock;

/// `service.name`
pub const SERVICE_NAME: &str = "purchase-order-webhook";

/// `service.version`
pub const SERVICE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// `service.instance.id`: another one at each start, as the conventions want it.
static INSTANCE: LazyLock<String> = LazyLock::new(|| uuid::Uuid::new_v4().to_string());

/// Names and values of the attributes, by OpenTelemetry's conventions.
pub fn resource_attributes() -> [(&'static str, &'static str); 3] {
    [("service.name", SERVICE_NAME), ("service.version", SERVICE_VERSION), ("service.instance.id", &INSTANCE)]
}

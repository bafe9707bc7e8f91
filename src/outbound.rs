//! Outbound HTTP: clients that neither redirect nor retry on their own, whose certificates are reloaded when they change.
//!
//! Owns what every call to another system needs: the client, client authentication at token endpoints, `Retry-After`,
//! limited bodies. Knows neither 11VMS nor the issuer: `vms` and `auth` use it to reach them.

mod body;
mod client;
mod client_authentication;
mod error_chain;
mod retry_after;

pub use body::read_limited;
pub use client::{ClientSettings, Outbound, OutboundError};
pub use client_authentication::add_client_credentials;
pub use error_chain::error_chain;
pub use retry_after::retry_after;

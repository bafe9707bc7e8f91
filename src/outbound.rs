//! Outbound HTTP: clients that neither redirect nor retry on their own, whose certificates are reloaded when they change.
//!
//! Owns what every call to another system needs: the client, client authentication at token and introspection endpoints, bodies of answers
//! with their codings and texts and without the secrets that they repeat, `Retry-After`, and which failures prove that a request was not processed. Knows neither
//! 11VMS nor the issuer: `vms` and `auth` use it to reach them.

mod assertion;
mod body;
mod calls;
mod client;
mod client_authentication;
mod content_encoding;
mod echo;
mod error_chain;
mod forward_proxy;
mod http_versions;
mod not_processed;
mod retry_after;
mod text;
mod throttling;
mod tls;

pub use assertion::Signer;
pub use body::{AnswerBody, RawMembers};
pub use calls::{Call, CallDurations, Operation};
pub use client::{ClientSettings, Outbound};
pub use client_authentication::AuthenticatingClient;
pub use echo::Echo;
pub use error_chain::error_chain;
pub use not_processed::is_not_processed;
pub use retry_after::{longest_retry_after, retry_after};
pub use throttling::{LONGEST_PAUSE, Pause, requested_pause};
pub use tls::{CertificateSettings, OutboundError};

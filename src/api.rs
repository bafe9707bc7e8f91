//! The machine's interface: routes, and the steps that each request takes before its handler works.
//!
//! Knows tokens, carts, the mapping and the relay; knows nothing of sockets, retries, SQL or 11VMS's wire.

mod accepted_tokens;
pub mod access;
mod access_log;
pub mod body;
pub mod catalogues;
mod content_encoding;
mod csrf;
pub mod description;
mod failure;
pub mod handlers;
pub mod middleware;
mod order_response;
pub mod origin;
mod parameters;
mod prefer;
mod propagation;
mod protected_resource;
mod rate_limit;
mod request_path;
pub mod routes;
pub mod schema;
mod security_headers;
mod server_span;
mod state;
mod tagged_content;
pub mod views;

pub use accepted_tokens::AcceptedTokens;
pub use csrf::{add_token_if_fetched, answer_fetch_or_refuse};
pub use protected_resource::{ProtectedResource, ResourceMetadata};
pub use rate_limit::ClientRateLimiter;
pub use request_path::with_plain_path;
pub use state::ApiState;
pub use tagged_content::TaggedContent;

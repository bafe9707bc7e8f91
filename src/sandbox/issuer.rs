//! An OAuth2 issuer: discovery, JWKS, token and introspection endpoints, and tokens of any shape for tests.

mod access_token;
mod caller_token;
mod endpoints;
mod form;
mod handle;
mod key;
mod state;
mod tokens;

pub use access_token::{AUDIENCE, SCOPES};
pub use caller_token::LIFETIMES;
pub use form::{CALLER, CLIENTS, Form};
pub use handle::Issuer;
pub use key::SigningKey;
pub use state::Behaviour;

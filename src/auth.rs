//! Authentication and authorisation of callers: OAuth2 bearer tokens (RFC 6750), with the pitfalls of RFC 8725 closed.
//!
//! Owns the decision about a token; knows nothing of HTTP servers or of orders. JWTs (RFC 7519, RFC 9068) are verified
//! with the keys of the issuer that they name ([`jwks`]); an issuer decides about all other tokens ([`introspection`]).

mod acceptance;
mod audience;
mod caller;
mod claims;
mod error;
pub mod introspection;
mod issuer;
pub mod jwks;
pub mod jwt;
pub mod key;
mod permission;
mod thumbprint;
mod verifier;

pub use caller::{Caller, IssuerNames};
pub use error::AuthError;
pub use issuer::{IssuerKeys, TrustedIssuer};
pub use permission::Permission;
pub use thumbprint::Thumbprint;
pub use verifier::TokenVerifier;

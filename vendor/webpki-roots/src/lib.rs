//! No certificates: see Cargo.toml.
#![no_std]

use rustls_pki_types::TrustAnchor;

/// The certificates that sqlx trusts in addition to those that it is told: none.
pub const TLS_SERVER_ROOTS: &[TrustAnchor<'static>] = &[];

//! Sockets: connections are accepted, limited, secured and handed to the router as HTTP requests.
//!
//! Knows TLS and the versions of HTTP; knows nothing of routes, tokens or orders.

mod client_certificate;
mod connection;
mod early_answer;
mod listener;
mod parser_error;
mod protocol;
mod tls;

pub use client_certificate::{Peer, Transport, certificate_of, forwarded_certificate};
pub use listener::ConnectionServer;
pub use tls::{ServerTls, TlsError};

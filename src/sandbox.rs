//! A token issuer and an 11VMS with faults on demand, on 127.0.0.1: for `dev`, the tests and the benches.
//!
//! Only in builds with the feature `sandbox`, which production images leave out. Its HTTP and OAuth2 are those of real
//! servers; it knows nothing of the service.

mod http;
pub mod issuer;
mod local_server;
pub mod vms;

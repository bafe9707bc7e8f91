//! OTLP: the export of spans to a collector, as protobuf over HTTP or gRPC.
//!
//! Owns messages, and what answers mean; batches and repeats are those of `export.rs`. The collector is reached by the
//! service's own HTTP client, so that its certificates, time-outs and the absence of hidden repeats are those of every other
//! call; gRPC is a POST with a frame and a trailer (`otlp/grpc.rs`).

mod collector;
mod grpc;
mod spans;
mod start;

pub use start::{SpanExport, start_traces};

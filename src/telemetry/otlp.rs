//! OTLP: the export of spans to a collector, as protobuf over HTTP or gRPC.
//!
//! Owns batches, repeats and the flush at the end. Nothing waits for it: what finds no room, or is refused, is counted and
//! dropped. The collector is reached by the service's own HTTP client, so that its certificates, time-outs and the absence of
//! hidden repeats are those of every other call; gRPC is a POST with a frame and a trailer (`otlp/grpc.rs`).

mod collector;
mod export;
mod grpc;
mod spans;

pub use export::{SpanExport, start_traces};

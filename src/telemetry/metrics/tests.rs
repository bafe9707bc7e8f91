//! The list of metrics, and what docs/metrics.md says of them.

//! What is counted of the export of telemetry.

use std::sync::Arc;

use crate::metric::{Counter, Family};

/// What was dropped, by signal. A signal has a fixed name, as `traces`.
#[derive(Debug, Default)]
pub struct ExportMetrics(Family<&'static str, Counter>);

impl ExportMetrics {
    /// The counter of a signal; from now on, it is shown.
    pub fn dropped(&self, signal: &'static str) -> Arc<Counter> {
        self.0.get(&signal)
    }

    /// Every signal that is exported, with what was dropped of it.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        self.0.all().into_iter().map(|(signal, dropped)| (signal, dropped.get())).collect()
    }
}

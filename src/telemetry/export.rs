//! The export of one signal to one receiver: what ended, or was counted, is gathered, pushed, repeated and flushed.
//!
//! Owns batches, pauses, patience, and what is told of a receiver that takes nothing. Nothing waits for it: what finds no
//! room, is refused, or is left over, is counted and dropped. `otlp` and `cloud_alm` know how a batch is pushed.

mod batch_loop;
mod outage;

use std::time::Duration;

use async_trait::async_trait;

pub use batch_loop::{BatchLoop, Pace};
pub use outage::ExportOutage;

use crate::outbound::Echo;

/// Most characters of a receiver's own words that are shown.
pub const MAX_WORDS: usize = 500;

/// What is exported, by OpenTelemetry's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Sets of metrics.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// The signal's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

/// How a push ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The receiver has all of it.
    Taken,
    /// The receiver has the batch, but for so many entries, which it never will.
    TakenInPart {
        /// Entries that it did not take.
        rejected: u64,
        /// Why.
        detail: String,
    },
    /// The same batch may be taken later.
    Failed {
        /// Why.
        detail: String,
        /// The time that the receiver wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It never will.
    Refused(String),
}

impl Pushed {
    /// A failure without a wish of the receiver.
    pub fn failed(detail: impl Into<String>) -> Self {
        Self::Failed { detail: detail.into(), retry_after: None }
    }

    /// What a status means that is no success. OTLP names those that are worth a repeat; whatever else goes wrong would go
    /// wrong again.
    pub fn of_status(status: u16, detail: String, retry_after: Option<Duration>) -> Self {
        if matches!(status, 429 | 502..=504) { Self::Failed { detail, retry_after } } else { Self::Refused(detail) }
    }
}

/// What a receiver says, in a log line: it may be long, and may repeat the secrets that it got.
pub fn words(text: &str, echo: &Echo) -> String {
    echo.hide(text).chars().take(MAX_WORDS).collect()
}

/// A receiver of one signal.
#[async_trait]
pub trait Sink: Send + Sync {
    /// An entry of a batch.
    type Entry: Send;

    /// The payload of a batch, as it is pushed, and pushed again.
    fn encode(&self, batch: Vec<Self::Entry>) -> Vec<u8>;

    /// Pushes a payload, once.
    async fn push(&self, payload: &[u8]) -> Pushed;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_worth_a_repeat_if_otlp_says_so() {
        let wish = Some(Duration::from_secs(7));
        for (status, is_repeated) in [
            (429, true),
            (502, true),
            (503, true),
            (504, true),
            (301, false),
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (408, false),
            (413, false),
            (500, false),
            (501, false),
            (505, false),
        ] {
            let expected = if is_repeated {
                Pushed::Failed { detail: "x".to_owned(), retry_after: wish }
            } else {
                Pushed::Refused("x".to_owned())
            };
            assert_eq!(Pushed::of_status(status, "x".to_owned(), wish), expected, "{status}");
        }
    }
}

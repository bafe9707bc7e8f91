//! Log records for a receiver besides standard output: warnings, errors, and what happened to orders. Bounded; what finds no
//! room is counted.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock::{Clock as _, SystemClock};
use crate::trace::{TraceContext, current_context};

/// Most records that wait: some minutes of a service in trouble, and a few MiB.
const MAX_WAITING: usize = 4_096;

/// The module whose lines are about orders.
const ORDER_LOG: &str = "purchase_order_webhook::telemetry::order_log";

/// One record.
#[derive(Debug, Clone)]
pub struct LogRecord {
    /// When it was written.
    pub time: Timestamp,
    /// How severe it is.
    pub level: Level,
    /// What happened.
    pub message: String,
    /// Names and values of its fields.
    pub fields: Vec<(&'static str, String)>,
    /// The place in a trace at which it was written.
    pub place: Option<TraceContext>,
}

/// The receiving end.
#[derive(Debug)]
pub struct LogRecords {
    receiver: mpsc::Receiver<LogRecord>,
    lost: Arc<AtomicU64>,
}

impl LogRecords {
    /// Waits for records, and takes at most `limit` of them.
    pub async fn take(&mut self, limit: usize) -> Vec<LogRecord> {
        let mut records = Vec::new();
        self.receiver.recv_many(&mut records, limit).await;
        records
    }

    /// What is there, at most `limit`.
    pub fn take_ready(&mut self, limit: usize) -> Vec<LogRecord> {
        std::iter::from_fn(|| self.receiver.try_recv().ok()).take(limit).collect()
    }

    /// The number of records that found no room, since this was asked last.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }
}

/// Keeps records.
pub struct RecordLayer {
    sender: mpsc::Sender<LogRecord>,
    lost: Arc<AtomicU64>,
}

impl RecordLayer {
    /// Both ends of the queue.
    pub fn new() -> (Self, LogRecords) {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        (Self { sender, lost: Arc::clone(&lost) }, LogRecords { receiver, lost })
    }
}

impl<S: Subscriber> Layer<S> for RecordLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        let is_of_an_order = level == Level::INFO && event.metadata().target().starts_with(ORDER_LOG);
        // A lower level is more severe.
        if level > Level::WARN && !is_of_an_order {
            return;
        }
        let mut record = LogRecord {
            time: SystemClock.now(),
            level,
            message: String::new(),
            fields: Vec::new(),
            place: current_context(),
        };
        event.record(&mut record);
        if self.sender.try_send(record).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Visit for LogRecord {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.fields.push((name, value.to_owned())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        self.record_str(field, &text);
    }
}

#[cfg(test)]
mod tests {
    use tracing::{debug, error, info, warn};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn what_is_severe_or_about_an_order_is_kept_within_bounds() {
        let (layer, mut records) = RecordLayer::new();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            info!(http.route = "/livez", "the request was answered");
            debug!("nothing");
            warn!(order.attempts = 3, "it is tried again");
            error!(order.id = %"1", "it is parked");
            info!(target: ORDER_LOG, { order.id = "1" }, "the order exists in 11VMS");
            for _ in 0..MAX_WAITING {
                warn!("again");
            }
        });
        let kept = records.take_ready(3);
        let described: Vec<_> =
            kept.iter().map(|record| (record.level, record.message.as_str(), &record.fields)).collect();
        let id = vec![("order.id", "1".to_owned())];
        assert_eq!(
            described,
            [
                (Level::WARN, "it is tried again", &vec![("order.attempts", "3".to_owned())]),
                (Level::ERROR, "it is parked", &id),
                (Level::INFO, "the order exists in 11VMS", &id),
            ]
        );
        assert_eq!((records.take_lost(), records.take_lost()), (3, 0));
    }
}

//! Log records for a receiver besides standard output: warnings, errors, and what happened to orders; within
//! bounds.

use std::fmt::Debug;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::bounded_queue::{QueueReceiver, QueueSender, bounded_queue};
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
pub type LogRecords = QueueReceiver<LogRecord>;

/// Keeps records.
pub struct RecordLayer(QueueSender<LogRecord>);

impl RecordLayer {
    /// Both ends of the queue.
    pub fn new() -> (Self, LogRecords) {
        let (sender, records) = bounded_queue(MAX_WAITING);
        (Self(sender), records)
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
        self.0.add(record);
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
    fn what_is_severe_or_about_an_order_is_kept() {
        let (layer, records) = RecordLayer::new();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            info!(http.route = "/livez", "the request was answered");
            debug!("nothing");
            warn!(order.attempts = 3, "it is tried again");
            error!(order.id = %"1", "it is parked");
            info!(target: ORDER_LOG, { order.id = "1" }, "the order exists in 11VMS");
        });
        let kept = records.take_ready(9);
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
        assert_eq!(records.take_lost(), 0);
    }
}

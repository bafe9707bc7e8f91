//! One event as one line of JSON: OpenTelemetry's names, or those of the Elastic Common Schema. The place in a trace at which
//! the event happened is on the line, if there is one.

use std::fmt::{Debug, Write as _};
use std::io::Write as _;

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::Context;

use super::ecs;
use crate::telemetry::escape::escape_json;
use crate::telemetry::resource::{SERVICE_NAME, SERVICE_VERSION};
use crate::trace::current_context;

/// The names on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Those of `telemetry/fields.rs`; `trace_id` and `span_id` as in OpenTelemetry's data model.
    OpenTelemetry,
    /// Those of the Elastic Common Schema; what it does not have is a label.
    Ecs,
}

/// Writes events as lines.
pub struct JsonLines<W> {
    pub writer: W,
    pub naming: Naming,
}

impl<S: Subscriber, W: for<'w> MakeWriter<'w> + 'static> Layer<S> for JsonLines<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = escape_json(&line(event, self.naming));
        // There is nowhere else to say that nobody reads the log.
        let _ = writeln!(self.writer.make_writer_for(event.metadata()), "{line}");
    }
}

fn line(event: &Event<'_>, naming: Naming) -> String {
    let mut line = Line { text: String::with_capacity(512), naming };
    line.begin(event);
    event.record(&mut line);
    line.end(event);
    line.text
}

/// A line under way.
struct Line {
    text: String,
    naming: Naming,
}

impl Line {
    fn begin(&mut self, event: &Event<'_>) {
        let mut time = String::with_capacity(32);
        // Writing to a String can't fail.
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        let level = event.metadata().level();
        match self.naming {
            Naming::OpenTelemetry => {
                let _ = write!(self.text, "{{\"timestamp\":\"{time}\",\"level\":\"{level}\"");
            }
            Naming::Ecs => {
                let level = level.as_str().to_ascii_lowercase();
                let _ = write!(self.text, "{{\"@timestamp\":\"{time}\",\"log.level\":\"{level}\"");
            }
        }
    }

    fn end(&mut self, event: &Event<'_>) {
        let place = current_context();
        let (trace_id, span_id, target) = match self.naming {
            Naming::OpenTelemetry => ("trace_id", "span_id", "target"),
            Naming::Ecs => {
                self.member("ecs.version", ecs::VERSION);
                self.member("service.name", SERVICE_NAME);
                self.member("service.version", SERVICE_VERSION);
                ("trace.id", "span.id", "log.logger")
            }
        };
        if let Some(place) = place {
            self.member(trace_id, &place.trace_id_text());
            self.member(span_id, &place.span_id_text());
        }
        self.member(target, event.metadata().target());
        self.text.push('}');
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        // What is logged is text, a number or a truth value: none fails.
        if let (Ok(name), Ok(value)) = (serde_json::to_string(name), serde_json::to_string(value)) {
            let _ = write!(self.text, ",{name}:{value}");
        }
    }

    fn field<T: Serialize + Debug + ?Sized>(&mut self, field: &Field, value: &T, text: impl FnOnce() -> String) {
        match (self.naming, field.name()) {
            (_, "message") | (Naming::OpenTelemetry, _) => self.member(field.name(), value),
            // On every line already.
            (Naming::Ecs, "service.version") => {}
            (Naming::Ecs, name) => match ecs::field(name) {
                ecs::Destination::Field(name) => self.member(name, value),
                ecs::Destination::Label(name) => self.member(&name, &text()),
            },
        }
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if self.naming == Naming::Ecs && field.name() == ecs::REQUEST_DURATION {
            return self.member(ecs::DURATION, &ecs::nanoseconds(value));
        }
        self.field(field, &value, || value.to_string());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, &value, || value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, &value, || value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, &value, || value.to_string());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, value, || value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        self.record_str(field, &text);
    }
}

#[cfg(test)]
mod tests;

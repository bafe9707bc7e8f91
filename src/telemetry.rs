//! Logs: one line an event, on standard output; and the steps of one cart, for `dev`.

use std::fmt::Write as _;
use std::io;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogFormat, Telemetry};

/// Starts logging for the whole process. A second call changes nothing.
pub fn start(settings: &Telemetry) {
    // Libraries speak of every connection at debug: their lines are never more than ours would be.
    let filter = EnvFilter::new(format!(
        "{},hyper=warn,h2=warn,reqwest=warn,rustls=warn,sqlx=warn,sqlx_postgres::options=off",
        settings.log_level
    ));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match settings.log_format {
        LogFormat::Json => registry.with(fmt::layer().json().flatten_event(true).with_current_span(false)).try_init(),
        LogFormat::Text => {
            registry.with(fmt::layer().with_ansi(false).with_writer(|| OneLine(io::stdout()))).try_init()
        }
    };
    // The only failure is that a subscriber is there already, as in tests.
    drop(started);
}

/// Writes each event as one line, whatever its values hold: nobody who sends a line break writes a line of the log.
struct OneLine<W>(W);

impl<W: io::Write> io::Write for OneLine<W> {
    /// `bytes` are one event, as `tracing_subscriber` hands it over.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let event = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(self.0, "{}", visible(event))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Text whose control characters, line separators and changes of direction are written out (CWE-117).
fn visible(text: &str) -> String {
    let hidden = |c: &char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if hidden(&c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

/// The target of the events that tell a cart's way: received, token verified, mapped, recorded, sent, created,
/// answered. They are written at debug.
pub const STEP: &str = "step";

/// Shows the steps of a cart on standard output, and warnings of the service on standard error.
pub fn start_steps() {
    let filter = EnvFilter::new("warn,step=debug");
    drop(tracing_subscriber::registry().with(filter).with(Steps).try_init());
}

struct Steps;

impl<S: Subscriber> Layer<S> for Steps {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if event.metadata().target() == STEP {
            println!("{:<15}{}", line.message, visible(line.fields.trim_start()));
        } else {
            eprintln!("{}: {}{}", event.metadata().level(), line.message, visible(&line.fields));
        }
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String can't fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, "  {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        let mut written = Vec::new();
        let event = "INFO answered path=/a\r\nINFO forged\u{2028}x\u{202e}y\u{1b}[31m ä\n";
        OneLine(&mut written).write_all(event.as_bytes()).unwrap();
        let expected = "INFO answered path=/a\\r\\nINFO forged\\u{2028}x\\u{202e}y\\u{1b}[31m ä\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}

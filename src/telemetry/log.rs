//! Log lines: one an event, as JSON or as text.

use std::io;

use tracing::Subscriber;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::escape::{escape, escape_json};
use crate::config::{LogFormat, Telemetry};

/// Starts the log of the whole process on standard output. A second call changes nothing.
pub fn start_log(settings: &Telemetry) {
    // Libraries log every connection at debug: the level of the settings is for the service's own lines.
    let filter = EnvFilter::new(format!(
        "{},hyper=warn,h2=warn,reqwest=warn,rustls=warn,sqlx=warn,sqlx_postgres::options=off",
        settings.log_level.name()
    ));
    let lines = lines_to(settings.log_format, io::stdout);
    // Fails only if a subscriber exists already, as in tests.
    drop(tracing_subscriber::registry().with(lines).with(filter).try_init());
}

/// Runs `report`, whose lines go to standard error: a service that can't start may have no log yet.
pub fn report_on_standard_error(format: LogFormat, report: impl FnOnce()) {
    tracing::subscriber::with_default(Registry::default().with(lines_to(format, io::stderr)), report);
}

fn lines_to<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        LogFormat::Json | LogFormat::Ecs => {
            let writer = OneLineEach { writer, escape: escape_json };
            fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(writer).boxed()
        }
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(OneLineEach { writer, escape }).boxed(),
    }
}

/// Gives out writers that write each event as one line.
struct OneLineEach<W> {
    writer: W,
    escape: fn(&str) -> String,
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for OneLineEach<W> {
    type Writer = OneLine<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        OneLine { writer: self.writer.make_writer(), escape: self.escape }
    }
}

/// Writes an event as one line: a line break in a value from outside can't forge a second one.
struct OneLine<W> {
    writer: W,
    escape: fn(&str) -> String,
}

impl<W: io::Write> io::Write for OneLine<W> {
    /// `bytes` are one event, as `tracing_subscriber` writes it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let event = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(self.writer, "{}", (self.escape)(event))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_event_is_one_line_even_if_a_value_contains_line_breaks() {
        let mut written = Vec::new();
        let event = "INFO answered path=/a\r\nINFO forged\u{2028}x\u{202e}y\u{1b}[31m ä\n";
        OneLine { writer: &mut written, escape }.write_all(event.as_bytes()).unwrap();
        let expected = "INFO answered path=/a\\r\\nINFO forged\\u{2028}x\\u{202e}y\\u{1b}[31m ä\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn the_values_of_a_json_line_have_no_hidden_characters() {
        let value = "\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{85}\u{9b}\u{7f} ä\n";
        let mut written = Vec::new();
        let event = format!("{}\n", serde_json::json!({ "cart.number": value }));
        OneLine { writer: &mut written, escape: escape_json }.write_all(event.as_bytes()).unwrap();
        let line = String::from_utf8(written).unwrap();
        let expected = "{\"cart.number\":\"\\u202e\\u2066\\u200b\\ufeff\\u2028\\u0085\\u009b\\u007f ä\\n\"}\n";
        assert_eq!(line, expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap()["cart.number"], value);
    }
}

//! Log lines: one an event, as JSON or as text.

use std::io;

use tracing::Subscriber;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::escape::escape;
use crate::config::{LogFormat, Telemetry};

/// Starts the log of the whole process on standard output. A second call changes nothing.
pub fn start_log(settings: &Telemetry) {
    // Libraries log every connection at debug: the level of the settings is for the service's own lines.
    let filter = EnvFilter::new(format!(
        "{},hyper=warn,h2=warn,reqwest=warn,rustls=warn,sqlx=warn,sqlx_postgres::options=off",
        settings.log_level
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
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(writer).boxed(),
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(OneLineEach(writer)).boxed(),
    }
}

/// Gives out writers that write each event as one line.
struct OneLineEach<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for OneLineEach<W> {
    type Writer = OneLine<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        OneLine(self.0.make_writer())
    }
}

/// Writes an event as one line: a line break in a value from outside can't forge a second one.
struct OneLine<W>(W);

impl<W: io::Write> io::Write for OneLine<W> {
    /// `bytes` are one event, as `tracing_subscriber` writes it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let event = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(self.0, "{}", escape(event))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
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
        OneLine(&mut written).write_all(event.as_bytes()).unwrap();
        let expected = "INFO answered path=/a\\r\\nINFO forged\\u{2028}x\\u{202e}y\\u{1b}[31m ä\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}

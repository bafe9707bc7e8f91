//! Text lines: a value from outside can't begin a second one.

use std::io;

use tracing_subscriber::fmt::MakeWriter;

/// Gives out writers that write each event as one line.
pub struct OneLineEach<W> {
    pub writer: W,
    pub escape: fn(&str) -> String,
}

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for OneLineEach<W> {
    type Writer = OneLine<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        OneLine { writer: self.writer.make_writer(), escape: self.escape }
    }
}

/// Writes an event as one line: a line break in a value from outside can't forge a second one.
pub struct OneLine<W> {
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

    use super::super::super::escape::escape;
    use super::*;

    #[test]
    fn an_event_is_one_line_even_if_a_value_contains_line_breaks() {
        let mut written = Vec::new();
        let event = "INFO answered path=/a\r\nINFO forged\u{2028}x\u{202e}y\u{1b}[31m ä\n";
        OneLine { writer: &mut written, escape }.write_all(event.as_bytes()).unwrap();
        let expected = "INFO answered path=/a\\r\\nINFO forged\\u{2028}x\\u{202e}y\\u{1b}[31m ä\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}

//! Lines that were logged, kept for a test to read. The unit tests use it too.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

/// The lines since they were taken last.
#[derive(Debug, Clone, Default)]
pub struct LogLines(Arc<Mutex<Vec<u8>>>);

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for LogLines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl LogLines {
    /// A subscriber that writes its lines here.
    pub fn subscriber(&self) -> impl tracing::Subscriber + use<> {
        tracing_subscriber::fmt().with_writer(self.clone()).with_ansi(false).finish()
    }

    /// What was logged since the last call.
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// Every line since the last call of [`LogLines::take`]; they stay.
    pub fn all(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }

    /// The lines of it with a word.
    pub fn take_with(&self, word: &str) -> Vec<String> {
        self.take().lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }
}

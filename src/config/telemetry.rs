//! `[telemetry]`: log lines, and where traces, logs and metrics go besides.

mod cloud_alm;
mod log_level;
mod otlp;
mod otlp_headers;

use std::collections::BTreeMap;
use std::path::Path;

use super::file::SettingsText;
use super::reader::Reader;
pub use cloud_alm::CloudAlm;
pub use log_level::LogLevel;
pub use otlp::{Otlp, OtlpProtocol};

/// `[telemetry]`
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// The format of log lines.
    pub log_format: LogFormat,
    /// The least severe level that is written.
    pub log_level: LogLevel,
    /// The collector of traces; `None`: nothing is traced.
    pub otlp: Option<Otlp>,
    /// `[telemetry.cloud_alm]`
    pub cloud_alm: Option<CloudAlm>,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, with OpenTelemetry's names.
    #[default]
    Json,
    /// For people.
    Text,
    /// One JSON object a line, in the Elastic Common Schema.
    Ecs,
}

impl Telemetry {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let log_format = LogFormat::from_reader(reader);
        let log_level = LogLevel::from_reader(reader);
        let otlp = Otlp::from_reader(reader);
        let cloud_alm = CloudAlm::from_reader(reader);
        Some(Self { log_format: log_format?, log_level: log_level?, otlp: otlp?, cloud_alm: cloud_alm? })
    }
}

impl LogFormat {
    /// The format alone, for the report that other settings are wrong; the default if it can't be read.
    pub fn load_or_default(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Self {
        let reader = SettingsText::load(file, environment).and_then(|text| Reader::parse(&text, environment));
        reader.ok().and_then(|mut reader| Self::from_reader(&mut reader)).unwrap_or_default()
    }

    fn from_reader(reader: &mut Reader) -> Option<Self> {
        let formats = [("json", Self::Json), ("text", Self::Text), ("ecs", Self::Ecs)];
        reader.choice("telemetry.log_format", "json", &formats)
    }
}

#[cfg(test)]
mod tests;

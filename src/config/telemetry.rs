//! `[telemetry]`: the format and the level of log lines.

use std::collections::BTreeMap;
use std::path::Path;

use super::file::SettingsText;
use super::reader::Reader;

/// `[telemetry]`: logs.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// The format of log lines.
    pub log_format: LogFormat,
    /// The least severe level that is written.
    pub log_level: String,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

impl Telemetry {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let log_format = LogFormat::from_reader(reader);
        let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
        let log_level = reader.choice("telemetry.log_level", "info", &levels);
        Some(Self { log_format: log_format?, log_level: log_level?.to_owned() })
    }
}

impl LogFormat {
    /// The format alone, for the report that other settings are wrong; the default if it can't be read.
    pub fn load_or_default(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Self {
        let reader = SettingsText::load(file, environment).and_then(|text| Reader::parse(&text, environment));
        reader.ok().and_then(|mut reader| Self::from_reader(&mut reader)).unwrap_or_default()
    }

    fn from_reader(reader: &mut Reader) -> Option<Self> {
        reader.choice_with_future_words(
            "telemetry.log_format",
            "json",
            &[("json", Self::Json), ("text", Self::Text)],
            &["ecs"],
        )
    }
}

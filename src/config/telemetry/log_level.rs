//! `telemetry.log_level`, which can change while the service runs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::file::SettingsText;
use crate::config::mistakes::Mistakes;
use crate::config::reader::Reader;

const KEY: &str = "telemetry.log_level";

/// The least severe level that is written, from the most to the least severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Failures that a person has to look at.
    Error,
    /// What went wrong and is tried again, or is a caller's to put right.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// From the most to the least severe.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The level's name in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level below, with more lines; the last one stays.
    #[must_use]
    pub fn more(self) -> Self {
        Self::ALL.into_iter().find(|level| *level > self).unwrap_or(self)
    }

    /// The level above, with fewer lines; the first one stays.
    #[must_use]
    pub fn fewer(self) -> Self {
        Self::ALL.into_iter().rev().find(|level| *level < self).unwrap_or(self)
    }

    /// The level alone, as the file and the environment have it now.
    ///
    /// # Errors
    /// Why it can't be read. Other mistakes in the file do not matter.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        Reader::parse(&SettingsText::load(file, environment)?, environment)?.finish(|reader| {
            let level = Self::from_reader(reader);
            reader.ignore_the_rest();
            level
        })
    }

    pub(super) fn from_reader(reader: &mut Reader) -> Option<Self> {
        reader.choice(KEY, "info", &Self::ALL.map(|level| (level.name(), level)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_up_and_down_and_stop_at_the_ends() {
        assert_eq!(LogLevel::Info.more(), LogLevel::Debug);
        assert_eq!(LogLevel::Info.fewer(), LogLevel::Warn);
        assert_eq!(LogLevel::Trace.more(), LogLevel::Trace);
        assert_eq!(LogLevel::Error.fewer(), LogLevel::Error);
    }
}

//! The failure of a command: its exit code and its mistakes.

use crate::app::StartError;

/// A failure that the settings did not cause.
pub const EXIT_FAILURE: u8 = 1;

/// The settings or the mapping are wrong (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;

/// Why a command failed, for people, and its exit code.
#[derive(Debug)]
pub struct Failure {
    pub code: u8,
    /// One line for each mistake.
    pub lines: Vec<String>,
}

impl Failure {
    /// A failure with [`EXIT_FAILURE`].
    pub fn new(text: impl Into<String>) -> Self {
        Self::of_lines(vec![text.into()])
    }

    /// The same with several mistakes.
    pub const fn of_lines(lines: Vec<String>) -> Self {
        Self { code: EXIT_FAILURE, lines }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = match error {
            StartError::Mapping { .. }
            | StartError::DatabaseFiles { .. }
            | StartError::Tls(_)
            | StartError::Client(_) => EXIT_CONFIG,
            StartError::Ledger(_) | StartError::Bind { .. } => EXIT_FAILURE,
        };
        Self { code, lines: error.lines() }
    }
}

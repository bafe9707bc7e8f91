//! Mistakes in the files of a mapping.

use std::fmt;

/// A mistake in a file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    file: String,
    line: Option<u64>,
    message: String,
}

impl Defect {
    /// A defect of a whole file.
    pub(super) fn new(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, message: message.into() }
    }

    /// A defect in a line of a file, counted from 1.
    pub(super) fn in_line(file: &str, line: u64, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::new(file, message) }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

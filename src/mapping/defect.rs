//! Mistakes in the files of a mapping.

use std::fmt;

/// A mistake in a file of the folder, or what should be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    file: String,
    line: Option<u64>,
    column: Option<String>,
    /// The message begins with the column.
    names_column: bool,
    message: String,
}

/// What is wrong with a cell of a row: the title of its column, and a text that begins with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellProblem {
    column: String,
    text: String,
}

impl CellProblem {
    /// A problem whose text begins with the title.
    pub(super) fn new(column: &str, text: String) -> Self {
        Self { column: column.to_owned(), text }
    }
}

/// What was found in the files of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What makes the folder unusable.
    pub mistakes: Vec<Defect>,
    /// What works, and is probably not meant.
    pub warnings: Vec<Defect>,
}

impl Defect {
    /// A defect of a whole file.
    pub(super) fn new(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, names_column: false, message: message.into() }
    }

    /// A defect in a line of a file, counted from 1.
    pub(super) fn in_line(file: &str, line: u64, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::new(file, message) }
    }

    /// A defect in the cell of a line, by the title of its column.
    pub(super) fn in_cell(file: &str, line: u64, column: &str, message: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), ..Self::in_line(file, line, message) }
    }

    /// A defect in the cell of a line whose problem names the column itself.
    pub(super) fn of_cell(file: &str, line: u64, problem: CellProblem) -> Self {
        Self { names_column: true, ..Self::in_cell(file, line, &problem.column, problem.text) }
    }

    /// The same with a remark behind it.
    pub(super) fn with_remark(self, remark: &str) -> Self {
        Self { message: format!("{} ({remark})", self.message), ..self }
    }

    /// The file, by its path in the folder.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The title of the column; none for a defect of a whole line or file.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// What is wrong there.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line, counted from 1; none for a defect of a whole file.
    pub const fn line(&self) -> Option<u64> {
        self.line
    }
}

impl Findings {
    /// Adds what was found elsewhere.
    pub fn extend(&mut self, other: Self) {
        self.mistakes.extend(other.mistakes);
        self.warnings.extend(other.warnings);
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        if let Some(column) = self.column.as_ref().filter(|_| !self.names_column) {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

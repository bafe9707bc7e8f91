//! What the doctor found: a line for each thing that was asked.

use std::fmt;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Ok,
    /// It works, and needs somebody's attention.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub status: Status,
    /// What was asked, and what came of it.
    pub text: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Finding {
    /// It works.
    pub fn ok(text: impl Into<String>) -> Self {
        Self { status: Status::Ok, text: text.into(), remedy: None }
    }

    /// It works, and needs attention.
    pub fn warn(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warn, text: text.into(), remedy: Some(remedy.into()) }
    }

    /// It does not work.
    pub fn fail(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Fail, text: text.into(), remedy: Some(remedy.into()) }
    }
}

/// `OK …`, `WARN … → what to do` or `FAIL … → what to do`, on one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            Status::Ok => "OK",
            Status::Warn => "WARN",
            Status::Fail => "FAIL",
        };
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        match &self.remedy {
            None => write!(f, "{status} {text}"),
            Some(remedy) => write!(f, "{status} {text} → {remedy}"),
        }
    }
}

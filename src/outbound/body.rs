//! Bodies of answers: read up to a limit, decoded, and what was read is kept whatever comes of the rest.

mod raw_members;
mod repeated_names;

use std::collections::BTreeSet;

use reqwest::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::content_encoding::{ContentEncoding, Incomplete, codings, decode};
use super::error_chain::error_chain;
use super::text::{charset, recognise_format, text, without_mark};
pub use raw_members::RawMembers;
use repeated_names::RepeatedNames;

/// The body of an answer, as far as it could be read.
#[derive(Debug)]
pub struct AnswerBody {
    content: Vec<u8>,
    charset: Option<String>,
    /// Why it is not whole, or can't be read.
    defect: Option<String>,
    /// Whether the defect repeats a value of the answer's headers that may be anything.
    repeats_header: bool,
}

/// Codings that are not read, and whose names say nothing of the content.
const KNOWN_CODINGS: [&str; 3] = ["br", "zstd", "compress"];

/// Whether a message names the charset of the answer's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Named,
    Hidden,
}

impl AnswerBody {
    /// Reads a body of at most `limit` bytes, decoded; what is beyond is not read.
    pub async fn read(mut response: Response, limit: usize) -> Self {
        let headers = response.headers();
        let charset = charset(headers);
        let codings = match codings(headers) {
            Ok(codings) => codings,
            Err(defect) => {
                let names_known = KNOWN_CODINGS.iter().any(|name| defect.contains(&format!("{name:?}")));
                return Self { content: Vec::new(), charset, defect: Some(defect), repeats_header: !names_known };
            }
        };
        // Compression of what can't be compressed adds some bytes.
        let raw_limit = if codings.is_empty() { limit } else { limit + limit / 64 + 1024 };
        let (raw, broken) = read_raw(&mut response, raw_limit).await;
        Self::decoded(raw, broken, codings, limit).with_charset(charset)
    }

    /// A body that was received whole, without codings and without a charset.
    pub const fn of_bytes(content: Vec<u8>) -> Self {
        Self { content, charset: None, defect: None, repeats_header: false }
    }

    fn decoded(raw: Vec<u8>, broken: Option<String>, mut codings: Vec<ContentEncoding>, limit: usize) -> Self {
        if codings.is_empty() {
            codings.extend(ContentEncoding::of_content(&raw));
        }
        if codings.is_empty() {
            return Self { defect: broken, ..Self::of_bytes(raw) };
        }
        let decoded = decode(raw, &codings, limit);
        let length = decoded.content.len();
        let incomplete = decoded.incomplete.map(|incomplete| match incomplete {
            Incomplete::TooLarge => too_large(limit),
            Incomplete::Broken(problem) => broke_off(length, problem),
        });
        Self { defect: broken.or(incomplete), ..Self::of_bytes(decoded.content) }
    }

    fn with_charset(self, charset: Option<String>) -> Self {
        Self { charset, ..self }
    }

    /// Whether nothing was sent, apart from blanks.
    fn is_empty(&self) -> bool {
        without_mark(&self.content).iter().all(u8::is_ascii_whitespace)
    }

    /// JSON as it is, `None` for an empty body.
    ///
    /// # Errors
    /// What is wrong with the body, if it is not whole or no JSON. It contains nothing of the body.
    pub fn value(&self) -> Result<Option<Value>, String> {
        match &self.defect {
            Some(defect) => Err(defect.clone()),
            None if self.is_empty() => Ok(None),
            None => self.parse(Charset::Named).map(Some),
        }
    }

    /// The names that occur more than once in one object of the body, at any depth. [`AnswerBody::value`] has the last
    /// member of each; none, if the body is no JSON.
    pub fn repeated_names(&self) -> BTreeSet<String> {
        self.parse(Charset::Hidden).map(|RepeatedNames(names)| names).unwrap_or_default()
    }

    /// JSON of a certain form; `expected` names it. A name that occurs twice in one object, anywhere, makes it unreadable.
    ///
    /// # Errors
    /// What is wrong with the body. It contains nothing of the answer, which may hold secrets anywhere, its headers included.
    pub fn json<T: DeserializeOwned>(&self, expected: &str) -> Result<T, String> {
        if self.defect.is_none() && !self.repeated_names().is_empty() {
            return Err(format!("JSON with a name twice in one object; expected {expected}"));
        }
        self.json_in_parts(expected)
    }

    /// A JSON object, of which each member is read alone.
    ///
    /// # Errors
    /// As [`AnswerBody::json`]; a name that occurs twice is none.
    pub fn raw_members(&self, expected: &str) -> Result<RawMembers, String> {
        self.json_in_parts(expected)
    }

    /// JSON of a form that knows itself what a name that occurs twice means, and a value that can't be read.
    ///
    /// # Errors
    /// As [`AnswerBody::json`]; a name that occurs twice is none.
    pub fn json_in_parts<T: DeserializeOwned>(&self, expected: &str) -> Result<T, String> {
        match &self.defect {
            Some(_) if self.repeats_header => {
                Err(format!("with a Content-Encoding that can't be read; expected {expected}"))
            }
            Some(defect) => Err(format!("{defect}; expected {expected}")),
            None if self.is_empty() => Err(format!("empty; expected {expected}")),
            None => self.parse(Charset::Hidden).map_err(|problem| format!("{problem}; expected {expected}")),
        }
    }

    /// The first characters of the body's text, if there are any. The whole text is changed before: what is cut off can't be
    /// recognised.
    pub fn excerpt(&self, change: impl Fn(&str) -> String, max_chars: usize) -> Option<String> {
        let text = text(&self.content, self.charset.as_deref()).content;
        let excerpt: String = change(&text).chars().take(max_chars).collect();
        (!excerpt.trim().is_empty()).then_some(excerpt)
    }

    fn parse<T: DeserializeOwned>(&self, charset: Charset) -> Result<T, String> {
        // Nearly every answer is JSON in UTF-8, which the parser checks itself.
        let direct = serde_json::from_slice(without_mark(&self.content));
        let error = match direct {
            Ok(value) => return Ok(value),
            Err(error) if error.is_data() => return Err(json_problem(&error, "")),
            Err(error) => error,
        };
        let text = text(&self.content, self.charset.as_deref());
        if let Some(problem) = text.problem {
            let problem = if charset == Charset::Named { problem.as_str() } else { "its encoding can't be read" };
            return Err(format!("no JSON: {problem}"));
        }
        if text.content.as_bytes() == without_mark(&self.content) {
            return Err(json_problem(&error, recognise_format(&text.content)));
        }
        serde_json::from_str(&text.content).map_err(|error| json_problem(&error, recognise_format(&text.content)))
    }
}

/// Why a whole body is not the JSON that is expected. Of the parser's texts only those that contain nothing of the body.
fn json_problem(error: &serde_json::Error, look: &str) -> String {
    let text = error.to_string();
    if !error.is_data() {
        return format!("{look}no JSON: {text}");
    }
    let place = match error.line() {
        0 => String::new(),
        line => format!(" at line {line} column {}", error.column()),
    };
    // The member's name is this program's own.
    let missing = text.split(" at line ").next().filter(|text| text.starts_with("missing field "));
    format!("JSON of another form{place}{}", missing.map(|text| format!(": {text}")).unwrap_or_default())
}

/// Reads what is sent, up to a limit, and says why that is not all.
async fn read_raw(response: &mut Response, limit: usize) -> (Vec<u8>, Option<String>) {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut raw = Vec::with_capacity(announced.min(limit).min(FIRST_CAPACITY));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = limit.saturating_sub(raw.len());
                raw.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if chunk.len() > room {
                    return (raw, Some(too_large(limit)));
                }
            }
            Ok(None) => return (raw, None),
            Err(error) if error.is_timeout() => {
                let problem = broke_off(raw.len(), "it was not whole within the time-out");
                return (raw, Some(problem));
            }
            Err(error) => {
                let problem = broke_off(raw.len(), &error_chain(&error));
                return (raw, Some(problem));
            }
        }
    }
}

/// Room for a body before any of it has arrived: an announced length costs the sender nothing.
const FIRST_CAPACITY: usize = 64 * 1024;

fn too_large(limit: usize) -> String {
    format!("sent more than {limit} bytes")
}

fn broke_off(length: usize, problem: &str) -> String {
    format!("broke off after {length} bytes: {problem}")
}

#[cfg(test)]
mod tests;

//! `[target.create.headers]`, `[target.lookup.headers]`: further headers of the requests. A value may be a key of 11VMS: it
//! is never shown, and may be in a file (`NAME_file`).

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use crate::config::entry::Entry;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::target::template::{Fillings, Template};
use crate::config::units;

/// The headers of the request that creates an order.
pub const CREATE_HEADERS: &str = "target.create.headers";

/// Ends the name of a header whose value is in a file.
const FILE: &str = "_file";

/// Headers that the service, or the connection, sets itself.
const OWN_HEADERS: [&str; 19] = [
    "authorization",
    "proxy-authorization",
    "host",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "accept-encoding",
    "connection",
    "proxy-connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "sap-passport",
    "x-request-id",
];

/// A header of a request.
#[derive(Debug, Clone)]
pub struct RequestHeader {
    /// Its name.
    pub name: HeaderName,
    value: HeaderText,
}

/// A header's value.
#[derive(Clone)]
enum HeaderText {
    /// A text with placeholders.
    Template(Template),
    /// The content of a file, as it is.
    File(Secret),
}

impl std::fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl RequestHeader {
    /// The value for an order; that of a file is read anew.
    ///
    /// # Errors
    /// Why it can't be sent; the text has nothing of the value.
    pub fn value(&self, fillings: Fillings<'_>, encode: impl Fn(&str) -> String) -> Result<HeaderValue, String> {
        let is_of_settings = match &self.value {
            HeaderText::Template(template) => template.has_text(),
            HeaderText::File(_) => true,
        };
        let value = match &self.value {
            HeaderText::Template(template) => HeaderValue::from_str(&template.fill(fillings, encode)),
            HeaderText::File(file) => HeaderValue::from_str(file.read()?.expose_secret()),
        };
        let mut value = value.map_err(|_| "expected text in ASCII, in one line".to_owned())?;
        // A value that is the order's id or number alone is none: an answer has it as well.
        value.set_sensitive(is_of_settings);
        Ok(value)
    }

    /// Whether the header says something of the body that is created, or of the state in which it may be.
    pub fn is_of_the_body(&self) -> bool {
        let name = self.name.as_str();
        name.starts_with("content-") || name.starts_with("if-")
    }
}

/// Reads the headers of a section; the inner `None`: the section is not set.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
pub fn read_headers(reader: &mut Reader, section: &str) -> Option<Option<Vec<RequestHeader>>> {
    let Some(entries) = reader.open_section(section) else { return Some(None) };
    let mut headers: Vec<RequestHeader> = Vec::new();
    let mut is_right = true;
    for (name, entry) in &entries {
        match read_header(reader, section, name, entry) {
            Some(header) if headers.iter().any(|known| known.name == header.name) => {
                reader.report_entry(entry, &format!("the header {} is set twice; expected it once", header.name));
                is_right = false;
            }
            Some(header) => headers.push(header),
            None => is_right = false,
        }
    }
    is_right.then_some(Some(headers))
}

/// Reads one header; no message contains its value, which may be a key.
fn read_header(reader: &mut Reader, section: &str, name: &str, entry: &Entry) -> Option<RequestHeader> {
    let (name, is_file) = name.strip_suffix(FILE).map_or((name, false), |name| (name, true));
    // A shell's variables have no dash in their names.
    let name = if entry.is_variable() { name.replace('_', "-") } else { name.to_owned() };
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        reader.report_entry(entry, "expected the name of an HTTP header");
        return None;
    };
    if OWN_HEADERS.contains(&name.as_str()) {
        reader.report_entry(entry, &format!("the service sets the header {name} itself; leave it out"));
        return None;
    }
    if name == CONTENT_TYPE {
        check_content_type(reader, section, entry.scalar().filter(|_| !is_file), entry)?;
    }
    let value = if is_file { read_file(reader, entry) } else { read_text(reader, entry) };
    Some(RequestHeader { name, value: value? })
}

fn read_text(reader: &mut Reader, entry: &Entry) -> Option<HeaderText> {
    let text = entry.scalar().filter(|text| HeaderValue::from_str(text).is_ok());
    let template = text.as_deref().and_then(Template::parse);
    if template.is_none() {
        reader.report_entry(entry, "expected a text in ASCII, with no braces but those of {id} and {number}");
    }
    template.map(HeaderText::Template)
}

fn read_file(reader: &mut Reader, entry: &Entry) -> Option<HeaderText> {
    let file = reader.convert(entry, "the path of a file with the header's value", units::file).map(Secret::File)?;
    let problem = match file.read() {
        Ok(text) if HeaderValue::from_str(text.expose_secret()).is_ok() => None,
        Ok(_) => Some("expected a file with text in ASCII, in one line".to_owned()),
        Err(problem) => Some(problem),
    };
    match problem {
        None => Some(HeaderText::File(file)),
        Some(problem) => {
            reader.report_entry(entry, &problem);
            None
        }
    }
}

/// The order is sent as JSON, and a look-up has no content.
fn check_content_type(reader: &mut Reader, section: &str, text: Option<String>, entry: &Entry) -> Option<()> {
    let is_json = |text: String| {
        let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    };
    if section != CREATE_HEADERS {
        reader.report_entry(entry, "a look-up has no content; leave it out");
        return None;
    }
    if !text.is_some_and(is_json) {
        reader.report_entry(entry, "expected application/json or application/…+json: the order is sent as JSON");
        return None;
    }
    Some(())
}

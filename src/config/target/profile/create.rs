//! `[target.create]`: the request that creates an order.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};

use super::name::ProfileName;
use crate::config::entry::Entry;
use crate::config::reader::Reader;
use crate::config::target::template::{PATH, Template};
use crate::order::vms_response::NumberSource;

/// The object and the field of a purchase order in a Salesforce whose administrator followed its own conventions.
const SALESFORCE_PATH: &str = "/sobjects/Purchase_Order__c/External_Id__c/{id}";

/// Headers that the service, or the connection, sets itself.
const OWN_HEADERS: [&str; 18] = [
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
    "sap-passport",
    "x-request-id",
];

/// The request that creates an order; its body is the order.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The method.
    pub method: Method,
    /// Below `target.base_url`.
    pub path: Template,
    /// Further headers. A value may be a key of 11VMS: it is never shown.
    pub headers: Vec<(HeaderName, HeaderText)>,
    /// Members of the body that are not sent, because the path has them.
    pub omit: Vec<String>,
}

/// A header's value with its placeholders.
#[derive(Clone)]
pub struct HeaderText(pub Template);

impl std::fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl CreateRequest {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader, profile: ProfileName) -> Option<Self> {
        let (default_method, default_path) = match profile {
            ProfileName::ElevenVms => ("POST", "/purchase-orders"),
            ProfileName::Salesforce => ("PATCH", SALESFORCE_PATH),
        };
        let methods = [("POST", 0), ("PUT", 1), ("PATCH", 2)];
        let method = reader.choice("target.create.method", default_method, &methods);
        let method = method.and_then(|at| [Method::POST, Method::PUT, Method::PATCH].get(at).cloned());
        let path = reader.value_or("target.create.path", default_path, PATH, Template::parse_path);
        let headers = read_headers(reader);
        let field = path.as_ref().and_then(external_id_field).filter(|_| profile == ProfileName::Salesforce);
        let omit = reader.texts("target.create.omit", field.into_iter().collect(), "names of members of the order");
        Some(Self { method: method?, path: path?, headers: headers?, omit: omit? })
    }

    /// The name before `{id}` at the end of the path: Salesforce's field of the external id.
    pub fn external_id_field(&self) -> Option<String> {
        external_id_field(&self.path)
    }
}

fn external_id_field(path: &Template) -> Option<String> {
    let text = path.to_string();
    let before = text.split('?').next()?.strip_suffix("/{id}")?;
    let (_, name) = before.rsplit_once('/')?;
    (!name.is_empty() && !name.contains('{')).then(|| name.to_owned())
}

fn read_headers(reader: &mut Reader) -> Option<Vec<(HeaderName, HeaderText)>> {
    let entries = reader.open_section("target.create.headers").unwrap_or_default();
    let headers: Vec<_> = entries.iter().map(|(name, entry)| read_header(reader, name, entry)).collect();
    headers.into_iter().collect()
}

/// Reads one header; no message contains its value, which may be a key.
fn read_header(reader: &mut Reader, name: &str, entry: &Entry) -> Option<(HeaderName, HeaderText)> {
    // A shell's variables have no dash in their names.
    let name = if entry.is_variable() { name.replace('_', "-") } else { name.to_owned() };
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        reader.report_entry(entry, "expected the name of an HTTP header");
        return None;
    };
    if OWN_HEADERS.contains(&header.as_str()) {
        reader.report_entry(entry, &format!("the service sets the header {header} itself; leave it out"));
        return None;
    }
    let text = entry.scalar().filter(|text| HeaderValue::from_str(text).is_ok());
    let Some(value) = text.as_deref().and_then(Template::parse) else {
        reader.report_entry(entry, "expected a text in ASCII, with no braces but those of {id} and {number}");
        return None;
    };
    let is_json = |text: &str| {
        let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    };
    if header == "content-type" && !text.as_deref().is_some_and(is_json) {
        reader.report_entry(entry, "expected application/json or application/…+json: the order is sent as JSON");
        return None;
    }
    Some((header, HeaderText(value)))
}

/// Reads `target.create.success_statuses`.
pub fn read_success_statuses(reader: &mut Reader, default: Vec<u16>) -> Option<Vec<u16>> {
    const KEY: &str = "target.create.success_statuses";
    let is_success = |status| (200..=299).contains(&status);
    let statuses = reader.statuses(KEY, default, "HTTP statuses from 200 to 299", is_success)?;
    if statuses.is_empty() {
        reader.report(KEY, "expected at least one: without, no order would ever be created");
        return None;
    }
    Some(statuses)
}

/// Reads `target.create.number_from`.
pub fn read_number_source(reader: &mut Reader, default: NumberSource) -> Option<NumberSource> {
    let default = match default {
        NumberSource::Answer => "answer",
        NumberSource::LookUp => "lookup",
    };
    let sources = [("answer", NumberSource::Answer), ("lookup", NumberSource::LookUp)];
    reader.choice("target.create.number_from", default, &sources)
}

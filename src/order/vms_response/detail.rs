//! What people read about a response: its status, the words of 11VMS, and what was expected instead.

use serde_json::Value;

use super::VmsResponse;
use super::codes::errors_in;
use super::rules::ResponseRules;
use crate::message::quoted_up_to;

/// Most characters of 11VMS's own words: a BAPIRET2 message of 220 has room for them and for ours.
const MESSAGE_CHARS: usize = 120;

/// A longer code is a text in the wrong place.
const MAX_CODE_CHARS: usize = 60;

/// Most characters of a `Location`: a URL's host and path.
const LOCATION_CHARS: usize = 120;

/// Places of an error's text, in the order of preference: of problem details, OAuth2, Salesforce, OData and others.
const MESSAGE_POINTERS: [&str; 11] = [
    "/message",
    "/detail",
    "/error_description",
    "/errorMessage",
    "/title",
    "/error/message",
    "/error/message/value",
    "/errors/0/message",
    "/errors/0/detail",
    "/errors/0",
    "/error",
];

impl VmsResponse {
    /// The status, and the message and the code of 11VMS if it gave them.
    pub(super) fn summary(&self, rules: &ResponseRules) -> String {
        let message = self.body.as_ref().and_then(|body| message(body, rules));
        let code = self.body.as_ref().and_then(|body| errors_in(body).into_iter().next());
        let is_told = |code: &String| message.as_ref() == Some(code) || *code == self.status.to_string();
        let code = code.filter(|code| !is_told(code) && code.chars().count() <= MAX_CODE_CHARS);
        let message = message.map_or_else(String::new, |text| format!(" {}", quoted_up_to(&text, MESSAGE_CHARS)));
        let code = code.map_or_else(String::new, |code| format!(" ({})", code.escape_debug()));
        format!("answered {}{message}{code}", self.status)
    }

    /// What is wrong with a body in which something was expected, and what that is.
    pub(super) fn defect_or(&self, otherwise: &str, expected: &str) -> String {
        match (&self.defect, &self.body) {
            (Some(defect), _) => format!(", {defect}; expected {expected}"),
            (None, None) => format!(" without a body; expected {expected}"),
            (None, Some(_)) => format!(" {otherwise}"),
        }
    }

    /// `Location` without what may be secret: a login page's query has state and codes.
    pub(super) fn shown_location(&self) -> String {
        let location = self.location.as_deref().unwrap_or_default();
        let address = location.split(['?', '#']).next().unwrap_or_default();
        if address.is_empty() {
            return " without a Location".to_owned();
        }
        format!(", Location {}", quoted_up_to(address, LOCATION_CHARS))
    }

    /// Whether the body is a page for people (HTML, XML), as gateways answer; 11VMS answers with JSON.
    pub(super) fn is_page(&self) -> bool {
        let text = self.body.as_ref().and_then(Value::as_str).filter(|_| self.defect.is_some());
        text.is_some_and(|text| text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('<'))
    }
}

/// The text of an error.
fn message(body: &Value, rules: &ResponseRules) -> Option<String> {
    let configured = rules.error_pointer.as_ref().and_then(|pointer| body.pointer(pointer)).and_then(text);
    let of_list = body.get(0).unwrap_or(body);
    let usual = || MESSAGE_POINTERS.iter().find_map(|pointer| of_list.pointer(pointer).and_then(plain_text));
    configured.or_else(usual).or_else(|| plain_text(of_list))
}

fn plain_text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// What the configured place holds: a text, or several, or anything else as JSON.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(_) => plain_text(value),
        Value::Array(entries) if entries.iter().all(Value::is_string) => {
            let texts: Vec<&str> = entries.iter().filter_map(Value::as_str).collect();
            Some(texts.join("; ")).filter(|text| !text.is_empty())
        }
        other => Some(other.to_string()),
    }
}

//! The error codes in a response, in the places where APIs put them.

use serde_json::Value;

use super::VmsResponse;

/// Members that hold a code.
const CODE_NAMES: [&str; 6] = ["code", "errorCode", "error_code", "statusCode", "error", "exceptionCode"];

/// Members that hold one error, or several. Nothing else is searched: an answer may repeat the order, whose fields may
/// have such names too.
const ERROR_NAMES: [&str; 8] = ["error", "errors", "fault", "faults", "details", "innererror", "messages", "cause"];

/// Nested errors that are searched: OData's, with an inner error of an inner error, need four.
const MAX_DEPTH: usize = 6;

/// Whether the response names one of the codes. Of JSON that broke off, what was read counts.
pub fn names_one_of(response: &VmsResponse, codes: &[String]) -> bool {
    let is_known = |code: &str| codes.iter().any(|known| known == code);
    match &response.body {
        Some(Value::String(text)) if response.defect.is_some() => {
            let begins_as_json = text.trim_start().starts_with(['{', '[']);
            begins_as_json && codes.iter().any(|code| text.contains(&format!("\"{code}\"")))
        }
        Some(body) => errors_in(body).iter().any(|code| is_known(code)),
        None => false,
    }
}

/// The codes of all errors in a body, the outermost first.
pub fn errors_in(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(body, MAX_DEPTH, &mut found);
    found
}

fn collect(value: &Value, depth: usize, found: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, depth, found)),
        Value::Object(members) => {
            let codes = CODE_NAMES.iter().filter_map(|name| members.get(*name));
            found.extend(codes.filter_map(|code| match code {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }));
            let errors = ERROR_NAMES.iter().filter_map(|name| members.get(*name));
            errors.filter(|error| !error.is_string()).for_each(|error| collect(error, depth, found));
        }
        _ => {}
    }
}

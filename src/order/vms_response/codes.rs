//! The error codes in a response, in the places where APIs put them.

use serde_json::Value;

use super::VmsResponse;

/// Members that hold a code.
const CODE_NAMES: [&str; 6] = ["code", "errorCode", "error_code", "statusCode", "error", "exceptionCode"];

/// Members that hold one error, or several. Nothing else is searched: an answer may repeat the order, whose fields may
/// have such names too.
const ERROR_NAMES: [&str; 8] = ["error", "errors", "fault", "faults", "details", "innererror", "messages", "cause"];

/// Those that make an answer with a success status one about an error. Details and messages of a success are remarks.
const ERROR_NAMES_OF_SUCCESS: [&str; 4] = ["error", "errors", "fault", "faults"];

/// Nested errors that are searched: OData's, with an inner error of an inner error, need four.
const MAX_DEPTH: usize = 6;

/// Whether members of this name hold a code.
pub fn is_code(name: &str) -> bool {
    CODE_NAMES.contains(&name)
}

/// Whether the response names one of the codes. Of JSON that broke off, what was read counts; JSON with a name twice in one
/// object has no code that could be trusted.
pub fn names_one_of(response: &VmsResponse, codes: &[String]) -> bool {
    match &response.body {
        Some(Value::String(text)) if response.defect.is_some() => {
            let begins_as_json = text.trim_start().starts_with(['{', '[']);
            begins_as_json && codes.iter().any(|code| has_member_with(text, code))
        }
        Some(_) if response.is_ambiguous() => false,
        Some(body) => {
            let is_success = (200..=299).contains(&response.status);
            let errors = if is_success { ERROR_NAMES_OF_SUCCESS.as_slice() } else { ERROR_NAMES.as_slice() };
            let mut found = Vec::new();
            collect(body, errors, MAX_DEPTH, &mut found);
            found.iter().any(|code| codes.contains(code))
        }
        None => false,
    }
}

/// The codes of all errors in a body, the outermost first.
pub fn errors_in(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(body, &ERROR_NAMES, MAX_DEPTH, &mut found);
    found
}

/// Whether a text that broke off has a member that holds a code, with this code: `"errorCode" : "CLOSED"`. A code that is
/// quoted elsewhere is a word of a message, or a value of the order.
fn has_member_with(text: &str, code: &str) -> bool {
    let quoted = format!("\"{code}\"");
    let is_code = |value: &str| {
        value.starts_with(&quoted)
            || value.strip_prefix(code).is_some_and(|rest| {
                code.bytes().all(|byte| byte.is_ascii_digit()) && rest.trim_start().starts_with([',', '}', ']'])
            })
    };
    CODE_NAMES.iter().any(|name| {
        let member = format!("\"{name}\"");
        let after = text.match_indices(&member).filter_map(|(at, found)| text.get(at + found.len()..));
        let mut values = after.filter_map(|rest| rest.trim_start().strip_prefix(':'));
        values.any(|value| is_code(value.trim_start()))
    })
}

fn collect(value: &Value, error_names: &[&str], depth: usize, found: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, error_names, depth, found)),
        Value::Object(members) => {
            let codes = CODE_NAMES.iter().filter_map(|name| members.get(*name));
            found.extend(codes.filter_map(|code| match code {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }));
            let errors = error_names.iter().filter_map(|name| members.get(*name));
            errors.filter(|error| !error.is_string()).for_each(|error| collect(error, error_names, depth, found));
        }
        _ => {}
    }
}

//! The words in which APIs say how a request went: names of members, in small letters without punctuation, and their values.

use serde_json::Value;

/// Members that hold errors.
const ERROR_NAMES: [&str; 27] = [
    "error",
    "errors",
    "fault",
    "faults",
    "errorcode",
    "errorcodes",
    "errormessage",
    "errormessages",
    "errordetails",
    "errordescription",
    "errorcount",
    "haserror",
    "haserrors",
    "iserror",
    "exception",
    "exceptions",
    "failure",
    "failures",
    "failed",
    "isfailed",
    "odataerror",
    "errortext",
    "exceptioncode",
    "exceptionmessage",
    "faultcode",
    "faultstring",
    "faultmessage",
];

/// Members that say, if false, that a request failed.
const SUCCESS_NAMES: [&str; 8] =
    ["success", "issuccess", "successful", "issuccessful", "succeeded", "hassucceeded", "ok", "isok"];

/// Members that tell, in words or by an HTTP status, how a request went.
const STATUS_NAMES: [&str; 9] = [
    "status",
    "statuscode",
    "statustext",
    "httpstatus",
    "httpstatuscode",
    "result",
    "resultcode",
    "outcome",
    "responsestatus",
];

/// Members that hold a code, which an empty list has only if the search did not end well.
const CODE_NAMES: [&str; 8] =
    ["code", "statuscode", "resultcode", "returncode", "responsecode", "messagecode", "reasoncode", "httpstatuscode"];

/// Words, and numbers, of a code for success.
const SUCCESS_CODES: [&str; 10] =
    ["success", "successful", "succeeded", "ok", "okay", "done", "completed", "complete", "found", "s"];

/// Words for "no error", where an error or its code would be.
const NO_ERROR: [&str; 9] = ["no", "none", "null", "nil", "ok", "success", "noerror", "noerrors", "na"];

/// A name or a word in small letters, without punctuation.
pub fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a member says that the request failed.
pub fn says_failure(plain_name: &str, value: &Value) -> bool {
    let is_one_of = |names: &[&str]| names.contains(&plain_name);
    is_one_of(&ERROR_NAMES) && says_yes(value) && !is_no_error(value)
        || is_one_of(&SUCCESS_NAMES) && is_false(value)
        || is_one_of(&STATUS_NAMES) && tells_failure(value)
}

/// Whether a member of this name may say how a request went.
pub fn is_sign(plain_name: &str) -> bool {
    [ERROR_NAMES.as_slice(), &SUCCESS_NAMES, &STATUS_NAMES].iter().any(|names| names.contains(&plain_name))
}

/// Whether a status may be that of an order, or of its line, and not of the request: in words, unless its name says that
/// it is a code; or a number that no HTTP status has.
pub fn is_of_order(plain_name: &str, value: &Value) -> bool {
    const HIGHEST_STATUS: u64 = 999;
    let is_word = value.is_string() && !plain_name.contains("code") && !plain_name.starts_with("http");
    STATUS_NAMES.contains(&plain_name) && whole_number(value).map_or(is_word, |status| status > HIGHEST_STATUS)
}

/// Whether a status is one of a failure: `ERROR`, `failed`, 500.
pub fn tells_failure(value: &Value) -> bool {
    const FIRST_FAILURE: u64 = 400;
    const STEMS: [&str; 9] =
        ["err", "fail", "fatal", "reject", "refus", "invalid", "abort", "unsuccessful", "exception"];
    let tells = |text: &str| {
        let plain = plain(text);
        STEMS.iter().any(|stem| plain.starts_with(stem)) || ["ko", "nok", "notok"].contains(&plain.as_str())
    };
    value.as_str().is_some_and(tells) || whole_number(value).is_some_and(|status| status >= FIRST_FAILURE)
}

/// Whether a member has a code that is none of success. A status in words is that of the search only if it is one of a
/// failure, which [`says_failure`] knows, or of a search that has not ended.
pub fn has_code_of_no_success(plain_name: &str, value: &Value) -> bool {
    const UNFINISHED: [&str; 8] =
        ["pending", "processing", "inprogress", "running", "queued", "unavailable", "timeout", "timedout"];
    let text = match value {
        Value::String(text) => plain(text),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    if matches!(plain_name, "status" | "state") {
        return UNFINISHED.contains(&text.as_str());
    }
    let is_success = whole_number(value).is_some_and(|code| code == 0 || (200..=299).contains(&code));
    CODE_NAMES.contains(&plain_name) && !(is_success || SUCCESS_CODES.contains(&text.as_str()) || is_no_error(value))
}

/// `"NONE"` and the like where an error would be.
fn is_no_error(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty() || NO_ERROR.contains(&plain(text).as_str()))
}

/// Whether a value is set, and is neither a no nor a zero.
pub fn says_yes(value: &Value) -> bool {
    is_set(value) && !is_false(value) && whole_number(value) != Some(0)
}

/// A whole number, also as text: OData 2 has `"__count": "0"`.
pub fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `false`, also as text.
pub fn is_false(value: &Value) -> bool {
    *value == Value::Bool(false) || value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("false"))
}

/// Whether a value is there and not empty.
pub fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(members) => members.values().any(is_set),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

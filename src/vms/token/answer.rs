//! The answer of a token endpoint (RFC 6749 §5), as servers really send it: the token has to be right, the rest are hints.
//!
//! No value of an answer is repeated in a text, because any of them may be a secret: only an error code that has the form of
//! one, and does not repeat what was sent.

use std::time::Duration;

use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, ExtraTokenFields, StandardTokenResponse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::outbound::{AnswerBody, Echo, RawMembers};

/// Assumed lifetime where the answer states none that can be believed: short enough for any server whose tokens expire.
const CAUTIOUS_LIFETIME: Duration = Duration::from_mins(5);

/// A lifetime beyond it is not believed: it is in milliseconds, or is the time at which the token expires. The longest ones
/// that occur are of some days.
const LONGEST_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// Most characters of an error code that are told. Registered ones have up to 24; a longer one may be a token.
const MAX_CODE_CHARS: usize = 64;

/// Letters and digits in a row from which on a text with a digit is taken for random: opaque tokens have more, codes have fewer.
const RANDOM_CHARS: usize = 20;

/// Kinds of tokens that are no bearer tokens (RFC 9449, RFC 6749 §7.1, RFC 8693 §2.2.1): 11VMS would refuse each order.
const OTHER_KINDS: [&str; 5] = ["dpop", "pop", "mac", "hok", "n_a"];

/// Members of which one that occurs twice leaves nothing to rely on. The others are hints, and say nothing then.
const UNIQUE: [&str; 3] = ["access_token", "token_type", "error"];

/// The error codes of the standards (RFC 6749 §5.2, RFC 8707 §2, RFC 9449 §5), which repeat nothing.
const REGISTERED_CODES: [&str; 9] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "invalid_dpop_proof",
    "use_dpop_nonce",
];

/// The member that Salesforce adds to a token response.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SalesforceFields {
    /// Where the token is valid.
    pub instance_url: Option<String>,
}

impl ExtraTokenFields for SalesforceFields {}

/// A token response, of which everything can be used: it always has a lifetime.
pub type TokenResponse = StandardTokenResponse<SalesforceFields, BasicTokenType>;

/// Reads an answer with its HTTP status. `sent` has the secrets of the request.
///
/// # Errors
/// Why it has no token that can be used; of its content only an error code (RFC 6749 §5.2).
pub fn read_token_answer(status: u16, body: &AnswerBody, sent: &Echo) -> Result<TokenResponse, String> {
    // Members as they are written: a number that is too large for one must not hide the token.
    let members = body.raw_members("a token response (RFC 6749 §5.1)");
    if !is_success(status) {
        return Err(refusal(status, members.as_ref().ok(), sent));
    }
    let members = members.map_err(|problem| format!("gave an answer that can't be read: {problem}"))?;
    if let Some(name) = UNIQUE.into_iter().find(|name| members.is_repeated(name)) {
        return Err(format!("answered {status}, with {name} twice"));
    }
    let token = match access_token(&members) {
        Ok(token) => token,
        // A refusal with the status of a success.
        Err(_) if is_told(&members, "error") => return Err(refusal(status, Some(&members), sent)),
        Err(problem) => return Err(format!("answered {status}, {problem}; expected a text under access_token")),
    };
    let kind = text(&members, "token_type").unwrap_or_default();
    if OTHER_KINDS.iter().any(|other| kind.eq_ignore_ascii_case(other)) {
        return Err("answered with a token that is no bearer token".to_owned());
    }
    let extra = SalesforceFields { instance_url: text(&members, "instance_url") };
    let mut response = TokenResponse::new(AccessToken::new(token), BasicTokenType::Bearer, extra);
    response.set_expires_in(Some(&lifetime(members.get("expires_in"))));
    Ok(response)
}

/// The token, if it can stand in a header: visible ASCII (RFC 6749 §A.12). RFC 6750 §2.1 has fewer characters, but the tokens
/// of Salesforce have an exclamation mark.
fn access_token(members: &RawMembers) -> Result<String, &'static str> {
    if !is_told(members, "access_token") {
        return Err("without a token");
    }
    let token = text(members, "access_token").ok_or("with a token that is no text")?;
    match token.as_str() {
        text if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token),
        _ => Err("with a token of characters that no token has"),
    }
}

/// `expires_in`: whole seconds (RFC 6749 §5.1), also as a text or as a fraction. Where it says nothing that can be believed,
/// the cautious lifetime.
fn lifetime(expires_in: Option<&RawValue>) -> Duration {
    let written = expires_in.map(RawValue::get).unwrap_or_default();
    let number = serde_json::from_str::<String>(written).unwrap_or_else(|_| written.to_owned());
    let seconds = number.trim().parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.trunc()).ok());
    let is_believed = |lifetime: &Duration| !lifetime.is_zero() && *lifetime <= LONGEST_LIFETIME;
    lifetime.filter(is_believed).unwrap_or(CAUTIOUS_LIFETIME)
}

/// What a refusal says of its reason.
fn refusal(status: u16, members: Option<&RawMembers>, sent: &Echo) -> String {
    match members.and_then(|members| text(members, "error")) {
        None => format!("answered {status}"),
        Some(code) if !may_be_told(&code, sent) => "refused: with a code of its own, which is not shown".to_owned(),
        // A refusal with the status of a success says so.
        Some(code) if is_success(status) => format!("refused: {code} (status {status})"),
        Some(code) => format!("refused: {code}"),
    }
}

/// Whether a code has the form of one, and repeats nothing of what was sent.
fn may_be_told(code: &str, sent: &Echo) -> bool {
    REGISTERED_CODES.contains(&code) || (is_error_code(code) && !sent.is_in(code))
}

const fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

/// RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E. What looks like a token is none, though it has no other characters: some servers
/// repeat what they were sent, or what they were about to answer.
fn is_error_code(text: &str) -> bool {
    let is_legal = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    let is_short = !text.trim().is_empty() && text.len() <= MAX_CODE_CHARS;
    is_short && text.bytes().all(is_legal) && !text.contains("eyJ") && !has_random_part(text)
}

/// Whether a member is there, with a value.
fn is_told(members: &RawMembers, name: &str) -> bool {
    members.get(name).is_some_and(|value| !matches!(value.get(), "null" | "\"\""))
}

fn text(members: &RawMembers, name: &str) -> Option<String> {
    serde_json::from_str(members.get(name)?.get()).ok()
}

/// Whether a part of a text is one of an opaque token.
fn has_random_part(text: &str) -> bool {
    let mut parts = text.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| part.len() >= RANDOM_CHARS && part.bytes().any(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;

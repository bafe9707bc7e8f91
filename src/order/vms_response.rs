//! What a response of 11VMS means for an order: created, rejected, not done or unknown. Pure.

use std::time::Duration;

use serde_json::Value;

use super::id::OrderId;
use super::verdict::Verdict;
use crate::message::quoted;

/// How a call to 11VMS ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// 11VMS responded.
    Answered(VmsResponse),
    /// Nothing reached 11VMS, provably: there was no token, or no connection.
    NotSent(String),
    /// The request was sent, or may have been, and no complete response arrived.
    Lost(String),
}

/// An HTTP response of 11VMS.
#[derive(Debug, Clone, PartialEq)]
pub struct VmsResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON as it is, other text as a JSON string, `None` if it is empty.
    pub body: Option<Value>,
    /// What is wrong with the body, if it is not JSON, or not whole.
    pub defect: Option<String>,
    /// `Location`, as it was sent.
    pub location: Option<String>,
    /// `Retry-After` as a duration from the response's arrival.
    pub retry_after: Option<Duration>,
}

/// Where a response holds what (`target.number_pointer`, `target.transient_codes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseRules {
    /// The JSON pointer (RFC 6901) to the number of a created order.
    pub number_pointer: String,
    /// The error codes that make a 403 transient.
    pub transient_codes: Vec<String>,
}

/// What a look-up shows.
#[derive(Debug, Clone, PartialEq)]
pub enum LookUpResult {
    /// 11VMS has the order.
    Found(Verdict),
    /// 11VMS does not have the order: sending is safe.
    Absent,
    /// The response proves neither: nothing may be sent.
    Inconclusive(Verdict),
}

impl LookUpResult {
    /// What the look-up shows, for people.
    pub fn description(&self) -> String {
        match self {
            Self::Found(Verdict::Created { number, .. }) => format!("11VMS has the order, under the number {number}"),
            Self::Found(verdict) | Self::Inconclusive(verdict) => {
                format!("whether 11VMS has the order can't be told: {}", verdict.detail().unwrap_or("no detail"))
            }
            Self::Absent => "11VMS does not have the order".to_owned(),
        }
    }
}

/// Reads the response to `POST /purchase-orders`.
pub fn read_create(call: CallOutcome, rules: &ResponseRules) -> Verdict {
    let response = match call {
        CallOutcome::NotSent(detail) => {
            return Verdict::NotDone { status: None, answer: None, detail, retry_after: None };
        }
        CallOutcome::Lost(detail) => return Verdict::Unknown { status: None, answer: None, detail, retry_after: None },
        CallOutcome::Answered(response) => response,
    };
    let number = response.body.as_ref().and_then(|body| rules.number(body));
    match (response.status, number) {
        (200 | 201 | 409, Some(number)) => {
            Verdict::Created { number, status: response.status, answer: response.body, found: false, duplicates: 0 }
        }
        (200 | 201, None) => response.unknown(&format!("without a purchase order number at {}", rules.number_pointer)),
        // A 401 that a fresh token did not cure: the credentials are at fault, not the cart.
        (401 | 425 | 429, _) => response.not_done(),
        (403, _) if rules.is_transient(&response) => response.not_done(),
        (408, _) => response.unknown(""),
        (400..=499, _) => {
            let detail = response.summary();
            Verdict::Rejected { status: response.status, answer: response.body, detail }
        }
        _ => response.unknown(""),
    }
}

/// Reads the response to `GET /purchase-orders?externalId={id}`.
pub fn read_look_up(call: CallOutcome, id: &str, rules: &ResponseRules) -> LookUpResult {
    let response = match call {
        CallOutcome::NotSent(detail) | CallOutcome::Lost(detail) => {
            let detail = format!("look-up: {detail}");
            return LookUpResult::Inconclusive(Verdict::Unknown {
                status: None,
                answer: None,
                detail,
                retry_after: None,
            });
        }
        CallOutcome::Answered(response) => response,
    };
    let listed = response.body.as_ref().and_then(|body| body.get("purchaseOrders")).and_then(Value::as_array);
    let (200, Some(listed)) = (response.status, listed) else {
        return LookUpResult::Inconclusive(response.unknown("to the look-up"));
    };
    if listed.is_empty() {
        let more = response.body.as_ref().is_some_and(names_a_next_page);
        let inconclusive =
            || LookUpResult::Inconclusive(response.unknown("to the look-up, with an empty page before others"));
        return if more { inconclusive() } else { LookUpResult::Absent };
    }
    let entries: Vec<Value> = listed.iter().filter(|entry| is_entry_of(entry, id)).cloned().collect();
    let Some(first) = entries.first() else {
        // 11VMS ignores the filter, so the order may be on another page.
        return LookUpResult::Inconclusive(response.unknown("to the look-up, with other orders only"));
    };
    match rules.number_in_list(first) {
        None => LookUpResult::Inconclusive(response.unknown("to the look-up, without a readable number")),
        Some(number) => LookUpResult::Found(Verdict::Created {
            number,
            status: response.status,
            answer: Some(first.clone()),
            found: true,
            duplicates: entries.len() - 1,
        }),
    }
}

/// Whether a text can be a purchase order's number: SAP's have 10 characters, others' a few more.
fn is_number(text: &str) -> bool {
    const MAX_CHARS: usize = 64;
    (1..=MAX_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// An entry without `externalId` counts as the order that was looked up.
fn is_entry_of(entry: &Value, id: &str) -> bool {
    match entry.get("externalId") {
        None | Some(Value::Null) => true,
        Some(Value::String(external)) => OrderId::of(external).as_str() == id,
        Some(Value::Number(external)) => external.to_string() == id,
        Some(_) => false,
    }
}

/// Whether the body names a further page, in any of the ways that are common among APIs.
fn names_a_next_page(body: &Value) -> bool {
    let names = ["nextCursor", "next", "nextPage", "nextLink", "@odata.nextLink", "nextRecordsUrl", "hasMore"];
    let is_set = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    names.iter().any(|name| body.get(name).is_some_and(is_set))
}

impl ResponseRules {
    /// Reads the number where a single response has it, or under the same name at the top of the entry.
    fn number_in_list(&self, entry: &Value) -> Option<String> {
        let name = self.number_pointer.rsplit_once('/').map_or("", |(_, name)| name);
        let at_top = Self { number_pointer: format!("/{name}"), transient_codes: Vec::new() };
        self.number(entry).or_else(|| at_top.number(entry))
    }

    fn number(&self, body: &Value) -> Option<String> {
        match body.pointer(&self.number_pointer)? {
            Value::String(number) if is_number(number.trim()) => Some(number.trim().to_owned()),
            // A number beyond 64 bits has lost digits, and one with a fraction is no order number.
            Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
            _ => None,
        }
    }

    /// Finds a transient code where APIs put it: `code`, `errorCode` or `error`, in the body, in an entry of a list, or
    /// inside `error`.
    fn is_transient(&self, response: &VmsResponse) -> bool {
        let is_code =
            |value: &Value| value.as_str().is_some_and(|code| self.transient_codes.iter().any(|known| known == code));
        let names_code =
            |body: &Value| ["code", "errorCode", "error"].iter().any(|key| body.get(key).is_some_and(is_code));
        response.body.as_ref().is_some_and(|body| {
            let inner = body.get("error").is_some_and(names_code);
            inner || names_code(body) || body.as_array().is_some_and(|entries| entries.iter().any(names_code))
        })
    }
}

impl VmsResponse {
    fn not_done(self) -> Verdict {
        let detail = self.summary();
        Verdict::NotDone { status: Some(self.status), answer: self.body, detail, retry_after: self.retry_after }
    }

    fn unknown(&self, what: &str) -> Verdict {
        let detail = format!("{} {what}", self.summary()).trim_end().to_owned();
        let Self { status, body, retry_after, .. } = self.clone();
        Verdict::Unknown { status: Some(status), answer: body, detail, retry_after }
    }

    /// The status and, if 11VMS gave one, its message.
    fn summary(&self) -> String {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let message = self.body.as_ref().and_then(|body| {
            let body = body.get(0).unwrap_or(body);
            let pointers = ["/message", "/detail", "/error_description", "/title", "/error/message", "/error"];
            pointers.iter().find_map(|pointer| body.pointer(pointer).and_then(text)).or_else(|| text(body))
        });
        match message {
            Some(message) => format!("answered {} {}", self.status, quoted(&message)),
            None => format!("answered {}", self.status),
        }
    }
}

#[cfg(test)]
mod tests;

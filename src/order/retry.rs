//! What an answer of 11VMS means (done? not done? unknown?) and when to try again. Pure.

use std::time::Duration;

use serde_json::Value;

use super::{OrderId, Outcome};
use crate::message::quoted;

/// What protects against a second order after an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateGuard {
    /// 11VMS is asked for the order before anything is sent again.
    LookUp,
    /// The same body goes out again under the same `Idempotency-Key`.
    IdempotencyKey,
    /// Nothing: an unknown outcome is parked. When its cart comes again, 11VMS is asked all the same.
    None,
}

/// When to try again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub retries: u32,
    /// Before the first retry.
    pub initial_delay: Duration,
    /// Growth of the delay from one retry to the next, at least 1.
    pub multiplier: f64,
    /// No delay is longer, 11VMS's own `Retry-After` included.
    pub max_delay: Duration,
    /// Share of the delay by which chance moves it, 0 to 1.
    pub jitter: f64,
    /// How long 11VMS may still be working on a request whose outcome is unknown.
    pub unknown_grace: Duration,
    /// What protects against a second order.
    pub guard: DuplicateGuard,
}

impl RetryPolicy {
    /// The wait after the `used`-th attempt (counted from 1); `None` once the retries are used up.
    pub fn delay(&self, used: u32, position: f64) -> Option<Duration> {
        if used > self.retries {
            return None;
        }
        let exponent = i32::try_from(used.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial_delay.as_secs_f64() * self.multiplier.powi(exponent);
        let capped = seconds.min(self.max_delay.as_secs_f64());
        let moved = capped * (1.0 + self.jitter * position.clamp(-1.0, 1.0));
        Some(Duration::try_from_secs_f64(moved).unwrap_or(self.max_delay))
    }

    /// Whether an order of unknown outcome is tried again by itself.
    pub fn resends_unknown(&self) -> bool {
        self.guard != DuplicateGuard::None
    }
}

#[cfg(test)]
impl RetryPolicy {
    /// The defaults, without jitter: what most tests want.
    pub fn usual() -> Self {
        Self {
            retries: 3,
            initial_delay: Duration::from_secs(30),
            multiplier: 2.0,
            max_delay: Duration::from_mins(10),
            jitter: 0.0,
            unknown_grace: Duration::from_secs(30),
            guard: DuplicateGuard::LookUp,
        }
    }
}

/// What came back from a request to 11VMS.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// An HTTP answer.
    Answered(VmsResponse),
    /// Provably nothing reached 11VMS: no token, or no connection.
    NotSent(String),
    /// Sent, or perhaps sent, and no complete answer.
    Lost(String),
}

/// An HTTP answer of 11VMS.
#[derive(Debug, Clone, PartialEq)]
pub struct VmsResponse {
    /// HTTP status.
    pub status: u16,
    /// The body: JSON as it is, other text as a JSON string, `None` if empty.
    pub body: Option<Value>,
    /// `Retry-After`, as a wait from now.
    pub retry_after: Option<Duration>,
}

/// How answers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseRules {
    /// JSON pointer (RFC 6901) to the number of a created order.
    pub number_pointer: String,
    /// Error codes with which a 403 is transient.
    pub transient_codes: Vec<String>,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The order exists in 11VMS.
    Created {
        /// 11VMS's number.
        number: String,
        /// Status of the answer that said so.
        status: u16,
        /// 11VMS's answer.
        answer: Option<Value>,
        /// True if the look-up found it.
        found: bool,
        /// Further orders that the look-up showed.
        duplicates: usize,
    },
    /// 11VMS refused it for good.
    Rejected {
        /// HTTP status.
        status: u16,
        /// 11VMS's answer.
        answer: Option<Value>,
        /// For people.
        detail: String,
    },
    /// Certainly not done.
    NotDone {
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// 11VMS's answer.
        answer: Option<Value>,
        /// For people.
        detail: String,
        /// When 11VMS wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It may exist.
    Unknown {
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// 11VMS's answer.
        answer: Option<Value>,
        /// For people.
        detail: String,
        /// When 11VMS wants to be asked again.
        retry_after: Option<Duration>,
    },
}

impl Verdict {
    /// The attempt's outcome.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Created { found: true, .. } => Outcome::Found,
            Self::Created { .. } => Outcome::Created,
            Self::Rejected { .. } => Outcome::Rejected,
            Self::NotDone { .. } => Outcome::NotDone,
            Self::Unknown { .. } => Outcome::Unknown,
        }
    }

    /// 11VMS's status, if it answered.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Created { status, .. } | Self::Rejected { status, .. } => Some(*status),
            Self::NotDone { status, .. } | Self::Unknown { status, .. } => *status,
        }
    }

    /// What happened, for people; nothing to add to a created order.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Created { .. } => None,
            Self::Rejected { detail, .. } | Self::NotDone { detail, .. } | Self::Unknown { detail, .. } => Some(detail),
        }
    }
}

/// What a look-up says.
#[derive(Debug, Clone, PartialEq)]
pub enum LookUpResult {
    /// 11VMS has the order.
    Found(Verdict),
    /// 11VMS does not have it: safe to send.
    Absent,
    /// No telling: nothing may be sent.
    Inconclusive(Verdict),
}

/// Reads the answer to `POST /purchase-orders`.
pub fn read_create(reply: CallOutcome, rules: &ResponseRules) -> Verdict {
    let answer = match reply {
        CallOutcome::NotSent(detail) => {
            return Verdict::NotDone { status: None, answer: None, detail, retry_after: None };
        }
        CallOutcome::Lost(detail) => return Verdict::Unknown { status: None, answer: None, detail, retry_after: None },
        CallOutcome::Answered(answer) => answer,
    };
    let number = answer.body.as_ref().and_then(|body| rules.number(body));
    match (answer.status, number) {
        (200 | 201 | 409, Some(number)) => {
            Verdict::Created { number, status: answer.status, answer: answer.body, found: false, duplicates: 0 }
        }
        (200 | 201, None) => answer.unknown(&format!("without a purchase order number at {}", rules.number_pointer)),
        // 401 comes here only after a fresh token: our credentials are at fault, not the cart.
        (401 | 425 | 429, _) => answer.not_done(),
        (403, _) if rules.is_transient(&answer) => answer.not_done(),
        (408, _) => answer.unknown(""),
        (400..=499, _) => {
            let detail = answer.shown();
            Verdict::Rejected { status: answer.status, answer: answer.body, detail }
        }
        _ => answer.unknown(""),
    }
}

/// Reads the answer to `GET /purchase-orders?externalId={id}`.
pub fn read_look_up(reply: CallOutcome, id: &str, rules: &ResponseRules) -> LookUpResult {
    let answer = match reply {
        CallOutcome::NotSent(detail) | CallOutcome::Lost(detail) => {
            let detail = format!("look-up: {detail}");
            return LookUpResult::Inconclusive(Verdict::Unknown {
                status: None,
                answer: None,
                detail,
                retry_after: None,
            });
        }
        CallOutcome::Answered(answer) => answer,
    };
    let listed = answer.body.as_ref().and_then(|body| body.get("purchaseOrders")).and_then(Value::as_array);
    let (200, Some(listed)) = (answer.status, listed) else {
        return LookUpResult::Inconclusive(answer.unknown("to the look-up"));
    };
    if listed.is_empty() {
        let more = answer.body.as_ref().is_some_and(names_a_next_page);
        let unclear = || LookUpResult::Inconclusive(answer.unknown("to the look-up, with an empty page before others"));
        return if more { unclear() } else { LookUpResult::Absent };
    }
    let entries: Vec<Value> = listed.iter().filter(|entry| is_of(entry, id)).cloned().collect();
    let Some(first) = entries.first() else {
        // Only others' orders: 11VMS ignores the filter, and ours may stand on another page.
        return LookUpResult::Inconclusive(answer.unknown("to the look-up, with other orders only"));
    };
    match rules.number_in_list(first) {
        None => LookUpResult::Inconclusive(answer.unknown("to the look-up, without a readable number")),
        Some(number) => LookUpResult::Found(Verdict::Created {
            number,
            status: answer.status,
            answer: Some(first.clone()),
            found: true,
            duplicates: entries.len() - 1,
        }),
    }
}

/// What can be a purchase order's number: SAP's have 10 characters, others' a few more.
fn is_number(text: &str) -> bool {
    const MOST_CHARS: usize = 64;
    (1..=MOST_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// An entry without `externalId` is what was asked for.
fn is_of(entry: &Value, id: &str) -> bool {
    match entry.get("externalId") {
        None | Some(Value::Null) => true,
        Some(Value::String(external)) => OrderId::of(external).as_str() == id,
        Some(Value::Number(external)) => external.to_string() == id,
        Some(_) => false,
    }
}

/// The ways in which APIs say that a list goes on.
fn names_a_next_page(body: &Value) -> bool {
    let names = ["nextCursor", "next", "nextPage", "nextLink", "@odata.nextLink", "nextRecordsUrl", "hasMore"];
    let says_so = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    names.iter().any(|name| body.get(name).is_some_and(says_so))
}

impl ResponseRules {
    /// An entry of a list may hold the number where a single answer does, or under the same name at its top.
    fn number_in_list(&self, entry: &Value) -> Option<String> {
        let name = self.number_pointer.rsplit_once('/').map_or("", |(_, name)| name);
        let at_top = Self { number_pointer: format!("/{name}"), transient_codes: Vec::new() };
        self.number(entry).or_else(|| at_top.number(entry))
    }

    fn number(&self, body: &Value) -> Option<String> {
        match body.pointer(&self.number_pointer)? {
            Value::String(number) if is_number(number.trim()) => Some(number.trim().to_owned()),
            // Beyond 64 bits a number has lost digits, and one with a fraction is none of an order.
            Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
            _ => None,
        }
    }

    /// Looks for a transient code where APIs put them: `code`, `errorCode` or `error`, in the body, in an entry of a
    /// list, or inside `error`.
    fn is_transient(&self, answer: &VmsResponse) -> bool {
        let is_code =
            |value: &Value| value.as_str().is_some_and(|code| self.transient_codes.iter().any(|known| known == code));
        let names_code =
            |body: &Value| ["code", "errorCode", "error"].iter().any(|key| body.get(key).is_some_and(is_code));
        answer.body.as_ref().is_some_and(|body| {
            let inner = body.get("error").is_some_and(names_code);
            inner || names_code(body) || body.as_array().is_some_and(|entries| entries.iter().any(names_code))
        })
    }
}

impl VmsResponse {
    fn not_done(self) -> Verdict {
        let detail = self.shown();
        Verdict::NotDone { status: Some(self.status), answer: self.body, detail, retry_after: self.retry_after }
    }

    fn unknown(&self, what: &str) -> Verdict {
        let detail = format!("{} {what}", self.shown()).trim_end().to_owned();
        let Self { status, body, retry_after } = self.clone();
        Verdict::Unknown { status: Some(status), answer: body, detail, retry_after }
    }

    /// The status and, if 11VMS gave one, its message.
    fn shown(&self) -> String {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let said = self.body.as_ref().and_then(|body| {
            let body = body.get(0).unwrap_or(body);
            let places = ["/message", "/detail", "/error_description", "/title", "/error/message", "/error"];
            places.iter().find_map(|place| body.pointer(place).and_then(text)).or_else(|| text(body))
        });
        match said {
            Some(said) => format!("answered {} {}", self.status, quoted(&said)),
            None => format!("answered {}", self.status),
        }
    }
}

#[cfg(test)]
mod tests;

//! What in an answer speaks against its number: another's id, or an error. A number with a contradiction proves nothing.

use serde_json::Value;

use super::codes::is_code;
use super::owner::{Owner, owner};
use super::rules::ResponseRules;
use super::signs::{has_code_of_no_success, is_of_order, is_sign, plain, says_failure, tells_failure, whole_number};
use super::{OrderNames, VmsResponse};
use crate::cart::hex_guid;
use crate::message::quoted_up_to;

/// Members that hold the id of an order as its sender has it, beside those of `target.lookup.id_pointer`; here and below
/// in small letters, without punctuation.
const ID_NAMES: [&str; 10] = [
    "externalid",
    "externalids",
    "externalreference",
    "externalref",
    "externalkey",
    "externalorderid",
    "idempotencykey",
    "clientreference",
    "clientreferenceid",
    "clientorderid",
];

/// Members that repeat what was asked: the id in them is that of the order that was looked for.
const ECHO_NAMES: [&str; 8] = ["query", "filter", "filters", "criteria", "request", "search", "params", "parameters"];

/// Parts of a member's name that holds an error, or an order that was there before.
const CONFLICT_PARTS: [&str; 14] = [
    "error",
    "fault",
    "conflict",
    "duplica",
    "exist",
    "other",
    "problem",
    "cause",
    "original",
    "previous",
    "exception",
    "failure",
    "detail",
    "message",
];

/// Parts of a member's name that wraps the order of an answer.
const WRAPPER_PARTS: [&str; 13] = [
    "order",
    "data",
    "result",
    "response",
    "record",
    "entity",
    "resource",
    "payload",
    "body",
    "content",
    "meta",
    "attributes",
    "reference",
];

/// Wrappers whose names are parts of others.
const WRAPPER_NAMES: [&str; 4] = ["d", "po", "value", "header"];

/// Parts of an order: they have ids of their own.
const ITEM_PARTS: [&str; 4] = ["line", "item", "position", "allocation"];

/// Members that hold messages as SAP's BAPIRET2 has them, with a `type`.
const MESSAGE_NAMES: [&str; 5] = ["return", "message", "messages", "bapiret2", "details"];

/// Members of a message that hold its severity, in words.
const SEVERITY_NAMES: [&str; 3] = ["severity", "level", "messagetype"];

/// The member of a message that has BAPIRET2's type.
const MESSAGE_TYPE: &str = "type";

/// Links of HAL and JSON:API: `errors` is the name of an address there.
const LINK_NAMES: [&str; 2] = ["_links", "links"];

/// Most characters of a member's name that are shown.
const MAX_NAME_CHARS: usize = 60;

/// Where a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surroundings {
    /// In the answer itself, or in what wraps the order.
    Order,
    /// In an error, or in the order of a conflict.
    Conflict,
    /// In a party, a line or another part of the order.
    Part,
}

/// What speaks against the number of an answer, in words that follow the answer's summary.
pub fn contradiction(response: &VmsResponse, names: OrderNames<'_>, rules: &ResponseRules) -> Option<String> {
    let body = response.body.as_ref().filter(|_| response.defect.is_none())?;
    let is_success = rules.success_statuses.contains(&response.status);
    let shown = |name: String| quoted_up_to(&name, MAX_NAME_CHARS);
    let number = body.pointer(&rules.number_pointer);
    if let Some(name) = is_success.then(|| Signs { number }.failure(body, "", 0)).flatten() {
        let name = shown(name);
        return Some(format!(", with {name} beside a number: whether there is an order, the answer does not say"));
    }
    let ids = Ids::of(response, names, rules);
    if let Some(name) = ids.anothers(body, Surroundings::Order).map(shown) {
        return Some(format!(", about the order of another id, which is at {name}"));
    }
    let found = ids.is_unnamed_conflict.then(|| ids.anothers_guid(body, "", number)).flatten();
    found
        .map(shown)
        .map(|name| format!(", with the id of another, which is at {name}; whose order it is, the answer does not say"))
}

/// The name of a member with another's id, in an order of a look-up, or in what is beside the list.
pub fn id_of_another(value: &Value, names: OrderNames<'_>, rules: &ResponseRules) -> Option<String> {
    let configured = last_part(rules);
    Ids { names, configured, is_ours: false, is_unnamed_conflict: false }.anothers(value, Surroundings::Order)
}

/// The name of the member at `target.lookup.id_pointer`.
fn last_part(rules: &ResponseRules) -> Option<String> {
    let pointer = rules.look_up.id_pointer.as_deref();
    pointer.and_then(|pointer| pointer.rsplit('/').next()).map(plain).filter(|name| !name.is_empty())
}

/// Whether members of this name are read, to find a contradiction.
pub fn is_read(name: &str) -> bool {
    let plain = plain(name);
    let is_of_message = SEVERITY_NAMES.contains(&plain.as_str()) || plain == MESSAGE_TYPE;
    let is_told = is_sign(&plain) || is_of_message || is_code(name);
    is_told || ID_NAMES.contains(&plain.as_str()) || below(Surroundings::Order, &plain) != Surroundings::Part
}

/// The search for a member that says that the request failed.
struct Signs<'b> {
    /// What is at `target.number_pointer`: it may have any name, `result` too.
    number: Option<&'b Value>,
}

impl Signs<'_> {
    /// The name of such a member; `lists` counts those around. In a list, a status in words is that of a line.
    fn failure(&self, value: &Value, parent: &str, lists: usize) -> Option<String> {
        match value {
            Value::Array(entries) => entries.iter().find_map(|entry| self.failure(entry, parent, lists + 1)),
            Value::Object(members) => {
                members.iter().filter(|(name, member)| self.counts(name, member)).find_map(|(name, member)| {
                    let plain = plain(name);
                    let is_of_order = is_of_order(&plain, member) && (lists > 0 || whole_number(member).is_some());
                    let is_told = says_failure(&plain, member) && !is_of_order || says_severe(&plain, parent, member);
                    if is_told { Some(name.clone()) } else { self.failure(member, &plain, lists) }
                })
            }
            _ => None,
        }
    }

    fn counts(&self, name: &str, member: &Value) -> bool {
        !LINK_NAMES.contains(&name) && !self.number.is_some_and(|number| std::ptr::eq(number, member))
    }
}

/// The name of a member beside an empty list that says that the search failed, or has not ended; the list itself, at
/// `list`, is not searched. A code counts in the answer and in what wraps it; of a message only if it is no remark.
pub fn failure_beside_list(value: &Value, list: Option<&Value>) -> Option<String> {
    beside_list(value, list, "", Surroundings::Order)
}

fn beside_list(value: &Value, list: Option<&Value>, parent: &str, around: Surroundings) -> Option<String> {
    match value {
        _ if list.is_some_and(|list| std::ptr::eq(list, value)) => None,
        Value::Array(entries) => entries.iter().find_map(|entry| beside_list(entry, list, parent, around)),
        Value::Object(members) => {
            let is_remark = members.iter().any(|(name, member)| says_remark(&plain(name), parent, member));
            members.iter().filter(|(name, _)| !LINK_NAMES.contains(&name.as_str())).find_map(|(name, member)| {
                let plain = plain(name);
                let has_code = around != Surroundings::Part && !is_remark && has_code_of_no_success(&plain, member);
                if has_code || says_severe(&plain, parent, member) {
                    return Some(name.clone());
                }
                // {"status":{"code":"E7"}}
                let below = if is_sign(&plain) { around } else { below(around, &plain) };
                beside_list(member, list, &plain, below)
            })
        }
        _ => None,
    }
}

/// Whether a message is a remark: by its severity, or by BAPIRET2's type (success, information, warning).
fn says_remark(plain_name: &str, parent: &str, value: &Value) -> bool {
    const REMARKS: [&str; 8] = ["s", "i", "w", "success", "info", "information", "warning", "hint"];
    let is_word = value.as_str().is_some_and(|word| REMARKS.contains(&plain(word).as_str()));
    is_word && (SEVERITY_NAMES.contains(&plain_name) || plain_name == MESSAGE_TYPE && MESSAGE_NAMES.contains(&parent))
}

/// Whether a message is one of an error: by its severity, or by BAPIRET2's type (error, abort).
fn says_severe(plain_name: &str, parent: &str, value: &Value) -> bool {
    let is_word = value.is_string() && tells_failure(value);
    match plain_name {
        name if SEVERITY_NAMES.contains(&name) => is_word,
        MESSAGE_TYPE if MESSAGE_NAMES.contains(&parent) => is_word || value == "E" || value == "A",
        _ => false,
    }
}

/// Where a member of this name is.
fn below(around: Surroundings, plain_name: &str) -> Surroundings {
    let has = |parts: &[&str]| parts.iter().any(|part| plain_name.contains(part));
    match around {
        Surroundings::Conflict => Surroundings::Conflict,
        _ if has(&CONFLICT_PARTS) => Surroundings::Conflict,
        Surroundings::Order if has(&ITEM_PARTS) => Surroundings::Part,
        Surroundings::Order if has(&WRAPPER_PARTS) || WRAPPER_NAMES.contains(&plain_name) => Surroundings::Order,
        Surroundings::Order | Surroundings::Part => Surroundings::Part,
    }
}

/// The ids that are ours, and where others are sought.
struct Ids<'o> {
    names: OrderNames<'o>,
    /// The last part of `target.lookup.id_pointer`.
    configured: Option<String>,
    /// The answer says at `target.lookup.id_pointer` that it is about our order: of ids, only those in a conflict count.
    is_ours: bool,
    /// A conflict that does not say at `target.lookup.id_pointer` whose it is: every id counts, wherever it is.
    is_unnamed_conflict: bool,
}

impl<'o> Ids<'o> {
    fn of(response: &VmsResponse, names: OrderNames<'o>, rules: &ResponseRules) -> Self {
        let id_pointer = rules.look_up.id_pointer.as_deref();
        let configured = last_part(rules);
        let is_ours = id_pointer.is_some()
            && response.body.as_ref().is_some_and(|body| owner(body, names, &rules.look_up) == Owner::Us);
        Self { names, configured, is_ours, is_unnamed_conflict: response.status == 409 && !is_ours }
    }

    /// The name of a member that holds another's id.
    fn anothers(&self, value: &Value, around: Surroundings) -> Option<String> {
        match value {
            Value::Array(entries) => entries.iter().find_map(|entry| self.anothers(entry, around)),
            Value::Object(members) => members.iter().find_map(|(name, member)| {
                let plain = plain(name);
                let is_id = ID_NAMES.contains(&plain.as_str()) || self.configured.as_ref() == Some(&plain);
                let is_another = is_id && self.counts_at(around) && self.is_another(member);
                let below = if ECHO_NAMES.contains(&plain.as_str()) { around } else { below(around, &plain) };
                if is_another { Some(name.clone()) } else { self.anothers(member, below) }
            }),
            _ => None,
        }
    }

    /// The name of a member in which a GUID is that is not ours, alone or in a text; not the order's number, which may be one.
    fn anothers_guid(&self, value: &Value, name: &str, number: Option<&Value>) -> Option<String> {
        match value {
            _ if number.is_some_and(|number| std::ptr::eq(number, value)) => None,
            Value::String(text) => self.has_anothers_guid(text).then(|| name.to_owned()),
            Value::Array(entries) => entries.iter().find_map(|entry| self.anothers_guid(entry, name, number)),
            Value::Object(members) => members.iter().find_map(|(name, member)| {
                let is_guid = self.has_anothers_guid(name);
                if is_guid { Some(name.clone()) } else { self.anothers_guid(member, name, number) }
            }),
            _ => None,
        }
    }

    fn has_anothers_guid(&self, text: &str) -> bool {
        let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').map(|word| word.trim_matches('-'));
        words.filter(|word| hex_guid(word).is_some()).any(|guid| !self.names.has(guid))
    }

    fn counts_at(&self, around: Surroundings) -> bool {
        match around {
            Surroundings::Conflict => true,
            Surroundings::Order => !self.is_ours,
            Surroundings::Part => self.is_unnamed_conflict,
        }
    }

    /// Whether a value is an id, or has one, that is neither ours nor our cart's.
    fn is_another(&self, value: &Value) -> bool {
        let text = match value {
            Value::Array(entries) => return entries.iter().any(|entry| self.is_another(entry)),
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return false,
        };
        !text.is_empty() && !self.names.has(&text)
    }
}

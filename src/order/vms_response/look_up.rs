//! The answer to a look-up. Only what names the order proves it, and only a whole, empty answer proves its absence.

use serde_json::Value;

use super::cached::stored_by;
use super::codes::names_one_of;
use super::contradiction::id_of_another;
use super::number::number_at_one_of;
use super::owner::{Owner, owner};
use super::page::{Beyond, beyond_list};
use super::rules::{LookUpRules, Repetition, ResponseRules};
use super::{CallOutcome, LookUpResult, OrderNames, VmsResponse};
use crate::message::quoted_up_to;
use crate::order::verdict::Verdict;

/// Most characters of a member's name that are shown.
const MAX_NAME_CHARS: usize = 60;

/// What 300 says where the id is the key of a record.
pub const MORE_THAN_ONE_RECORD: &str = ": more than one record has this id; look into 11VMS";

/// Reads the response to a look-up of an order.
pub fn read_look_up(call: CallOutcome, names: OrderNames<'_>, rules: &ResponseRules) -> LookUpResult {
    let response = match call {
        CallOutcome::NotSent(detail) | CallOutcome::Deferred { detail, .. } | CallOutcome::Lost(detail) => {
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
    let inconclusive = |what: &str| response.inconclusive(what, rules);
    if response.status != 200 && rules.look_up.none_statuses.contains(&response.status) {
        return match missing_proof_of_none(&response, &rules.look_up) {
            None => absent(&response, names, rules),
            Some(missing) => inconclusive(&missing),
        };
    }
    match response.status {
        200 => {}
        300 if rules.repetition == Repetition::SameOrder => return inconclusive(MORE_THAN_ONE_RECORD),
        300..=399 => return inconclusive(&response.shown_location()),
        _ => return inconclusive(""),
    }
    let pointer = rules.look_up.list_pointer.as_str();
    let expected = format!("JSON with the list of orders {}", place(pointer));
    let Some(body) = response.body.as_ref().filter(|_| response.defect.is_none()) else {
        return inconclusive(&response.defect_or("", &expected));
    };
    match body.pointer(pointer) {
        Some(Value::Array(entries)) => match beyond_list(&response, pointer) {
            Beyond::More(what) if entries.is_empty() => {
                inconclusive(&format!(", with an empty page before others: {what}"))
            }
            _ if entries.is_empty() && has_code_of_settings(&response, rules) => {
                inconclusive(", with an empty list beside a code of target.transient_codes or target.rejected_codes")
            }
            Beyond::Nothing | Beyond::Silence if entries.is_empty() => absent(&response, names, rules),
            // Nothing but the search says that the one order of the list is ours: it may have found others as well.
            Beyond::More(what) if rules.look_up.id_pointer.is_none() => {
                inconclusive(&format!(", with a page before others: {what}, and orders that do not say whose they are"))
            }
            Beyond::Nothing if rules.look_up.id_pointer.is_none() => {
                inconclusive(", with a total of zero beside orders that do not say whose they are")
            }
            _ => find(entries, names, &response, rules),
        },
        // A single order, as a look-up by key answers.
        Some(entry @ Value::Object(_)) => find(std::slice::from_ref(entry), names, &response, rules),
        _ if is_empty_hal(&response, body, pointer) => absent(&response, names, rules),
        _ => inconclusive(&format!(" without a list of orders {}", place(pointer))),
    }
}

/// Absent, unless the answer is a stored one, or has the order somewhere else: with our id and a number.
fn absent(response: &VmsResponse, names: OrderNames<'_>, rules: &ResponseRules) -> LookUpResult {
    if let Some(header) = stored_by(response) {
        let what = format!(", without the order, from a cache: the header {header}; expected 11VMS itself to answer");
        return response.inconclusive(&what, rules);
    }
    match &response.body {
        Some(body) if rules.look_up.id_pointer.is_some() && has_order(body, names, &rules.look_up) => {
            response.inconclusive(", with the order in another place than the list", rules)
        }
        // What was asked for was another order.
        Some(body) if response.status == 200 => match id_of_another(body, names, rules) {
            Some(name) => response.inconclusive(&about_another(&name), rules),
            None => LookUpResult::Absent,
        },
        _ => LookUpResult::Absent,
    }
}

fn about_another(name: &str) -> String {
    format!(", about the order of another id, which is at {}", quoted_up_to(name, MAX_NAME_CHARS))
}

fn has_order(value: &Value, names: OrderNames<'_>, rules: &LookUpRules) -> bool {
    match value {
        Value::Array(entries) => entries.iter().any(|entry| has_order(entry, names, rules)),
        Value::Object(members) => {
            owner(value, names, rules) == Owner::Us && number_at_one_of(value, &rules.number_pointers).is_some()
                || members.values().any(|member| has_order(member, names, rules))
        }
        _ => false,
    }
}

/// Whether an answer names a code of the settings: the search failed, whatever its list is.
fn has_code_of_settings(response: &VmsResponse, rules: &ResponseRules) -> bool {
    names_one_of(response, &rules.transient_codes) || names_one_of(response, &rules.rejected_codes)
}

/// `at /purchaseOrders`
fn place(pointer: &str) -> String {
    if pointer.is_empty() { "as its whole body".to_owned() } else { format!("at {pointer}") }
}

/// What an answer lacks that says by its status that there is no such order. A gateway's 404 is none of 11VMS: JSON is
/// demanded, and its code if the profile knows one.
fn missing_proof_of_none(response: &VmsResponse, rules: &LookUpRules) -> Option<String> {
    // No Content has none.
    if response.status == 204 {
        return None;
    }
    let is_json = response.defect.is_none() && matches!(response.body, Some(Value::Object(_) | Value::Array(_)));
    if !is_json {
        return Some(
            response
                .defect_or(", which is no JSON object", "the JSON of 11VMS, which says that there is no such order"),
        );
    }
    let has_code = rules.none_codes.is_empty() || names_one_of(response, &rules.none_codes);
    (!has_code).then(|| format!(", without a code of target.lookup.none_codes: {}", rules.none_codes.join(", ")))
}

/// HAL leaves `_embedded` or the list in it out if the list is empty.
fn is_empty_hal(response: &VmsResponse, body: &Value, pointer: &str) -> bool {
    let beyond = beyond_list(response, pointer);
    pointer.starts_with("/_embedded/")
        && match body.get("_embedded") {
            Some(Value::Object(lists)) if lists.is_empty() => !matches!(beyond, Beyond::More(_)),
            None => beyond == Beyond::Nothing,
            Some(_) => false,
        }
}

/// Finds the order among entries.
fn find(entries: &[Value], names: OrderNames<'_>, response: &VmsResponse, rules: &ResponseRules) -> LookUpResult {
    let inconclusive = |what: &str| response.inconclusive(what, rules);
    let owners: Vec<Owner> = entries.iter().map(|entry| owner(entry, names, &rules.look_up)).collect();
    let ours = || entries.iter().zip(&owners).filter(|(_, owner)| **owner == Owner::Us).map(|(entry, _)| entry);
    if ours().next().is_none() {
        // 11VMS ignores the filter, so the order may be on another page.
        let unnamed = owners.iter().filter(|owner| **owner == Owner::Unnamed).count();
        return match (&rules.look_up.id_pointer, unnamed) {
            (Some(pointer), 1..) => inconclusive(&format!(
                ", with {unnamed} of {} orders that do not say at {pointer} (target.lookup.id_pointer) whose they are",
                entries.len()
            )),
            _ => inconclusive(", with other orders only"),
        };
    }
    // Nothing at a known place says whose they are; what speaks against us, anywhere, counts.
    let stranger = || entries.iter().chain(&response.body).find_map(|value| id_of_another(value, names, rules));
    if let Some(name) = rules.look_up.id_pointer.is_none().then(stranger).flatten() {
        return inconclusive(&about_another(&name));
    }
    let mut numbered: Vec<(String, &Value)> = Vec::new();
    for entry in ours() {
        let number = number_at_one_of(entry, &rules.look_up.number_pointers);
        // Our own id, or our cart's number, repeated.
        let number = number.filter(|number| !names.has(number));
        if let Some(number) = number.filter(|number| numbered.iter().all(|(known, _)| known != number)) {
            numbered.push((number, entry));
        }
    }
    let duplicates = numbered.len().saturating_sub(1);
    match numbered.into_iter().next() {
        None => inconclusive(&format!(", without a readable number at {}", rules.look_up.number_pointers.join(" or "))),
        // Nothing but the filter says that they are ours, and it has let others through.
        Some(_) if rules.look_up.id_pointer.is_none() && entries.len() > 1 => {
            inconclusive(", with several orders that do not say whose they are")
        }
        Some((number, entry)) => LookUpResult::Found(Verdict::Created {
            number,
            status: response.status,
            answer: Some(entry.clone()),
            found: true,
            duplicates,
        }),
    }
}

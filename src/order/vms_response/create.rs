//! The answer to the request that creates an order.

use super::codes::names_one_of;
use super::look_up::{Owner, owner, read_look_up};
use super::number::{key_in_location, number_at, number_in_location};
use super::rules::{NumberSource, ResponseRules};
use super::{CallOutcome, LookUpResult, VmsResponse};
use crate::order::id::OrderId;
use crate::order::verdict::Verdict;

/// Reads the response to the request that creates an order.
///
/// The status decides wherever it can, whatever the body is. A number proves that the order exists; a code that the
/// settings name says more than a status.
pub fn read_create(call: CallOutcome, rules: &ResponseRules) -> Verdict {
    let response = match call {
        CallOutcome::NotSent(detail) => {
            return Verdict::NotDone { status: None, answer: None, detail, retry_after: None };
        }
        CallOutcome::Lost(detail) => return Verdict::Unknown { status: None, answer: None, detail, retry_after: None },
        CallOutcome::Answered(response) => response,
    };
    if let Some(number) = rules.number(&response) {
        return Verdict::Created {
            number,
            status: response.status,
            answer: response.body,
            found: false,
            duplicates: 0,
        };
    }
    if names_one_of(&response, &rules.rejected_codes) {
        return response.rejected(rules);
    }
    match response.status {
        status if rules.success_statuses.contains(&status) => response.without_number(rules),
        400..=499 if names_one_of(&response, &rules.transient_codes) => response.not_done(rules),
        // A 401 that a fresh token did not cure: the credentials are at fault, not the cart.
        401 | 425 | 429 => response.not_done(rules),
        408 => response.unknown("", rules),
        // Whether the gateway has passed the order on before, it does not say.
        status if rules.gateway_statuses.contains(&status) && response.is_page() => response
            .unknown(": a page of a gateway, not JSON of 11VMS; expected 11VMS itself at target.base_url", rules),
        400..=499 => response.rejected(rules),
        300 => response.unknown(": more than one record has this id; look into 11VMS", rules),
        301..=399 => {
            let what = format!("{}; expected no redirect, none is followed", response.shown_location());
            response.unknown(&what, rules)
        }
        _ => response.unknown("", rules),
    }
}

/// Whether 11VMS has the order but did not give its number, and the profile says that a look-up has it.
pub fn needs_look_up(call: &CallOutcome, rules: &ResponseRules) -> bool {
    let CallOutcome::Answered(response) = call else { return false };
    rules.number_source == NumberSource::LookUp
        && rules.success_statuses.contains(&response.status)
        && rules.number(response).is_none()
        && !names_one_of(response, &rules.rejected_codes)
}

/// Reads the response to the request that creates an order, and the look-up for its number that followed.
pub fn read_create_with_look_up(create: CallOutcome, look_up: CallOutcome, id: &str, rules: &ResponseRules) -> Verdict {
    let created_status = match &create {
        CallOutcome::Answered(response) => response.status,
        CallOutcome::NotSent(_) | CallOutcome::Lost(_) => return read_create(create, rules),
    };
    match read_look_up(look_up, id, rules) {
        LookUpResult::Found(Verdict::Created { number, answer, duplicates, .. }) => {
            Verdict::Created { number, status: created_status, answer, found: false, duplicates }
        }
        // A search may lag behind.
        LookUpResult::Absent => read_create(create, rules).with_detail("; the look-up does not show it yet"),
        LookUpResult::Found(verdict) | LookUpResult::Inconclusive(verdict) => {
            let look_up = format!("; {}", verdict.detail().unwrap_or_default());
            read_create(create, rules).with_detail(&look_up)
        }
    }
}

/// Reads the response to the request that creates the order `id`: what it says about another order is no proof of ours.
pub fn read_create_of(call: CallOutcome, id: &OrderId, rules: &ResponseRules) -> Verdict {
    match without_own_id(call, id) {
        // A conflict with an order that is not ours.
        CallOutcome::Answered(response) if response.status == 409 && response.names_another(id, rules) => {
            response.rejected(rules).with_detail(", about the order of another id")
        }
        call => read_create(call, rules),
    }
}

/// The response without a `Location` that ends in our own id, which is no number of 11VMS.
fn without_own_id(call: CallOutcome, id: &OrderId) -> CallOutcome {
    match call {
        CallOutcome::Answered(mut response) => {
            let is_own = |location: &String| key_in_location(location).is_some_and(|key| OrderId::of(&key) == *id);
            response.location = response.location.filter(|location| response.status != 201 || !is_own(location));
            CallOutcome::Answered(response)
        }
        other => other,
    }
}

impl ResponseRules {
    /// The number that proves that the order exists.
    fn number(&self, response: &VmsResponse) -> Option<String> {
        let is_created = self.success_statuses.contains(&response.status);
        let body = response.body.as_ref().filter(|_| is_created || response.status == 409);
        let of_body = body.and_then(|body| number_at(body, &self.number_pointer));
        let location = response.location.as_deref().filter(|_| is_created && response.status == 201);
        of_body.or_else(|| location.filter(|_| self.number_source == NumberSource::Answer).and_then(number_in_location))
    }
}

impl VmsResponse {
    fn names_another(&self, id: &OrderId, rules: &ResponseRules) -> bool {
        self.body.as_ref().is_some_and(|body| owner(body, id.as_str(), &rules.look_up) == Owner::Others)
    }

    fn rejected(self, rules: &ResponseRules) -> Verdict {
        let detail = self.summary(rules);
        Verdict::Rejected { status: self.status, answer: self.body, detail }
    }

    /// A success that names no number.
    fn without_number(&self, rules: &ResponseRules) -> Verdict {
        let pointer = &rules.number_pointer;
        let found = self.body.as_ref().and_then(|body| body.pointer(pointer));
        let otherwise = match found {
            Some(value) => {
                format!("with {} at {pointer}, which is no purchase order number", short(&value.to_string()))
            }
            None => format!("without a purchase order number at {pointer}"),
        };
        let expected = format!("JSON with a purchase order number at {pointer}");
        let location = if self.location.is_some() { self.shown_location() } else { String::new() };
        self.unknown(&format!("{}{location}", self.defect_or(&otherwise, &expected)), rules)
    }
}

/// A JSON value as people need it to find their mistake.
fn short(json: &str) -> String {
    const MAX_CHARS: usize = 40;
    if json.chars().count() <= MAX_CHARS { json.to_owned() } else { "a longer value".to_owned() }
}

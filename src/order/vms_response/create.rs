//! The answer to the request that creates an order.

use super::codes::names_one_of;
use super::contradiction::{contradiction, is_read};
use super::look_up::{MORE_THAN_ONE_RECORD, read_look_up};
use super::number::{key_in_location, number_at, number_in_location};
use super::owner::{Owner, owner};
use super::rules::{NumberSource, Repetition, ResponseRules};
use super::{CallOutcome, LookUpResult, OrderNames, VmsResponse};
use crate::order::verdict::Verdict;

/// Reads the response to the request that creates an order: what it says about another order is no proof of ours.
///
/// The status decides wherever it can, whatever the body is. A number proves that the order exists; a code that the
/// settings name says more than a status.
pub fn read_create(call: CallOutcome, names: OrderNames<'_>, rules: &ResponseRules) -> Verdict {
    let response = match without_own_names(call, names) {
        CallOutcome::NotSent(detail) => {
            return Verdict::NotDone { status: None, answer: None, detail, retry_after: None };
        }
        CallOutcome::Deferred { detail, wait } => return Verdict::Deferred { detail, wait },
        CallOutcome::Lost(detail) => return Verdict::Unknown { status: None, answer: None, detail, retry_after: None },
        CallOutcome::Answered(response) => response,
    };
    if response.names_another(names, rules) {
        const OF_ANOTHER: &str = ", about the order of another id";
        match response.status {
            // A conflict with an order that is not ours.
            409 => return response.rejected(rules).with_detail(OF_ANOTHER),
            status if rules.success_statuses.contains(&status) => return response.unknown(OF_ANOTHER, rules),
            _ => {}
        }
    }
    if let Some(number) = rules.number(&response, names) {
        if let Some(what) = contradiction(&response, names, rules) {
            return response.unknown(&what, rules);
        }
        return Verdict::Created {
            number,
            status: response.status,
            answer: response.body,
            found: false,
            duplicates: 0,
        };
    }
    read_without_number(response, rules)
}

fn read_without_number(response: VmsResponse, rules: &ResponseRules) -> Verdict {
    match response.status {
        408 => response.unknown("", rules),
        // Whether its order is ours, only the body says.
        409 if response.defect.is_some() => {
            let expected = "JSON of 11VMS, because a 409 with a number is a created order, and one without a refusal";
            response.unknown(&response.defect_or("", expected), rules)
        }
        _ if response.is_rejected_by_code(rules) => response.rejected(rules),
        status if rules.success_statuses.contains(&status) => response.without_number(rules),
        400..=499 if names_one_of(&response, &rules.transient_codes) => response.not_done(rules),
        // A 401 that a fresh token did not cure: the credentials are at fault, not the cart.
        401 | 425 | 429 => response.not_done(rules),
        // Whether the gateway has passed the order on before, it does not say.
        status if rules.gateway_statuses.contains(&status) && response.is_page() => response
            .unknown(": a page of a gateway, not JSON of 11VMS; expected 11VMS itself at target.base_url", rules),
        400..=499 => response.rejected(rules),
        300 if rules.repetition == Repetition::SameOrder => response.unknown(MORE_THAN_ONE_RECORD, rules),
        300..=399 => {
            let what = format!("{}; expected no redirect, none is followed", response.shown_location());
            response.unknown(&what, rules)
        }
        _ => response.unknown("", rules),
    }
}

/// Whether 11VMS has answered that it has the order.
pub fn is_success(call: &CallOutcome, rules: &ResponseRules) -> bool {
    matches!(call, CallOutcome::Answered(response) if rules.success_statuses.contains(&response.status))
}

/// Whether 11VMS has the order, or may have it (409), but did not give its number, and the profile says that a look-up has
/// it.
pub fn needs_look_up(call: &CallOutcome, names: OrderNames<'_>, rules: &ResponseRules) -> bool {
    let CallOutcome::Answered(response) = call else { return false };
    let is_conflict = response.status == 409;
    rules.number_source == NumberSource::LookUp
        && (is_conflict || rules.success_statuses.contains(&response.status))
        && rules.number(response, names).is_none()
        && !response.names_another(names, rules)
        && !response.is_rejected_by_code(rules)
        && !(is_conflict && response.defect.is_none() && names_one_of(response, &rules.transient_codes))
}

/// Reads the response to the request that creates an order, and the look-up for its number that followed.
pub fn read_create_with_look_up(
    create: CallOutcome,
    look_up: CallOutcome,
    names: OrderNames<'_>,
    rules: &ResponseRules,
) -> Verdict {
    let response = match &create {
        CallOutcome::Answered(response) => response.clone(),
        CallOutcome::NotSent(_) | CallOutcome::Deferred { .. } | CallOutcome::Lost(_) => {
            return read_create(create, names, rules);
        }
    };
    match read_look_up(look_up, names, rules) {
        LookUpResult::Found(Verdict::Created { number, answer, duplicates, .. }) => {
            Verdict::Created { number, status: response.status, answer, found: false, duplicates }
        }
        LookUpResult::Absent if response.status == 409 => {
            read_create(create, names, rules).with_detail("; the look-up does not show it")
        }
        // A search may lag behind.
        LookUpResult::Absent => read_create(create, names, rules).with_detail("; the look-up does not show it yet"),
        LookUpResult::Found(verdict) | LookUpResult::Inconclusive(verdict) => {
            let look_up = format!("; {}", verdict.detail().unwrap_or_default());
            match response.status {
                // Whether it is a refusal, only the look-up could have told.
                409 => response.unknown(&look_up, rules),
                _ => read_create(create, names, rules).with_detail(&look_up),
            }
        }
    }
}

/// The response without a `Location` that ends in our own id, or in the number of our cart: neither is a number of 11VMS.
fn without_own_names(call: CallOutcome, names: OrderNames<'_>) -> CallOutcome {
    match call {
        CallOutcome::Answered(mut response) => {
            let is_own = |location: &String| key_in_location(location).is_some_and(|key| names.has(&key));
            response.location = response.location.filter(|location| response.status != 201 || !is_own(location));
            CallOutcome::Answered(response)
        }
        other => other,
    }
}

impl ResponseRules {
    /// Whether members of this name are read of the answer to a create: those on the way to the number and to the id, and
    /// those that could contradict them.
    pub fn reads_of_create(&self, name: &str) -> bool {
        let mut pointers = std::iter::once(&self.number_pointer).chain(&self.look_up.id_pointer);
        let is_part = |part: &str| part.replace("~1", "/").replace("~0", "~") == name;
        pointers.any(|pointer| pointer.split('/').skip(1).any(is_part)) || is_read(name)
    }

    /// The number that proves that the order exists. Our own id and the number of our cart, repeated, are none.
    fn number(&self, response: &VmsResponse, names: OrderNames<'_>) -> Option<String> {
        if response.is_ambiguous() {
            return None;
        }
        let is_created = self.success_statuses.contains(&response.status);
        let is_told = response.defect.is_none() && (is_created || response.status == 409);
        let body = response.body.as_ref().filter(|_| is_told);
        let is_of_11vms = |number: &String| !names.has(number);
        let of_body = body.and_then(|body| number_at(body, &self.number_pointer)).filter(is_of_11vms);
        let location = response.location.as_deref().filter(|_| is_created && response.status == 201);
        of_body.or_else(|| {
            let location = location.filter(|_| self.number_source == NumberSource::Answer)?;
            number_in_location(location, self.collection.as_deref()).filter(is_of_11vms)
        })
    }
}

impl VmsResponse {
    fn names_another(&self, names: OrderNames<'_>, rules: &ResponseRules) -> bool {
        let body = self.body.as_ref().filter(|_| self.defect.is_none());
        body.is_some_and(|body| owner(body, names, &rules.look_up) == Owner::Others)
    }

    /// Whether it is JSON that says two things at once: a name that counts occurs twice.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.defect.is_some() && self.body.as_ref().is_some_and(|body| !body.is_string())
    }

    /// Whether a code says that 11VMS has refused the order. A body that broke off has its say only where the status is a
    /// refusal anyway: where 11VMS may have the order, only a whole answer can deny it.
    fn is_rejected_by_code(&self, rules: &ResponseRules) -> bool {
        let may_be_created = !(400..=499).contains(&self.status) || matches!(self.status, 408 | 409);
        !(self.status == 408 || self.defect.is_some() && may_be_created) && names_one_of(self, &rules.rejected_codes)
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

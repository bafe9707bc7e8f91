//! 11VMS's API as a profile: the requests that create an order and look it up, and where their answers hold what.
//!
//! A profile is the set of defaults of these keys; each of them can be set by itself.

mod codes;
mod create;
mod headers;
mod look_up;
mod name;

use crate::config::reader::Reader;
use crate::config::units;
use crate::mapping::IdField;
use crate::order::vms_response::ResponseRules;
pub use create::CreateRequest;
pub use headers::RequestHeader;
pub use look_up::LookUpRequest;
use name::ProfileName;

/// The requests to 11VMS.
#[derive(Debug, Clone)]
pub struct ApiProfile {
    /// `[target.create]`
    pub create: CreateRequest,
    /// `[target.lookup]`
    pub look_up: LookUpRequest,
}

const POINTER: &str = "a JSON pointer such as /poNumber";

/// Reads the profile: the requests, and the rules for their answers.
pub fn read_profile(reader: &mut Reader) -> Option<(ApiProfile, ResponseRules)> {
    let name = ProfileName::from_reader(reader);
    // The mistakes of the other keys are reported all the same.
    let name_or_default = name.unwrap_or(ProfileName::ElevenVms);
    let create = CreateRequest::from_reader(reader, name_or_default);
    let defaults = match (name_or_default, &create) {
        (ProfileName::Salesforce, Some(create)) => {
            ResponseRules::salesforce(create.external_id_field().unwrap_or_default().as_str())
        }
        _ => ResponseRules::default(),
    };
    let look_up = LookUpRequest::from_reader(reader, name_or_default, create.as_ref());
    let rules = read_rules(reader, defaults, look_up.as_ref());
    name?;
    let (create, mut rules) = (create?, rules?);
    rules.repetition = create.repetition();
    rules.collection = create.path.last_constant_segment();
    let profile = ApiProfile { create, look_up: look_up? };
    report_omitted_id(reader, &profile, &rules);
    Some((profile, rules))
}

/// Refuses to leave the id out of an order whose address does not have it: no look-up would find the order.
fn report_omitted_id(reader: &mut Reader, profile: &ApiProfile, rules: &ResponseRules) {
    let IdField::At(pointer) = id_field(profile, rules) else { return };
    let member = pointer.split('/').nth(1).unwrap_or_default();
    if profile.create.omit.iter().any(|omitted| omitted == member) {
        let problem = format!(
            "{member} is the field by which an order is looked up; expected it in the order, or {{id}} in target.create.path"
        );
        reader.report("target.create.omit", &problem);
    }
}

/// The field by which a look-up finds an order of this profile. Who makes an order at an address with its id needs none.
pub fn id_field(profile: &ApiProfile, rules: &ResponseRules) -> IdField {
    match (rules.look_up.id_pointer.clone(), profile.create.path.holds_id()) {
        (Some(pointer), false) => IdField::At(pointer),
        (Some(pointer), true) => IdField::AtIfThere(pointer),
        (None, false) => IdField::Somewhere,
        (None, true) => IdField::Nowhere,
    }
}

/// Reads the profile for the field by which a look-up finds an order.
pub fn id_field_of_profile(reader: &mut Reader) -> Option<IdField> {
    read_profile(reader).map(|(profile, rules)| id_field(&profile, &rules))
}

/// Reads the rules for answers.
fn read_rules(reader: &mut Reader, defaults: ResponseRules, look_up: Option<&LookUpRequest>) -> Option<ResponseRules> {
    let number_pointer = reader.optional("target.number_pointer", POINTER, units::json_pointer);
    let error_pointer = reader.optional("target.error_pointer", "a JSON pointer such as /message", units::json_pointer);
    let codes = codes::read_codes(reader, &defaults);
    // The others are no refusals anyway, whoever answers.
    let is_refusal = |status| (400..=499).contains(&status) && !matches!(status, 401 | 408 | 425 | 429);
    let expected = "HTTP statuses from 400 to 499, without 401, 408, 425 and 429";
    let gateway_statuses =
        reader.statuses("target.gateway_statuses", defaults.gateway_statuses.clone(), expected, is_refusal);
    let success_statuses = create::read_success_statuses(reader, defaults.success_statuses.clone());
    let number_source = create::read_number_source(reader, defaults.number_source);
    let set_pointer = number_pointer.clone().flatten();
    let look_up = look_up::read_rules(reader, &defaults, set_pointer.as_deref(), look_up);
    let (rejected_codes, transient_codes) = codes?;
    Some(ResponseRules {
        success_statuses: success_statuses?,
        number_pointer: number_pointer?.unwrap_or(defaults.number_pointer),
        number_source: number_source?,
        error_pointer: error_pointer?.or(defaults.error_pointer),
        rejected_codes,
        transient_codes,
        gateway_statuses: gateway_statuses?,
        repetition: defaults.repetition,
        collection: defaults.collection,
        look_up: look_up?,
    })
}

#[cfg(test)]
mod tests;

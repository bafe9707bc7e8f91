//! `[target.lookup]`: the request that looks an order up, and the reading of its answer.

use super::create::CreateRequest;
use super::headers::{RequestHeader, read_headers};
use super::name::ProfileName;
use crate::config::reader::{Reader, is_spelling_of};
use crate::config::target::template::{PATH, Template};
use crate::config::units;
use crate::order::vms_response::{LookUpRules, ResponseRules};

/// The request that looks an order up, by GET.
#[derive(Debug, Clone)]
pub struct LookUpRequest {
    /// Below `target.base_url`.
    pub path: Template,
    /// Parameters of the query.
    pub query: Vec<(String, Template)>,
    /// Further headers: those of the request that creates an order, unless others are set.
    pub headers: Vec<RequestHeader>,
}

/// The search of the profile "11vms".
const ELEVEN_VMS_QUERY: (&str, &str) = ("externalId", "{id}");

impl LookUpRequest {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader, profile: ProfileName, create: Option<&CreateRequest>) -> Option<Self> {
        // A Salesforce's record is read where it is upserted.
        let create_path = create.map(|create| create.path.to_string());
        let default_path = match profile {
            ProfileName::ElevenVms => "/purchase-orders",
            ProfileName::Salesforce => create_path.as_deref().unwrap_or("/{id}"),
        };
        let default_query: &[(&str, &str)] = match profile {
            ProfileName::ElevenVms => &[ELEVEN_VMS_QUERY],
            ProfileName::Salesforce => &[],
        };
        let path = reader.value_or("target.lookup.path", default_path, PATH, Template::parse_path);
        let query = read_query(reader, default_query);
        let headers = read_headers(reader, "target.lookup.headers");
        // A key of 11VMS is needed here as well.
        let usual = || {
            let all = create.map(|create| create.headers.clone()).unwrap_or_default();
            all.into_iter().filter(|header| !header.is_of_the_body()).collect()
        };
        let (path, query, headers) = (path?, query?, headers?.unwrap_or_else(usual));
        if !path.names_an_order() && !query.iter().any(|(_, value)| value.names_an_order()) {
            let problem = "expected {id} or {number} in it, or in target.lookup.path: without, all orders are listed";
            reader.report("target.lookup.query", problem);
            return None;
        }
        Some(Self { path, query, headers })
    }

    /// Whether the order's id tells it from others in the request.
    fn holds_id(&self) -> bool {
        self.path.holds_id() || self.query.iter().any(|(_, value)| value.holds_id())
    }
}

/// Parameters that are set replace all of the profile's.
fn read_query(reader: &mut Reader, default: &[(&str, &str)]) -> Option<Vec<(String, Template)>> {
    let Some(entries) = reader.open_section("target.lookup.query") else {
        return default.iter().map(|(name, value)| Some(((*name).to_owned(), Template::parse(value)?))).collect();
    };
    let parameters: Vec<_> = entries
        .into_iter()
        .map(|(name, entry)| {
            let is_default = |known: &&str| entry.is_variable() && is_spelling_of(&name, known);
            let usual = default.iter().map(|(known, _)| *known).find(is_default);
            let value = reader.template(&entry)?;
            Some((usual.map_or(name, str::to_owned), value))
        })
        .collect();
    parameters.into_iter().collect()
}

impl Reader {
    fn template(&mut self, entry: &crate::config::entry::Entry) -> Option<Template> {
        self.convert(entry, "a text, with no braces but those of {id} and {number}", Template::parse)
    }
}

/// Reads how the answer is read, with the profile's defaults; `number_pointer` is `target.number_pointer` if that is set.
pub fn read_rules(
    reader: &mut Reader,
    profile: &ResponseRules,
    number_pointer: Option<&str>,
    request: Option<&LookUpRequest>,
) -> Option<LookUpRules> {
    let defaults = profile.look_up.clone();
    let list_pointer = reader.optional(
        "target.lookup.list_pointer",
        "a JSON pointer such as /purchaseOrders, or \"\" for the whole body",
        units::json_pointer_or_whole,
    );
    let id_pointer = read_id_pointer(reader, defaults.id_pointer);
    if id_pointer == Some(None) && request.is_some_and(|request| !request.holds_id()) {
        let problem = "\"none\" needs {id} in target.lookup.path or target.lookup.query: {number} alone does not tell the order from others";
        reader.report("target.lookup.id_pointer", problem);
    }
    let own = reader.optional("target.lookup.number_pointer", "a JSON pointer such as /poNumber", units::json_pointer);
    // A single order that can't be found is no page that can't: a path to nothing is 404 (RFC 9110 §15.5.5).
    let is_single = request.is_some_and(|request| request.path.is_of_one_order());
    let none_statuses = if is_single && defaults.none_statuses.is_empty() { vec![404] } else { defaults.none_statuses };
    let none_statuses =
        reader.statuses("target.lookup.none_statuses", none_statuses, "the HTTP statuses 204, 404, 410", |status| {
            matches!(status, 204 | 404 | 410)
        });
    let none_codes = read_none_codes(reader, defaults.none_codes, none_statuses.as_deref());
    // The profile's own pointer, written out, changes nothing: a record may have another one than the answer to a create.
    let set = number_pointer;
    let number_pointer = number_pointer.filter(|pointer| *pointer != profile.number_pointer);
    let number_pointers = match (own?, number_pointer) {
        (Some(own), _) => vec![own],
        // An entry of a list may be flat where a single answer is nested.
        (None, Some(pointer)) => {
            let name = pointer.rsplit_once('/').map_or("", |(_, name)| name);
            let at_top = format!("/{name}");
            if at_top == pointer { vec![at_top] } else { vec![pointer.to_owned(), at_top] }
        }
        (None, None) => defaults.number_pointers,
    };
    let of_create = set.unwrap_or(&profile.number_pointer);
    report_id_as_number(reader, id_pointer.as_ref()?.as_deref(), of_create, &number_pointers);
    Some(LookUpRules {
        list_pointer: list_pointer?.unwrap_or(defaults.list_pointer),
        id_pointer: id_pointer?,
        number_pointers,
        none_statuses: none_statuses?,
        none_codes: none_codes?,
    })
}

/// Refuses a number that is at the place of the id: our own id would be taken for 11VMS's number, or no number be found.
fn report_id_as_number(reader: &mut Reader, id_pointer: Option<&str>, of_create: &str, of_look_up: &[String]) {
    let Some(id_pointer) = id_pointer else { return };
    let keys = ["target.lookup.number_pointer", "target.number_pointer", "target.lookup.id_pointer"];
    let is_same = of_create == id_pointer || of_look_up.iter().any(|pointer| pointer == id_pointer);
    if is_same {
        let key = keys.into_iter().find(|key| reader.is_set(key)).unwrap_or("target.lookup.id_pointer");
        reader
            .report(key, "the purchase order number and the id are at one place; expected two different JSON pointers");
    }
}

/// Reads `target.lookup.none_codes`; codes that are set need a status that they can be with.
fn read_none_codes(reader: &mut Reader, default: Vec<String>, statuses: Option<&[u16]>) -> Option<Vec<String>> {
    const KEY: &str = "target.lookup.none_codes";
    let codes = reader.texts(KEY, default, "error codes")?;
    let has_status = statuses.is_none_or(|statuses| statuses.iter().any(|status| matches!(status, 404 | 410)));
    if reader.is_set(KEY) && !codes.is_empty() && !has_status {
        reader.report(KEY, "has no effect; expected 404 or 410 in target.lookup.none_statuses");
        return None;
    }
    Some(codes)
}

/// Reads `target.lookup.id_pointer`; the inner `None` is the word "none".
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the word none")]
fn read_id_pointer(reader: &mut Reader, default: Option<String>) -> Option<Option<String>> {
    const KEY: &str = "target.lookup.id_pointer";
    let expected = "a JSON pointer such as /externalId, or \"none\" if a look-up does not repeat the id";
    let parse = |text: &str| if text == "none" { Some(None) } else { units::json_pointer(text).map(Some) };
    // Salesforce's is derived from a path that may have another form.
    let default = default.filter(|pointer| pointer.len() > 1);
    match default {
        Some(default) => Some(reader.optional(KEY, expected, parse)?.unwrap_or(Some(default))),
        None => reader.required(KEY, expected, parse),
    }
}

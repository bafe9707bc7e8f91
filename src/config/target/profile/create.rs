//! `[target.create]`: the request that creates an order.

use reqwest::Method;

use super::headers::{CREATE_HEADERS, RequestHeader, read_headers};
use super::name::ProfileName;
use crate::config::reader::Reader;
use crate::config::target::template::{PATH, Template};
use crate::order::vms_response::{NumberSource, Repetition};

/// The object and the field of a purchase order in a Salesforce whose administrator followed its own conventions.
const SALESFORCE_PATH: &str = "/sobjects/Purchase_Order__c/External_Id__c/{id}";

/// The request that creates an order; its body is the order.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    /// The method.
    pub method: Method,
    /// Below `target.base_url`.
    pub path: Template,
    /// Further headers.
    pub headers: Vec<RequestHeader>,
    /// Members of the body that are not sent, because the path has them.
    pub omit: Vec<String>,
}

impl CreateRequest {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader, profile: ProfileName) -> Option<Self> {
        let (default_method, default_path) = match profile {
            ProfileName::ElevenVms => ("POST", "/purchase-orders"),
            ProfileName::Salesforce => ("PATCH", SALESFORCE_PATH),
        };
        let method = reader.value_or("target.create.method", default_method, "POST or PUT or PATCH", |text| {
            [Method::POST, Method::PUT, Method::PATCH].into_iter().find(|method| method.as_str() == text)
        });
        let path = reader.value_or("target.create.path", default_path, PATH, Template::parse_path);
        let headers = read_headers(reader, CREATE_HEADERS).map(Option::unwrap_or_default);
        let field = path.as_ref().and_then(external_id_field).filter(|_| profile == ProfileName::Salesforce);
        let omit = reader.texts("target.create.omit", field.into_iter().collect(), "names of members of the order");
        let (method, path) = (method?, path?);
        if method != Method::POST && !path.holds_id() {
            let problem = format!(
                "expected {{id}} in it: {method} is sent to the address of one order, and {{number}} alone does not tell it from others"
            );
            reader.report("target.create.path", &problem);
        }
        Some(Self { method, path, headers: headers?, omit: omit? })
    }

    /// What the request makes if it is sent twice.
    pub fn repetition(&self) -> Repetition {
        if self.method == Method::POST { Repetition::SecondOrder } else { Repetition::SameOrder }
    }

    /// The name before `{id}` at the end of the path: Salesforce's field of the external id.
    pub fn external_id_field(&self) -> Option<String> {
        external_id_field(&self.path)
    }
}

fn external_id_field(path: &Template) -> Option<String> {
    let text = path.to_string();
    let before = text.split('?').next()?.strip_suffix("/{id}")?;
    let (_, name) = before.rsplit_once('/')?;
    (!name.is_empty() && !name.contains('{')).then(|| name.to_owned())
}

/// Reads `target.create.success_statuses`.
pub fn read_success_statuses(reader: &mut Reader, default: Vec<u16>) -> Option<Vec<u16>> {
    const KEY: &str = "target.create.success_statuses";
    let is_success = |status| (200..=299).contains(&status);
    let statuses = reader.statuses(KEY, default, "HTTP statuses from 200 to 299", is_success)?;
    if statuses.is_empty() {
        reader.report(KEY, "expected at least one: without, no order would ever be created");
        return None;
    }
    Some(statuses)
}

/// Reads `target.create.number_from`.
pub fn read_number_source(reader: &mut Reader, default: NumberSource) -> Option<NumberSource> {
    let default = match default {
        NumberSource::Answer => "answer",
        NumberSource::LookUp => "lookup",
    };
    let sources = [("answer", NumberSource::Answer), ("lookup", NumberSource::LookUp)];
    reader.choice("target.create.number_from", default, &sources)
}

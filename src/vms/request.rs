//! The requests of 11VMS's profile, filled in for one order: addresses, headers, body.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::value::RawValue;
use url::Url;

use crate::config::{Fillings, LookUpRequest, RequestHeader, Template};

/// Everything but unreserved characters (RFC 3986 §2.3) is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// In the name of a parameter: OData's begin with a dollar.
const RESERVED_IN_NAMES: &AsciiSet = &RESERVED.remove(b'$');

/// Why a request can't be made for an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The id or the number would be a step in the path.
    #[error("\".\" and \"..\" can't be a part of the path of 11VMS")]
    Step,
    /// 11VMS would be asked about all orders, or be given one without a name.
    #[error("the cart has no number, which {{number}} of the profile needs")]
    Missing,
    /// It would end a text of the query language (OData, SOQL), and the rest would be read as its words.
    #[error("a quotation mark or a backslash can't be a part of a quoted text in the query of 11VMS")]
    Quote,
    /// A header's value has characters that can't be sent.
    #[error("the header {name} of the profile can't be sent: {problem}")]
    Header {
        /// The header's name.
        name: HeaderName,
        /// Why; nothing of its value.
        problem: String,
    },
    /// Members can only be left out of an object.
    #[error("the order is no JSON object, from which target.create.omit could leave members out")]
    Body,
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// What follows the base URL: a path, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    path: String,
    query: Option<String>,
}

impl Address {
    /// The address of a path of the profile.
    ///
    /// # Errors
    /// If the order's id or its number would change what the path means.
    pub fn of_path(path: &Template, fillings: Fillings<'_>) -> Result<Self, RequestError> {
        if path.used(fillings).any(|text| matches!(text, "." | "..")) {
            return Err(RequestError::Step);
        }
        check_values(path, fillings)?;
        let filled = path.fill(fillings, encode);
        let (path, query) = filled.split_once('?').map_or((filled.as_str(), None), |(path, query)| (path, Some(query)));
        Ok(Self { path: path.to_owned(), query: query.map(str::to_owned) })
    }

    /// The address of a look-up.
    ///
    /// # Errors
    /// As [`Address::of_path`], and for the query.
    pub fn of_look_up(request: &LookUpRequest, fillings: Fillings<'_>) -> Result<Self, RequestError> {
        let mut address = Self::of_path(&request.path, fillings)?;
        for (name, value) in &request.query {
            check_values(value, fillings)?;
            let value = encode(&value.fill(fillings, str::to_owned));
            let pair = format!("{}={value}", utf8_percent_encode(name, RESERVED_IN_NAMES));
            address.query = Some(address.query.map_or_else(|| pair.clone(), |query| format!("{query}&{pair}")));
        }
        Ok(address)
    }

    /// The whole URL.
    pub fn below(&self, mut base_url: Url) -> Url {
        let path = format!("{}{}", base_url.path().trim_end_matches('/'), self.path);
        base_url.set_path(&path);
        base_url.set_query(self.query.as_deref());
        base_url
    }
}

/// Refuses a value that is missing, or that would end a quoted text of the template.
fn check_values(template: &Template, fillings: Fillings<'_>) -> Result<(), RequestError> {
    let is_quoted = template.to_string().contains(['\'', '"']);
    if template.used(fillings).any(str::is_empty) {
        return Err(RequestError::Missing);
    }
    let breaks_out = template.used(fillings).any(|text| text.contains(['\'', '"', '\\']));
    if is_quoted && breaks_out { Err(RequestError::Quote) } else { Ok(()) }
}

/// The headers of the profile.
///
/// # Errors
/// Names the header that can't be sent.
pub fn headers(headers: &[RequestHeader], fillings: Fillings<'_>) -> Result<HeaderMap, RequestError> {
    let fill = |header: &RequestHeader| {
        let name = header.name.clone();
        match header.value(fillings, encode) {
            Ok(value) => Ok((name, value)),
            Err(problem) => Err(RequestError::Header { name, problem }),
        }
    };
    headers.iter().map(fill).collect()
}

/// The order's body without some members; their order is lost, their values stay as they are.
pub fn without_members(body: &str, omit: &[String]) -> Result<String, RequestError> {
    if omit.is_empty() {
        return Ok(body.to_owned());
    }
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(body).map_err(|_| RequestError::Body)?;
    members.retain(|name, _| !omit.contains(name));
    serde_json::to_string(&members).map_err(|_| RequestError::Body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(base_url: &str, path: &str, id: &str) -> Result<String, RequestError> {
        let template = Template::parse(path).unwrap();
        let fillings = Fillings { id, number: "47/11" };
        let address = Address::of_path(&template, fillings)?;
        Ok(address.below(base_url.parse().unwrap()).to_string())
    }

    #[test]
    fn a_path_is_appended_to_the_base_url_and_filled_in_encoded() {
        for (base_url, path, id, expected) in [
            ("https://vms.example", "/purchase-orders", "1", "https://vms.example/purchase-orders"),
            ("https://vms.example/api/", "/purchase-orders", "1", "https://vms.example/api/purchase-orders"),
            ("https://vms.example/api", "/po/{id}/x", "A/1 ü?#", "https://vms.example/api/po/A%2F1%20%C3%BC%3F%23/x"),
            (
                "https://vms.example/api",
                "/po?client=100&cart={number}",
                "1",
                "https://vms.example/api/po?client=100&cart=47%2F11",
            ),
            ("https://vms.example/a%20b", "/po('{id}')", "1", "https://vms.example/a%20b/po('1')"),
            ("https://vms.example", "/po/{id}", "SRMCLNT300:4711", "https://vms.example/po/SRMCLNT300%3A4711"),
        ] {
            assert_eq!(address_of(base_url, path, id).as_deref(), Ok(expected), "{base_url} {path} {id}");
        }
    }

    #[test]
    fn an_id_never_changes_what_is_asked() {
        assert_eq!(address_of("https://vms.example/api", "/po/{id}", ".."), Err(RequestError::Step));
        assert_eq!(address_of("https://vms.example/api", "/po('{id}')", "x') or ('"), Err(RequestError::Quote));
        assert_eq!(address_of("https://vms.example/api", "/po/{id}", ""), Err(RequestError::Missing));
        assert!(address_of("https://vms.example/api", "/po('{number}')", "'").is_ok(), "what is not used can't harm");
        let query = vec![("$filter".to_owned(), Template::parse("ExternalId eq '{id}'").unwrap())];
        let request = LookUpRequest { path: Template::parse("/po").unwrap(), query, headers: Vec::new() };
        let base_url: Url = "https://vms.example".parse().unwrap();
        let ask = |id| {
            Address::of_look_up(&request, Fillings { id, number: "1" })
                .map(|address| address.below(base_url.clone()).to_string())
        };
        assert_eq!(ask("SRM:4711"), Ok("https://vms.example/po?$filter=ExternalId%20eq%20%27SRM%3A4711%27".to_owned()));
        assert_eq!(ask("a&b"), Ok("https://vms.example/po?$filter=ExternalId%20eq%20%27a%26b%27".to_owned()));
        assert_eq!(ask("' or true or '"), Err(RequestError::Quote));
    }

    #[test]
    fn members_are_left_out_and_the_others_stay_as_they_are() {
        let body = r#"{"externalId":"1","amount":12345678901234567890.10,"lines":[{"externalId":"2"}]}"#;
        assert_eq!(
            without_members(body, &["externalId".to_owned()]).as_deref(),
            Ok(r#"{"amount":12345678901234567890.10,"lines":[{"externalId":"2"}]}"#)
        );
        assert_eq!(without_members(body, &[]).as_deref(), Ok(body));
        assert_eq!(without_members("[]", &["x".to_owned()]), Err(RequestError::Body));
    }
}

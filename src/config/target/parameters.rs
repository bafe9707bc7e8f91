//! `[target.oauth2.parameters]`: further parameters of a token request, such as `resource` (RFC 8707; AD FS, Entra ID v1).

use secrecy::SecretString;

use crate::config::entry::Entry;
use crate::config::reader::Reader;

const SECTION: &str = "target.oauth2.parameters";

/// Parameters that the service sets itself, and the setting that each follows.
const OWN: [(&str, &str); 8] = [
    ("grant_type", "target.oauth2.grant"),
    ("client_id", "target.oauth2.client_id"),
    ("client_secret", "target.oauth2.client_secret"),
    ("client_assertion", "target.oauth2.private_key"),
    ("client_assertion_type", "target.oauth2.auth"),
    ("assertion", "target.oauth2.private_key"),
    ("scope", "target.oauth2.scopes"),
    ("audience", "target.oauth2.audience"),
];

/// A parameter that is sent as it is.
#[derive(Debug, Clone)]
pub struct TokenParameter {
    /// Its name.
    pub name: String,
    /// Never shown: it may be a key.
    pub value: SecretString,
}

/// Reads the section; none if it is not set.
pub fn read_parameters(reader: &mut Reader) -> Option<Vec<TokenParameter>> {
    let Some(entries) = reader.open_section(SECTION) else { return Some(Vec::new()) };
    let read: Vec<_> = entries.into_iter().map(|(name, entry)| read_parameter(reader, name, &entry)).collect();
    read.into_iter().collect()
}

fn read_parameter(reader: &mut Reader, name: String, entry: &Entry) -> Option<TokenParameter> {
    if let Some((_, setting)) = OWN.iter().find(|(own, _)| name.eq_ignore_ascii_case(own)) {
        reader.report_entry(entry, &format!("the service sends the parameter {name} itself; use {setting}"));
        return None;
    }
    let value = entry.scalar().map(SecretString::from);
    if value.is_none() || name.trim().is_empty() {
        reader.report_entry(entry, "expected a parameter's name and a text, which is sent as it is");
        return None;
    }
    Some(TokenParameter { name, value: value? })
}

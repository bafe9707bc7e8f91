//! How callers authenticate: OAuth 2.0 client credentials with scopes, or a bearer token from anywhere.

use serde_json::{Map, Value, json};
use url::Url;

use super::operations::{add_paragraph, component, operations};

const OAUTH2: &str = "oauth2";
const BEARER: &str = "bearer";

/// Adds the bearer scheme, as another way at each operation that takes a token, and says which scope it needs.
pub fn add(document: &mut Value) {
    *component(document, "securitySchemes", BEARER) = json!({
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of the issuer that the operator has configured, as `Authorization: Bearer …`. \
            It has the scope that the operation names. Under `dev` the page `/docs` gets one.",
    });
    for operation in operations(document) {
        let scope = operation.pointer("/security/0/oauth2/0").and_then(Value::as_str).map(str::to_owned);
        let Some(ways) = operation.as_object_mut().map(|map| map.entry("security").or_insert_with(|| json!([]))) else {
            continue;
        };
        if let (Some(scope), Value::Array(ways)) = (scope, ways) {
            ways.push(json!({ BEARER: [] }));
            add_paragraph(operation, &format!("Needs the scope `{scope}`."));
        }
    }
}

/// The scopes of the handlers' descriptions, as `auth.scopes` names them if nothing is set: write, read, operate.
const SCOPES: [&str; 3] = ["purchase-orders.write", "purchase-orders.read", "purchase-orders.operate"];

/// Calls the scopes as the issuer does, wherever they are: in the schemes, at the operations, in texts and samples.
pub fn name_scopes(value: &mut Value, names: [&str; 3]) {
    match value {
        Value::String(text) => {
            if let Some(named) = with_names(text, names) {
                *text = named;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| name_scopes(inner, names)),
        Value::Object(map) => {
            for (name, mut inner) in std::mem::take(map) {
                name_scopes(&mut inner, names);
                add_member(map, with_names(&name, names).unwrap_or(name), inner);
            }
        }
        _ => {}
    }
}

/// Adds a member; of two scopes with one name, both are described.
fn add_member(map: &mut Map<String, Value>, name: String, value: Value) {
    match (map.get_mut(&name), value) {
        (Some(Value::String(known)), Value::String(other)) => *known = format!("{known}; {other}"),
        (_, value) => drop(map.insert(name, value)),
    }
}

/// A text with the names in it; `None` if it has no scope. Each scope is replaced once: a name may be that of another scope.
fn with_names(text: &str, names: [&str; 3]) -> Option<String> {
    let next = |rest: &str| {
        let found = SCOPES.iter().zip(names).filter_map(|(scope, name)| Some((rest.find(scope)?, *scope, name)));
        found.min_by_key(|(at, ..)| *at)
    };
    let (mut done, mut rest) = (String::new(), text);
    while let Some((at, scope, name)) = next(rest) {
        done.push_str(rest.get(..at)?);
        done.push_str(name);
        rest = rest.get(at + scope.len()..)?;
    }
    (rest.len() < text.len()).then(|| done + rest)
}

/// Names the token endpoint that the readers can ask.
pub fn set_token_url(document: &mut Value, url: &Url) {
    if let Some(found) = document.pointer_mut("/components/securitySchemes/oauth2/flows/clientCredentials/tokenUrl") {
        *found = Value::from(url.as_str());
    }
}

/// Leaves the bearer scheme alone: there is no token endpoint that a reader could ask.
pub fn remove_oauth2(document: &mut Value) {
    if let Some(schemes) = document.pointer_mut("/components/securitySchemes").and_then(Value::as_object_mut) {
        schemes.shift_remove(OAUTH2);
    }
    for operation in operations(document) {
        if let Some(Value::Array(ways)) = operation.get_mut("security") {
            ways.retain(|way| way.get(OAUTH2).is_none());
        }
    }
}

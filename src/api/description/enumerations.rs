//! Texts of which there are only some: states, outcomes, actions, types of messages. They are those of the code.

use serde_json::{Value, json};

use super::operations::{member, operation};
use crate::message::Severity;
use crate::order::{Action, Outcome, State};

/// Names every value at each place where it may be.
pub fn add(document: &mut Value) {
    let states = json!(State::ALL.map(State::name));
    let actions = json!(Action::ALL.map(Action::name));
    for (schema, property, names) in [
        ("PurchaseOrder", "state", &states),
        ("Attempt", "outcome", &json!(Outcome::ALL.map(Outcome::name))),
        ("AuditEntry", "action", &actions),
        ("Intervention", "action", &json!([Action::Replayed, Action::Resolved, Action::Cancelled].map(Action::name))),
        ("Message", "type", &json!(Severity::ALL.map(Severity::code))),
    ] {
        if let Some(found) = document.pointer_mut(&format!("/components/schemas/{schema}/properties/{property}")) {
            set(found, names);
        }
    }
    for (id, parameter, names) in
        [("list_purchase_orders", "state", &states), ("list_audit_entries", "action", &actions)]
    {
        let parameters = operation(document, id).and_then(|found| found.get_mut("parameters"));
        let parameters = parameters.and_then(Value::as_array_mut).into_iter().flatten();
        let found = parameters.into_iter().find(|one| one.get("name").is_some_and(|name| name == parameter));
        if let Some(found) = found.and_then(|found| found.get_mut("schema")) {
            set(found, names);
        }
    }
}

fn set(schema: &mut Value, names: &Value) {
    *member(schema, "enum") = names.clone();
}

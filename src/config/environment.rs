//! Settings in environment variables: `PO_WEBHOOK_SECTION__KEY` overrides `section.key` of the file.

use std::collections::BTreeMap;

use toml::Value;

use super::entry::{Entry, VARIABLE_PREFIX};

/// Names the file where no `--config` does.
pub const CONFIG_VARIABLE: &str = "PO_WEBHOOK_CONFIG";

const SECTIONS: [&str; 9] =
    ["server", "auth", "target", "outbound", "retry", "ledger", "mapping", "alerts", "telemetry"];

/// The environment as the process found it.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        // A value that is no UTF-8 gets replacement characters, by which `overlay` refuses it.
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}

/// The settings among the variables, by dotted key, and the mistakes in their names and encoding.
///
/// A variable without `__` is no setting (Kubernetes injects such for a service of the same name), unless its name begins
/// with a section's: then it is a mistake. So is one whose name begins in small letters: names of variables differ by case.
pub fn overlay(environment: &BTreeMap<String, String>) -> (BTreeMap<String, Entry>, Vec<String>) {
    let (mut entries, mut mistakes) = (BTreeMap::<String, Entry>::new(), Vec::new());
    for (variable, value) in environment {
        let Some(name) = name_of_setting(variable).filter(|_| variable != CONFIG_VARIABLE) else {
            continue;
        };
        let (key, section) = (name.to_ascii_lowercase().replace("__", "."), section_of(&name.to_ascii_lowercase()));
        if value.contains(char::REPLACEMENT_CHARACTER) {
            mistakes.push(format!("{variable}: expected UTF-8"));
        }
        let is_setting = name.contains("__");
        if variable.eq_ignore_ascii_case(CONFIG_VARIABLE)
            || !variable.starts_with(VARIABLE_PREFIX) && (is_setting || section.is_some())
        {
            let expected = variable.to_ascii_uppercase();
            mistakes.push(format!("{variable}: no setting, because of its small letters; expected {expected}"));
        } else if is_setting {
            let entry = Entry { value: Value::String(value.clone()), origin: variable.clone() };
            if let Some(other) = entries.insert(key, entry) {
                mistakes.push(format!("{variable}: the same setting as {}; expected one of them", other.origin));
            }
        } else if let Some(section) = section {
            let section = section.to_ascii_uppercase();
            mistakes.push(format!(
                "{variable}: no setting; expected two underscores behind the section, {VARIABLE_PREFIX}{section}__…"
            ));
        }
    }
    (entries, mistakes)
}

/// What follows the prefix, in letters of any case.
fn name_of_setting(variable: &str) -> Option<&str> {
    let (prefix, name) = variable.split_at_checked(VARIABLE_PREFIX.len())?;
    prefix.eq_ignore_ascii_case(VARIABLE_PREFIX).then_some(name)
}

/// The section whose name a variable without `__` begins with.
fn section_of(key: &str) -> Option<&'static str> {
    SECTIONS.into_iter().find(|section| key == *section || key.starts_with(&format!("{section}_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes_of(variables: &[&str]) -> Vec<String> {
        overlay(&variables.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect()).1
    }

    #[test]
    fn a_variable_that_begins_in_small_letters_is_refused_by_name() {
        for (variable, expected) in [
            ("po_webhook_target__base_url", Some("expected PO_WEBHOOK_TARGET__BASE_URL")),
            ("Po_Webhook_Target__Base_Url", Some("expected PO_WEBHOOK_TARGET__BASE_URL")),
            ("po_webhook_target__base_ulr", Some("expected PO_WEBHOOK_TARGET__BASE_ULR")),
            ("PO_webhook_TARGET_BASE_URL", Some("expected PO_WEBHOOK_TARGET_BASE_URL")),
            ("po_webhook_server", Some("expected PO_WEBHOOK_SERVER")),
            ("po_webhook_config", Some("expected PO_WEBHOOK_CONFIG")),
            ("PO_WEBHOOK_Config", Some("expected PO_WEBHOOK_CONFIG")),
            // As in capitals: what platforms set for a service of this name.
            ("po_webhook_service_host", None),
            ("po_webhook_port", None),
            ("po_webhook", None),
            ("my_po_webhook_target__base_url", None),
            ("PO_WEBHOOK_target__base_url", None),
            ("PO_WEBHOOK_CONFIG", None),
        ] {
            let found = mistakes_of(&[variable]);
            let is_expected = match expected {
                None => found.is_empty(),
                Some(expected) => found.len() == 1 && found[0].starts_with(variable) && found[0].ends_with(expected),
            };
            assert!(is_expected, "{variable}: {found:?}");
        }
        let found = mistakes_of(&["PO_WEBHOOK_TARGET__BASE_URL", "PO_WEBHOOK_target__base_url"]);
        let expected =
            "PO_WEBHOOK_target__base_url: the same setting as PO_WEBHOOK_TARGET__BASE_URL; expected one of them";
        assert_eq!(found, [expected]);
    }
}

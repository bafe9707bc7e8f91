//! Settings in environment variables: `PO_WEBHOOK_SECTION__KEY` overrides `section.key` of the file.

use std::collections::BTreeMap;

use toml::Value;

use super::entry::{Entry, VARIABLE_PREFIX};

/// Names the file where no `--config` does.
pub const CONFIG_VARIABLE: &str = "PO_WEBHOOK_CONFIG";

const SECTIONS: [&str; 8] = ["server", "auth", "target", "retry", "ledger", "mapping", "alerts", "telemetry"];

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
/// with a section's: then it is a mistake.
pub fn overlay(environment: &BTreeMap<String, String>) -> (BTreeMap<String, Entry>, Vec<String>) {
    let (mut entries, mut mistakes) = (BTreeMap::new(), Vec::new());
    for (variable, value) in environment {
        let Some(name) = variable.strip_prefix(VARIABLE_PREFIX).filter(|_| variable != CONFIG_VARIABLE) else {
            continue;
        };
        let key = name.to_ascii_lowercase().replace("__", ".");
        if value.contains(char::REPLACEMENT_CHARACTER) {
            mistakes.push(format!("{variable}: expected UTF-8"));
        }
        if name.contains("__") {
            entries.insert(key, Entry { value: Value::String(value.clone()), origin: variable.clone() });
        } else if let Some(section) = section_of(&key) {
            let section = section.to_ascii_uppercase();
            mistakes.push(format!(
                "{variable}: no setting; expected two underscores behind the section, {VARIABLE_PREFIX}{section}__…"
            ));
        }
    }
    (entries, mistakes)
}

/// The section whose name a variable without `__` begins with.
fn section_of(key: &str) -> Option<&'static str> {
    SECTIONS.into_iter().find(|section| key == *section || key.starts_with(&format!("{section}_")))
}

//! Snapshots: texts of the service, compared with the files of `tests/snapshots`. What differs from run to run is
//! redacted.
//!
//! After an intended change, `INSTA_UPDATE=always cargo nextest run -E 'test(/snapshots/) or binary(output)'` writes the
//! files anew, and `git diff tests/snapshots` shows what to review.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of all snapshots.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// Compares a text with a file below `tests/snapshots`, such as `problems/404-not-found.snap`.
#[track_caller]
pub fn assert_snapshot(file: &str, text: &str) {
    let (subject, name) = file.split_once('/').expect("subject/name.snap");
    let name = name.strip_suffix(".snap").expect("subject/name.snap");
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder().join(subject));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Replaces the characters behind each `prefix` for which `varies` holds.
pub fn redact_after(text: &str, prefix: &str, varies: fn(char) -> bool, replacement: &str) -> String {
    let mut parts = text.split(prefix);
    let mut redacted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(varies);
        let replacement = if rest.len() < part.len() { replacement } else { "" };
        redacted.extend([prefix, replacement, rest]);
    }
    redacted
}

/// Redacts the ports of 127.0.0.1.
pub fn redact_ports(text: &str) -> String {
    redact_after(text, "127.0.0.1:", |c| c.is_ascii_digit(), "[port]")
}

/// Replaces every member of a name, at any depth, that `varies`.
pub fn redact_member(value: &mut Value, name: &str, varies: &dyn Fn(&Value) -> bool, replacement: &str) {
    match value {
        Value::Object(members) => {
            for (member, inner) in members {
                if member == name && varies(inner) {
                    *inner = replacement.into();
                } else {
                    redact_member(inner, name, varies, replacement);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| redact_member(inner, name, varies, replacement)),
        _ => {}
    }
}

/// JSON with one member a line; the mapping's version is a digest of its files, and redacted. Other text as it is.
pub fn readable(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    redact_member(&mut value, "mappingVersion", &|_| true, "[mapping version]");
    serde_json::to_string_pretty(&value).unwrap()
}

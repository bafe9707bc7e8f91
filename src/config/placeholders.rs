//! Values that are still those of an example: hosts that no real system has, and secrets that were to be changed.

use std::collections::BTreeMap;
use std::path::Path;

use url::{Host, Url};

use super::file::SettingsText;
use super::reader::Reader;
use crate::settings_file;

/// A secret is shorter: a longer file is no example's.
const MAX_SECRET_BYTES: usize = 4096;

/// Names every setting that still has the value of an example. A start is possible with them, so they are no mistakes.
pub fn placeholders(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Vec<String> {
    let reader = SettingsText::load(file, environment).and_then(|text| Reader::parse(&text, environment));
    let Ok(reader) = reader else { return Vec::new() };
    let mut found = Vec::new();
    for (key, entry) in reader.entries() {
        for text in entry.texts().unwrap_or_default() {
            let in_file = if key.ends_with("_file") { secret_placeholder(Path::new(&text)) } else { None };
            if let Some(placeholder) = in_file {
                found.push(format!("{}: {text} still has the example file's value, {placeholder}", entry.origin));
            } else if let Some(placeholder) = placeholder(&text) {
                found.push(format!("{} still has the example file's value, {placeholder}", entry.origin));
            }
        }
    }
    found
}

/// The part of a value that is only an example's; it contains no secret.
fn placeholder(text: &str) -> Option<String> {
    let word: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if word == "changeme" {
        return Some("change-me".to_owned());
    }
    if text.starts_with('<') && text.ends_with('>') {
        return Some("a text in <>".to_owned());
    }
    let host = match Url::parse(text) {
        Ok(url) => match url.host() {
            // Other schemes keep their hosts as they were written.
            Some(Host::Domain(host)) => host.to_ascii_lowercase(),
            _ => return None,
        },
        // A user's name, or a host without scheme.
        Err(_) => text.rsplit('@').next().unwrap_or_default().trim_start_matches('.').to_ascii_lowercase(),
    };
    is_reserved(&host).then_some(host)
}

/// Whether a host's name is reserved for examples (RFC 2606 §2 and §3). `.test` is not meant: real tests may use it.
fn is_reserved(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let is_name = !host.contains(['/', ' ', ':']);
    let below = |name: &str| host == name || host.ends_with(&format!(".{name}"));
    let top_level = host.rsplit_once('.').map(|(_, top_level)| top_level);
    is_name
        && (matches!(top_level, Some("example" | "invalid"))
            || ["example.com", "example.net", "example.org"].into_iter().any(below))
}

/// The same for the content of a secret's file.
fn secret_placeholder(path: &Path) -> Option<String> {
    let text = settings_file::read_text(path).ok().filter(|text| text.len() <= MAX_SECRET_BYTES)?;
    placeholder(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_examples_are_recognised_without_showing_secrets() {
        for (text, expected) in [
            ("https://vms.example/api", Some("vms.example")),
            ("https://LOGIN.Example.COM", Some("login.example.com")),
            ("https://example.org:8443/", Some("example.org")),
            ("http://issuer.invalid", Some("issuer.invalid")),
            ("postgres://user:hidden@db.example.com/orders", Some("db.example.com")),
            ("integration@acme.example", Some("acme.example")),
            (".my.example.com", Some("my.example.com")),
            ("change-me", Some("change-me")),
            ("CHANGE_ME", Some("change-me")),
            ("changeme", Some("change-me")),
            ("<client secret>", Some("a text in <>")),
            ("https://vms.acme.com/example", None),
            ("https://example.acme.com", None),
            ("https://notexample.com", None),
            ("https://vms.acme.test", None),
            ("http://127.0.0.1:8080", None),
            ("http://localhost:8080", None),
            ("purchase-order-webhook", None),
            ("/etc/purchase-order-webhook/config.example", None),
            ("example", None),
            ("", None),
        ] {
            assert_eq!(placeholder(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_value_of_the_example_file_that_has_to_be_set_is_named() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
        let found = placeholders(Some(&file), &BTreeMap::new());
        for key in ["auth.issuer", "target.base_url", "target.oauth2.token_url", "target.oauth2.client_secret"] {
            assert!(found.iter().any(|line| line.contains(&format!(": {key} still has"))), "{key}: {found:?}");
        }
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn variables_and_secret_files_are_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, config) = (folder.path().join("secret"), folder.path().join("config.toml"));
        std::fs::write(&secret, "change-me\n").unwrap();
        let lines = format!(
            "[target]\nbase_url = \"https://vms.example\"\noauth2.client_secret_file = {secret:?}\n\
             [server]\ncors_origins = [\"https://portal.acme.com\", \"https://portal.example\"]\n"
        );
        std::fs::write(&config, lines).unwrap();
        let variables = [
            ("PO_WEBHOOK_TARGET__BASE_URL", "https://vms.acme.com"),
            ("PO_WEBHOOK_AUTH__ISSUER", "https://issuer.example"),
        ];
        let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let found = placeholders(Some(&config), &environment);
        let expected = [
            "PO_WEBHOOK_AUTH__ISSUER still has the example file's value, issuer.example".to_owned(),
            format!("{}: server.cors_origins still has the example file's value, portal.example", config.display()),
            format!(
                "{}: target.oauth2.client_secret_file: {} still has the example file's value, change-me",
                config.display(),
                secret.display()
            ),
        ];
        assert_eq!(found, expected);
    }
}

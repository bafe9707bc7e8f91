//! Secrets of a request that its answer repeats: error pages show what was sent. They are replaced before anything else
//! sees the answer.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

/// What stands for a secret.
const HIDDEN: &str = "***";

/// Shorter values are no secrets, and occur in any text.
const MIN_CHARS: usize = 4;

/// From here on, a value is hidden wherever it is; a shorter one only as a word of its own.
const MIN_CHARS_WITHIN_WORDS: usize = 8;

/// Fewer digits alone are hidden nowhere: numbers of orders are made of them.
const MIN_DIGITS: usize = 16;

/// Beginnings of headers that say nothing secret, and whose values are words that answers have as well.
const PUBLIC_HEADERS: [&str; 6] = ["accept", "content-", "if-", "prefer", "cache-control", "user-agent"];

/// As many characters of a secret in a row are a part of it that tells something.
const MIN_PART: usize = 8;

/// The secrets of one request.
#[derive(Debug, Default)]
pub struct Echo {
    /// In all the forms in which an answer may have them, the longest first.
    secrets: Vec<SecretString>,
}

impl Echo {
    /// The values that the request marks as sensitive: the token, and the headers of the settings.
    pub fn of(headers: &HeaderMap) -> Self {
        let is_public = |name: &HeaderName| PUBLIC_HEADERS.iter().any(|stem| name.as_str().starts_with(stem));
        let sensitive = headers.iter().filter(|(name, value)| value.is_sensitive() && !is_public(name));
        let texts = sensitive.filter_map(|(_, value)| value.to_str().ok()).map(str::trim);
        // The whole value of a scheme (`Bearer x`, `Token x`), and what is behind it.
        let parts =
            texts.flat_map(|text| [Some(text), text.split_once(' ').map(|(_, credentials)| credentials.trim())]);
        let mut echo = Self::default();
        echo.add_forms(parts.flatten().filter(|text| is_secret(text)).flat_map(forms).filter(|form| is_secret(form)));
        echo
    }

    /// Adds what is a secret for certain, even if it has digits alone.
    pub fn add(&mut self, secret: &str) {
        self.add_forms(forms(secret).into_iter().filter(|form| form.chars().count() >= MIN_CHARS));
    }

    fn add_forms(&mut self, forms: impl Iterator<Item = String>) {
        self.secrets.extend(forms.map(SecretString::from));
        self.secrets.sort_by(|one, other| {
            let (one, other) = (one.expose_secret(), other.expose_secret());
            other.len().cmp(&one.len()).then_with(|| one.cmp(other))
        });
        self.secrets.dedup_by(|one, other| one.expose_secret() == other.expose_secret());
    }

    /// Whether a text has a secret, or a part of one that tells something, in whatever form of a URL or a form's body.
    pub fn is_in(&self, text: &str) -> bool {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let texts = [text.to_owned(), decoded(text), decoded(&text.replace('+', " "))];
        let has = |text: &String, secret: &str| {
            let parts = text.as_bytes().windows(MIN_PART.min(secret.len()));
            parts.into_iter().any(|part| secret.as_bytes().windows(part.len()).any(|one| one == part))
        };
        self.secrets.iter().any(|secret| texts.iter().any(|text| has(text, secret.expose_secret())))
    }

    /// A text without the secrets.
    pub fn hide(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| without(&text, secret.expose_secret()))
    }

    /// A text that may break off within a secret.
    pub fn hide_in_part(&self, text: &str) -> String {
        let text = self.hide(text);
        let beginning = |secret: &str| {
            let lengths = (MIN_CHARS..secret.len()).rev();
            lengths.filter_map(|length| secret.get(..length)).find_map(|part| text.strip_suffix(part).map(str::len))
        };
        let cuts = self.secrets.iter().filter_map(|secret| beginning(secret.expose_secret()));
        match cuts.min().and_then(|cut| text.get(..cut)) {
            Some(before) => format!("{before}{HIDDEN}"),
            None => text,
        }
    }

    /// JSON without the secrets: in texts and names. Members that are `kept` by their names have the order's number or id.
    pub fn hide_in_json(&self, value: Value, kept: &[String]) -> Value {
        match value {
            _ if self.secrets.is_empty() => value,
            Value::String(text) => Value::String(self.hide(&text)),
            Value::Array(entries) => entries.into_iter().map(|entry| self.hide_in_json(entry, kept)).collect(),
            Value::Object(members) => {
                let hide = |(name, member): (String, Value)| {
                    let is_kept = member.is_string() && kept.contains(&name);
                    let member = if is_kept { member } else { self.hide_in_json(member, kept) };
                    (self.hide(&name), member)
                };
                Value::Object(members.into_iter().map(hide).collect::<Map<_, _>>())
            }
            other => other,
        }
    }
}

fn is_secret(text: &str) -> bool {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.chars().count() >= if is_number { MIN_DIGITS } else { MIN_CHARS }
}

/// A text as it is, within JSON, and within a URL.
fn forms(text: &str) -> Vec<String> {
    const RESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let json = Value::from(text).to_string();
    let escaped = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let slashed = escaped.replace('/', "\\/");
    vec![text.to_owned(), escaped, slashed, utf8_percent_encode(text, RESERVED).to_string()]
}

/// A text without a secret; a short one is left within a longer word.
fn without(text: &str, secret: &str) -> String {
    if secret.len() >= MIN_CHARS_WITHIN_WORDS {
        return text.replace(secret, HIDDEN);
    }
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(secret) {
        kept.push_str(before);
        let is_word = !kept.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        kept.push_str(if is_word { HIDDEN } else { secret });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn echo(headers: &[(&'static str, &'static str)]) -> Echo {
        let value = |text: &'static str| {
            let mut value = HeaderValue::from_static(text);
            value.set_sensitive(true);
            value
        };
        let mut all: HeaderMap =
            headers.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect();
        all.insert("idempotency-key", HeaderValue::from_static("005056a207c81ed1bfc6b69e72f50550"));
        Echo::of(&all)
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_is_repeated() {
        let echo = echo(&[
            ("authorization", "Bearer eyJ0/a+b=="),
            ("x-api-key", "HDRSECRET42"),
            ("x-pin", "pin7"),
            ("x-client", "450000"),
            ("x-quoted", "hush\"quoted"),
            ("content-type", "application/json"),
        ]);
        for (text, expected) in [
            ("x-api-key=HDRSECRET42&y", "x-api-key=***&y"),
            ("keyHDRSECRET42x", "key***x"),
            ("<td>Bearer eyJ0/a+b==</td>", "<td>***</td>"),
            ("token eyJ0/a+b== expired", "token *** expired"),
            ("\"eyJ0\\/a+b==\"", "\"***\""),
            ("?token=eyJ0%2Fa%2Bb%3D%3D", "?token=***"),
            ("{\"q\":\"hush\\\"quoted\"}", "{\"q\":\"***\"}"),
            ("pin7, (pin7) pin71 xpin7", "***, (***) pin71 xpin7"),
            ("450000 4500001234 application/json", "450000 4500001234 application/json"),
            ("005056a207c81ed1bfc6b69e72f50550", "005056a207c81ed1bfc6b69e72f50550"),
        ] {
            assert_eq!(echo.hide(text), expected, "{text}");
        }
        for (text, expected) in [
            ("key HDRSECR", "key ***"),
            ("key HDRSECRET42", "key ***"),
            ("key HDR", "key HDR"),
            ("HDRSECR or so", "HDRSECR or so"),
        ] {
            assert_eq!(echo.hide_in_part(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_repeats_what_was_sent_is_recognised_in_every_form() {
        let mut echo = Echo::default();
        for secret in ["p@ss wörd/+", "4711", "c3JtNzpodXNoLWh1c2g", "jwt"] {
            echo.add(secret);
        }
        for text in [
            "p@ss wörd/+",
            "wrong: p@ss wörd/+.",
            "p%40ss%20w%C3%B6rd%2F%2B",
            "p%40ss%20w%c3%b6rd%2f%2b",
            "p%40ss+w%C3%B6rd%2F%2B",
            "p@ss wörd\\/+",
            "not p@ss wör",
            "x4711y",
            "Basic c3JtNzpodXNoLWh1c2g=",
            "c3JtNzpodX...",
            "Basic c3JtNzpodXNoLWh1c2g%3D",
        ] {
            assert!(echo.is_in(text), "{text}");
        }
        for text in ["", "invalid_client", "p@ss", "471", "c3JtNzp", "jwt", "wörd"] {
            assert!(!echo.is_in(text), "{text}");
        }
        assert!(!Echo::default().is_in("invalid_client"));
    }

    #[test]
    fn of_json_texts_and_names_are_changed_and_no_numbers() {
        let echo = echo(&[("x-tenant", "ACMEPROD")]);
        let body =
            json!({ "ACMEPROD": 1, "h": ["x-tenant: ACMEPROD"], "n": 4.50, "poNumber": "ACMEPROD-45", "b": null });
        let hidden = echo.hide_in_json(body, &["poNumber".to_owned()]);
        assert_eq!(
            hidden,
            json!({ "***": 1, "h": ["x-tenant: ***"], "n": 4.50, "poNumber": "ACMEPROD-45", "b": null })
        );
    }
}

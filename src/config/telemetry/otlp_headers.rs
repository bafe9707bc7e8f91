//! `telemetry.otlp_headers`: what a collector wants with each request. A value may be a key: none is ever shown, and each may be
//! in a file.

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret as _;

use crate::config::entry::Entry;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::units;

const KEY: &str = "telemetry.otlp_headers";

/// Ends the name of a header whose value is in a file.
const FILE: &str = "_file";

/// Headers that the protocol, or the connection, sets itself.
const OWN_HEADERS: [&str; 8] =
    ["host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "te", "trailer"];

/// The headers, or where they are.
#[derive(Debug, Clone, Default)]
pub struct OtlpHeaders(Vec<Source>);

#[derive(Debug, Clone)]
enum Source {
    /// A list `name=value,name=value` whose values are percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has it.
    List(Secret),
    /// One header.
    One(HeaderName, Secret),
}

impl OtlpHeaders {
    /// The headers as they are now: files are read anew.
    ///
    /// # Errors
    /// Why they can't be sent; nothing of a value.
    pub fn read(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for source in &self.0 {
            headers.extend(source.read()?);
        }
        Ok(headers)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the list, or the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        if reader.secret_or_section(KEY).is_some_and(|entry| entry.value.is_str()) {
            let list = reader.required_secret(KEY)?;
            let headers = Self(vec![Source::List(list)]);
            let key = reader.secret_key(KEY);
            return headers.read().map_err(|problem| reader.report(&key, &problem)).ok().map(|_| headers);
        }
        let entries = reader.open_section(KEY).unwrap_or_default();
        let read = entries.into_iter().map(|(name, entry)| {
            let checked = Source::one(&name, &entry).and_then(|source| Ok((source.read()?, source)));
            checked.map_err(|problem| reader.report_entry(&entry, &problem)).ok().map(|(_, source)| source)
        });
        // All of them, so that each mistake is reported.
        let read: Vec<Option<Source>> = read.collect();
        let sources = read.into_iter().collect::<Option<Vec<Source>>>()?;
        if let Some(twice) = twice(&sources) {
            reader.report(KEY, &format!("the header {twice} is set twice; expected it once"));
            return None;
        }
        Some(Self(sources))
    }
}

/// The header that has two sources, such as a value and a file.
fn twice(sources: &[Source]) -> Option<&HeaderName> {
    let mut names: Vec<&HeaderName> = sources.iter().filter_map(Source::name).collect();
    names.sort_unstable_by_key(|name| name.as_str());
    names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}

impl Source {
    const fn name(&self) -> Option<&HeaderName> {
        match self {
            Self::List(_) => None,
            Self::One(name, _) => Some(name),
        }
    }

    /// One header of the section.
    fn one(name: &str, entry: &Entry) -> Result<Self, String> {
        let expected = || "expected a header that the protocol does not set itself, and its value".to_owned();
        let (plain, is_file) = name.strip_suffix(FILE).map_or((name, false), |stem| (stem, true));
        // A shell's variables have no dash in their names.
        let plain = if entry.is_variable() { plain.replace('_', "-") } else { plain.to_owned() };
        let header: HeaderName = plain.parse().map_err(|_| expected())?;
        let text = entry.value.as_str().filter(|_| !OWN_HEADERS.contains(&header.as_str())).ok_or_else(expected)?;
        let secret = if is_file { units::file(text).map(Secret::File) } else { Secret::of_text(text) };
        Ok(Self::One(header, secret.ok_or_else(expected)?))
    }

    /// Its headers, as they are now.
    fn read(&self) -> Result<HeaderMap, String> {
        match self {
            Self::List(list) => parse_list(list.read()?.expose_secret()),
            Self::One(name, secret) => {
                let value = header_value(name.as_str(), secret.read()?.expose_secret())?;
                Ok(HeaderMap::from_iter([(name.clone(), value)]))
            }
        }
    }
}

fn parse_list(text: &str) -> Result<HeaderMap, String> {
    const EXPECTED: &str = "expected name=value,name=value, with values percent-encoded";
    let mut headers = HeaderMap::new();
    for member in text.split(',').map(str::trim).filter(|member| !member.is_empty()) {
        let (name, value) = member.split_once('=').ok_or(EXPECTED)?;
        let name: HeaderName = name.trim().parse().map_err(|_| EXPECTED)?;
        if OWN_HEADERS.contains(&name.as_str()) {
            return Err(format!("{name} is a header that the protocol sets itself"));
        }
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| EXPECTED)?;
        headers.insert(name.clone(), header_value(name.as_str(), &value)?);
    }
    if headers.is_empty() { Err(EXPECTED.to_owned()) } else { Ok(headers) }
}

fn header_value(name: &str, text: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| format!("the value of {name}: expected text in ASCII, in one line"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_the_variable_of_opentelemetry_is() {
        let read = |text: &str| {
            parse_list(text).map(|headers| {
                let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
                headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect::<Vec<_>>()
            })
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read("api-key=hush"), Ok(vec![pair("api-key", "hush")]));
        assert_eq!(
            read(" Authorization=Basic%20aHVzaA== , x=1,"),
            Ok(vec![pair("authorization", "Basic aHVzaA=="), pair("x", "1")])
        );
        for (wrong, expected) in [
            ("", "expected name=value"),
            ("hush", "expected name=value"),
            ("a b=hush", "expected name=value"),
            ("content-type=hush", "content-type is a header that the protocol sets itself"),
            ("x=hu%0Ash", "the value of x"),
        ] {
            let problem = read(wrong).unwrap_err();
            assert!(problem.starts_with(expected) && !problem.contains("hush"), "{wrong}: {problem}");
        }
    }
}

//! `Prefer` (RFC 7240): how long a caller wants to wait.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The preferences that the service knows; others are ignored, as RFC 7240 §2 demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// `wait=N`: the longest time that the caller wants to wait.
    pub wait: Option<Duration>,
    /// `respond-async`: the caller does not want to wait at all.
    pub respond_async: bool,
}

impl Preferences {
    /// Reads every `Prefer` header.
    pub fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let mut preferences = Self { wait: None, respond_async: false };
        // Parameters follow a semicolon; these preferences have none.
        let names = values.flat_map(|value| value.split(',')).filter_map(|text| text.split(';').next());
        for preference in names.map(|text| text.trim().to_ascii_lowercase()) {
            match preference.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))) {
                None if preference == "respond-async" => preferences.respond_async = true,
                // Of a preference that is given twice, the first counts (RFC 7240 §2).
                Some(("wait", seconds)) if preferences.wait.is_none() => {
                    preferences.wait = seconds.parse().ok().map(Duration::from_secs);
                }
                _ => {}
            }
        }
        preferences
    }

    /// How long to wait, given the service's own deadline, which can only be shortened.
    pub fn deadline(self, own: Duration) -> Duration {
        if self.respond_async { Duration::ZERO } else { self.wait.map_or(own, |wait| wait.min(own)) }
    }

    /// `Preference-Applied` (RFC 7240 §3), for an answer that came early because of the preferences.
    pub fn applied(self, own: Duration) -> Option<(HeaderName, HeaderValue)> {
        let value = match (self.respond_async, self.wait) {
            (true, _) => HeaderValue::from_static("respond-async"),
            (false, Some(wait)) if wait > own => return None,
            (false, Some(wait)) => HeaderValue::from_str(&format!("wait={}", wait.as_secs())).ok()?,
            (false, None) => return None,
        };
        Some((HeaderName::from_static("preference-applied"), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_read_and_nonsense_is_ignored() {
        const OWN: Duration = Duration::from_secs(50);
        for (text, seconds) in [
            ("wait=5", 5),
            ("wait=500", 50),
            ("respond-async, wait=10", 0),
            ("wait=5, wait=7; foo=1, bar; wait=9", 5),
            ("wait=soon, foo", 50),
        ] {
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static("prefer"), HeaderValue::from_str(text).unwrap())]);
            assert_eq!(Preferences::of(&headers).deadline(OWN), Duration::from_secs(seconds), "{text}");
        }
    }
}

//! The forms of durations, sizes, numbers, URLs and names in the settings. Pure: text to value, `None` if it has another form.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;
use url::Url;

pub const DURATION: &str = "a duration such as \"30s\" (ms, s, m, h, d)";
pub const SIZE: &str = "a size such as \"1MiB\" (B, KiB, MiB)";
pub const URL: &str = "a URL such as https://host/path, without user, query or fragment";

/// A whole number and its unit.
fn with_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit))
}

/// A text that is not blank.
pub fn text(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = with_unit(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(milliseconds)?))
}

pub fn size(text: &str) -> Option<usize> {
    let (number, unit) = with_unit(text)?;
    let bytes = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    usize::try_from(number.checked_mul(bytes)?).ok().filter(|size| *size > 0)
}

pub fn number(text: &str, range: RangeInclusive<f64>) -> Option<f64> {
    text.parse().ok().filter(|number| range.contains(number))
}

pub fn url(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain).then_some(url)
}

/// An origin as browsers send it (RFC 6454 §6.1): scheme, host, and the port unless it is the usual one.
pub fn origin(text: &str) -> Option<HeaderValue> {
    let url = url(text)?;
    (url.origin().ascii_serialization() == text).then(|| HeaderValue::from_str(text).ok())?
}

pub const FILE: &str = "the path of a file in PEM";

/// A file's path; refuses a file's content, which may be a key.
pub fn file(text: &str) -> Option<PathBuf> {
    (!text.trim().is_empty() && !text.contains('\n') && !text.contains("-----BEGIN")).then(|| PathBuf::from(text))
}

/// One address, or a network (RFC 4632).
pub fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| IpNet::from(address)))
}

/// A host's name; one that begins with a dot means all names below it.
pub fn host_pattern(text: &str) -> Option<String> {
    let name = text.strip_prefix('.').unwrap_or(text);
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    name.split('.').all(is_label).then(|| text.to_ascii_lowercase())
}

/// The path of a `sqlite:` URL. A ledger in memory would not outlast the process, and parameters are not supported.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    (!path.is_empty() && !path.starts_with(':') && !path.contains('?')).then(|| PathBuf::from(path))
}

/// A JSON pointer (RFC 6901) to a member: `~` occurs only in `~0` and `~1`.
pub fn json_pointer(text: &str) -> Option<String> {
    let escapes = text.matches('~').count() == text.matches("~0").count() + text.matches("~1").count();
    (text.len() > 1 && text.starts_with('/') && escapes).then(|| text.to_owned())
}

/// The same, or the empty pointer to the whole document.
pub fn json_pointer_or_whole(text: &str) -> Option<String> {
    if text.is_empty() { Some(String::new()) } else { json_pointer(text) }
}

/// A scope token (RFC 6749 §3.3).
pub fn scope(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
    (!text.is_empty() && text.chars().all(allowed)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_with_their_units() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Some(Duration::from_mins(2)));
        assert_eq!(duration("400d"), Some(Duration::from_hours(400 * 24)));
        assert_eq!(size("1MiB"), Some(1_048_576));
        for nonsense in ["", "30", "s", "1.5s", "-1s", "30 s", "99999999999999999999d", "18446744073709551615d"] {
            assert_eq!(duration(nonsense), None, "{nonsense}");
        }
        for nonsense in ["0B", "1MB", "1", "MiB"] {
            assert_eq!(size(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_url_with_a_password_or_another_scheme_is_refused() {
        assert!(url("https://vms.example/api").is_some());
        for nonsense in ["vms.example", "ftp://vms.example", "https://u:p@vms.example", "https://vms.example/?q=1"] {
            assert_eq!(url(nonsense), None, "{nonsense}");
        }
    }
}

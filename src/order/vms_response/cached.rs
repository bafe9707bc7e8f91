//! Whether an answer is a stored one: a cache may have it from before the order was sent, so it proves no absence.

use super::VmsResponse;

/// Headers with which caches say that they answer themselves: RFC 9111 §5, RFC 9211, and what CDNs agree on.
pub const CACHE_HEADERS: [&str; 5] = ["age", "warning", "cache-status", "x-cache", "cf-cache-status"];

/// Codes of `Warning` for an answer that is stale, or may be: not validated, offline, of a guessed lifetime (RFC 7234 §5.5).
const STALE_CODES: [&str; 4] = ["110", "111", "112", "113"];

/// Words of caches for an answer that they had.
const STORED_WORDS: [&str; 3] = ["hit", "stale", "updating"];

/// The header that says that the answer is a stored one.
pub fn stored_by(response: &VmsResponse) -> Option<&str> {
    let mut headers = response.list_headers.iter();
    headers.find(|(name, value)| says_stored(name, value)).map(|(name, _)| name.as_str())
}

fn says_stored(name: &str, value: &str) -> bool {
    match name {
        // What is no number is no zero either.
        "age" => value.split(',').any(|age| age.trim().parse() != Ok(0_u64)),
        "warning" => has_stale_code(value),
        "cache-status" => value.split([';', ',']).any(|parameter| parameter.trim().eq_ignore_ascii_case("hit")),
        "x-cache" | "cf-cache-status" => {
            let mut words = value.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| STORED_WORDS.iter().any(|stored| word.eq_ignore_ascii_case(stored)))
        }
        _ => false,
    }
}

/// Whether one of several warnings has such a code. What is in quotation marks is for people.
fn has_stale_code(value: &str) -> bool {
    let outside = value.split('"').step_by(2);
    outside.flat_map(|text| text.split([',', ' '])).any(|word| STALE_CODES.contains(&word.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_say_in_many_ways_that_an_answer_is_a_stored_one() {
        for (name, value, expected) in [
            ("age", "1", true),
            ("age", "3600", true),
            ("age", "0, 7", true),
            ("age", "old", true),
            ("age", "99999999999999999999", true),
            ("age", "0", false),
            ("age", " 0 ", false),
            ("warning", "110 - \"Response is Stale\"", true),
            ("warning", "111 cache.example \"Revalidation Failed\"", true),
            ("warning", "199 - \"a, b\", 110 - \"stale\"", true),
            ("warning", "110", true),
            ("warning", "199 - \"error 110 of a disk\"", false),
            ("warning", "214 - \"Transformation Applied\"", false),
            ("cache-status", "OriginCache; hit; ttl=1100", true),
            ("cache-status", "OriginCache; fwd=miss, CDN; HIT", true),
            ("cache-status", "OriginCache; fwd=uri-miss; stored", false),
            ("x-cache", "HIT", true),
            ("x-cache", "Hit from cloudfront", true),
            ("x-cache", "MISS, HIT", true),
            ("x-cache", "TCP_HIT from proxy", true),
            ("x-cache", "MISS", false),
            ("x-cache", "RefreshHit from cloudfront", false),
            ("cf-cache-status", "STALE", true),
            ("cf-cache-status", "DYNAMIC", false),
            ("link", "</hit>; rel=\"hit\"", false),
        ] {
            assert_eq!(says_stored(name, value), expected, "{name}: {value}");
        }
    }
}

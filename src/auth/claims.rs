//! The claims of a token (RFC 7519 §4, RFC 9068 §2.2, RFC 7662 §2.2), read in the forms in which SAP's and others'
//! servers write them. Judges nothing.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::AuthError;
use super::thumbprint::Thumbprint;

/// What a token is bound to (RFC 7800, `cnf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// Nothing: it is valid for any bearer.
    None,
    /// A client certificate (RFC 8705 §3.1).
    Certificate(Thumbprint),
    /// Something that can't be checked here, such as a DPoP key (RFC 9449 §7.2: never accepted as a bearer token).
    Other,
}

/// The claims of one token. Of a name that occurs twice, the last counts (RFC 7519 §4).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim in any form. `null` is absent: Hydra and others write out members that they do not have.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether a claim is present.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether a claim is absent or an empty list.
    pub fn is_absent_or_empty(&self, name: &str) -> bool {
        self.get(name).is_none_or(|value| value.as_array().is_some_and(Vec::is_empty))
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A claim that is one text or a list of texts.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.get(name) {
            Some(Value::String(text)) => vec![text],
            _ => self.list(name),
        }
    }

    /// The texts in a claim that is a list.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let list = self.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The claim of a name, or the value at a JSON pointer (RFC 6901): Keycloak has its roles at `/realm_access/roles`.
    pub fn at(&self, place: &str) -> Option<&Value> {
        let Some(pointer) = place.strip_prefix('/') else { return self.get(place) };
        let (first, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
        let first = self.get(&first.replace("~1", "/").replace("~0", "~"))?;
        first.pointer(rest).filter(|value| !value.is_null())
    }

    /// The scopes at a place: one text in RFC 9068, a list in XSUAA's tokens.
    pub fn scopes(&self, place: &str) -> Vec<&str> {
        match self.at(place) {
            Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The client that the token was issued to: `appid` in tokens of Entra ID's first version and of AD FS. Not `sub`: a user
    /// could have a client's name (RFC 9068 §5).
    pub fn client_id(&self) -> Option<&str> {
        let named = ["client_id", "azp", "cid", "appid"].iter().filter_map(|name| self.text(name));
        named.into_iter().find(|client| !client.is_empty())
    }

    /// What the token is bound to.
    pub fn binding(&self) -> Binding {
        let Some(confirmation) = self.get("cnf") else { return Binding::None };
        let thumbprint = confirmation.get("x5t#S256").and_then(Value::as_str).and_then(Thumbprint::parse);
        // A token that is bound in two ways needs both proofs.
        let only_one = confirmation.as_object().is_some_and(|members| members.len() == 1);
        thumbprint.filter(|_| only_one).map_or(Binding::Other, Binding::Certificate)
    }

    /// A claim that is a NumericDate (RFC 7519 §2), which may have a fraction. A time beyond the year 9999, such as the largest
    /// whole number, is the farthest that there is.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if it is present and no such time, or one beyond 64 bits.
    pub fn numeric_date(&self, name: &str) -> Result<Option<Timestamp>, AuthError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let time = match (value.as_i64(), value.as_f64()) {
            (Some(seconds), _) => Some(from_second(seconds)),
            (None, Some(seconds)) => from_fraction(seconds),
            (None, None) => None,
        };
        time.map(Some).ok_or(AuthError::Invalid("one of the token's times (exp, nbf, iat) can't be read"))
    }
}

/// The time of a number of seconds, at most the farthest that there is on its side.
fn from_second(seconds: i64) -> Timestamp {
    let farthest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(seconds).unwrap_or(farthest)
}

/// `None` for a number that has no place in 64 bits: that is no time, but a mistake.
fn from_fraction(seconds: f64) -> Option<Timestamp> {
    /// 2⁶³, as which a reader of fractions takes the largest whole number.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if seconds.abs() > LIMIT {
        return None;
    }
    let farthest = if seconds < 0.0 { Timestamp::MIN } else { Timestamp::MAX };
    let exact = SignedDuration::try_from_secs_f64(seconds).ok().and_then(|since| Timestamp::from_duration(since).ok());
    Some(exact.unwrap_or(farthest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Claims {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn far_is_far_and_what_has_no_place_in_64_bits_is_no_time() {
        let time = |number: &str| claims(&format!("{{\"exp\":{number}}}")).numeric_date("exp");
        let far = [
            "253402300799",
            "253402300799.9",
            "253402300799999",
            "9223372036854775807",
            "9223372036854775807.0",
            "9.223372036854775807e18",
            "9223372036854775808",
            "1e18",
        ];
        for number in far {
            assert_eq!(time(number), Ok(Some(Timestamp::MAX)), "{number}");
        }
        for number in ["-9223372036854775808", "-1e18", "-9.3e17"] {
            assert_eq!(time(number), Ok(Some(Timestamp::MIN)), "{number}");
        }
        for number in ["18446744073709551615", "1e19", "1e300", "-1e19", "\"1\"", "true", "[]", "{}"] {
            assert!(time(number).is_err(), "{number}");
        }
        assert_eq!(time("1.5"), Ok(Some(Timestamp::from_millisecond(1500).unwrap())));
        assert_eq!((time("null"), time("0")), (Ok(None), Ok(Some(Timestamp::UNIX_EPOCH))));
    }

    #[test]
    fn null_is_absent_whatever_the_claim() {
        let claims =
            claims(r#"{"aud":null,"scope":null,"client_id":null,"azp":"","cid":"x","cnf":null,"a":{"b":null}}"#);
        assert!(!claims.has("aud") && claims.is_absent_or_empty("aud") && claims.texts("aud").is_empty());
        assert_eq!((claims.client_id(), claims.binding()), (Some("x"), Binding::None));
        assert_eq!((claims.at("/a/b"), claims.at("/aud"), claims.scopes("scope").len()), (None, None, 0));
    }

    #[test]
    fn scopes_are_found_by_name_or_by_pointer_as_a_text_or_as_a_list() {
        let claims = claims(
            r#"{"scope":"a b","realm_access":{"roles":["c","d",7]},"https://x/y":"e","a/b":{"~":"f"},"list":[["g"]]}"#,
        );
        for (place, scopes) in [
            ("scope", vec!["a", "b"]),
            ("/scope", vec!["a", "b"]),
            ("/realm_access/roles", vec!["c", "d"]),
            ("/realm_access/roles/1", vec!["d"]),
            ("https://x/y", vec!["e"]),
            ("/a~1b/~0", vec!["f"]),
            ("/list/0", vec!["g"]),
            ("/list", vec![]),
            ("realm_access", vec![]),
            ("/nothing/there", vec![]),
            ("/", vec![]),
        ] {
            assert_eq!(claims.scopes(place), scopes, "{place}");
        }
    }
}

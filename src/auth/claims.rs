//! What a token says (RFC 7519 §4, RFC 9068 §2.2, RFC 7662 §2.2), in the shapes in which SAP's and others' servers say
//! it, and whether it is accepted.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{AuthError, Thumbprint, audience};
use crate::clock::after;
use crate::config::Auth;

/// Where claims come from decides which of them have to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From a signed token: `iss`, `aud` and `exp` are required (RFC 9068 §2.2).
    Jwt,
    /// From the introspection endpoint, which has judged the token for us (RFC 7662 §4): what it tells is checked.
    Introspection,
}

/// To what a token is bound (RFC 7800, `cnf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// To nothing: whoever bears it may use it.
    None,
    /// To a client certificate (RFC 8705 §3.1).
    Certificate(Thumbprint),
    /// To something that can't be checked here, such as a DPoP key (RFC 9449 §7.2: never taken as a bearer token).
    Other,
}

/// The claims of one token. Of a name that stands twice, the last counts (RFC 7519 §4).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Whether a claim is there, whatever it says.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A claim that is one text or a list of texts.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text],
            _ => self.list(name),
        }
    }

    /// The texts in a claim that is a list.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether a claim is not there, or there and empty.
    pub fn lists_nothing(&self, name: &str) -> bool {
        self.0.get(name).is_none_or(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty))
    }

    /// RFC 9068 writes scopes as one text, XSUAA as a list.
    pub fn scopes(&self, claim: &str) -> Vec<&str> {
        match self.0.get(claim) {
            Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
            _ => self.list(claim),
        }
    }

    /// The client that the token was issued to. Not `sub`: a user could have a client's name (RFC 9068 §5).
    pub fn client_id(&self) -> Option<&str> {
        ["client_id", "azp", "cid"].iter().find_map(|name| self.text(name))
    }

    /// To what the token is bound.
    pub fn binding(&self) -> Binding {
        let Some(confirmation) = self.0.get("cnf").filter(|confirmation| !confirmation.is_null()) else {
            return Binding::None;
        };
        let thumbprint = confirmation.get("x5t#S256").and_then(Value::as_str).and_then(Thumbprint::parse);
        // Bound in two ways, it would have to be proved in both.
        let alone = confirmation.as_object().is_some_and(|members| members.len() == 1);
        thumbprint.filter(|_| alone).map_or(Binding::Other, Binding::Certificate)
    }

    /// Judges the claims; returns when the token stops being good, all allowances included.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] for the first thing that is wrong.
    pub fn accept(&self, origin: Origin, settings: &Auth, now: Timestamp) -> Result<Timestamp, AuthError> {
        match (self.0.get("iss"), origin) {
            (None, Origin::Introspection) => {}
            (None, Origin::Jwt) => return Err(AuthError::Invalid("the token lacks the claim iss")),
            (Some(Value::String(issuer)), _) if *issuer == settings.issuer => {}
            (Some(_), _) => return Err(AuthError::Invalid("the token is from another issuer")),
        }
        match (self.0.get("aud"), origin) {
            (None, Origin::Introspection) => {}
            _ if audience::fits(self, settings) => {}
            (None, Origin::Jwt) => return Err(AuthError::Invalid("the token lacks the claim aud")),
            (Some(_), _) => return Err(AuthError::Invalid("the token is for another audience")),
        }
        self.is_for_access(settings)?;
        self.in_time(origin, settings, now)
    }

    /// When it stops being good.
    fn in_time(&self, origin: Origin, settings: &Auth, now: Timestamp) -> Result<Timestamp, AuthError> {
        let latest = after(now, settings.leeway);
        if self.moment("nbf")?.is_some_and(|begin| begin > latest) {
            return Err(AuthError::Invalid("the token is not valid yet"));
        }
        if self.moment("iat")?.is_some_and(|issued| issued > latest) {
            return Err(AuthError::Invalid("the token was issued in the future"));
        }
        let expires_at = match (self.moment("exp")?, origin) {
            (Some(moment), _) => after(moment, settings.leeway),
            (None, Origin::Introspection) => Timestamp::MAX,
            (None, Origin::Jwt) => return Err(AuthError::Invalid("the token lacks the claim exp")),
        };
        if now < expires_at { Ok(expires_at) } else { Err(AuthError::Invalid("the token has expired")) }
    }

    /// An ID token (OpenID Connect Core §2, §3.3.2.11), a logout token or another event (RFC 8417) speaks of somebody; it
    /// lets nobody in (RFC 9068 §4, RFC 8725 §2.8).
    fn is_for_access(&self, settings: &Auth) -> Result<(), AuthError> {
        // An access token may carry the nonce of the login that it came from, but then it has scopes.
        let of_a_login = self.has("nonce") && !self.has("scope") && !self.has(&settings.scopes.claim);
        // Keycloak's `typ`, Cognito's and Hydra's `token_use`, and `token_type` of an introspection say which token it is:
        // refresh tokens are active, too.
        let known: [(&str, &[&str]); 3] = [
            ("typ", &["bearer"]),
            ("token_use", &["access", "access_token"]),
            ("token_type", &["bearer", "access_token"]),
        ];
        let other = known.iter().any(|(name, names)| {
            self.text(name).is_some_and(|said| !names.iter().any(|name| said.eq_ignore_ascii_case(name)))
        });
        let betrays = ["at_hash", "c_hash", "s_hash", "events"].into_iter().any(|name| self.has(name));
        if of_a_login || other || betrays {
            return Err(AuthError::Invalid("the token is no access token"));
        }
        Ok(())
    }

    /// NumericDate (RFC 7519 §2), which may have a fraction.
    fn moment(&self, name: &str) -> Result<Option<Timestamp>, AuthError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let moment = match (value.as_i64(), value.as_f64()) {
            (Some(seconds), _) => Timestamp::from_second(seconds).ok(),
            (None, Some(seconds)) => {
                SignedDuration::try_from_secs_f64(seconds).ok().and_then(|since| Timestamp::from_duration(since).ok())
            }
            (None, None) => None,
        };
        moment.map(Some).ok_or(AuthError::Invalid("one of the token's times (exp, nbf, iat) can't be read"))
    }
}

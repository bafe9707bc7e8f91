//! `[auth.introspection]` (RFC 7662): the issuer decides about each token that is no JWT, or about all.

use std::time::Duration;

use url::Url;

use super::issuer_section::IssuerSection;
use crate::config::oauth2_client::{AuthMethod, ClientKeys, Credentials};
use crate::config::reader::Reader;
use crate::config::units;

/// `[auth.introspection]` (RFC 7662).
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The introspection endpoint.
    pub url: Url,
    /// The service's own `client_id` there.
    pub client_id: String,
    /// How that client authenticates.
    pub credentials: Credentials,
    /// How long an active token is remembered at most.
    pub cache: Duration,
    /// How long an inactive token is remembered.
    pub negative_cache: Duration,
    /// Requests to the issuer at the same time.
    pub max_concurrency: usize,
    /// Whether an answer has to contain `aud`.
    pub audience: AudienceClaim,
    /// Whether the issuer is asked about JWTs too.
    pub jwt: JwtCheck,
}

/// Who decides about a JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtCheck {
    /// The service, by the issuer's keys: a revoked token is good until it expires.
    Local,
    /// The service, and then the issuer, which knows what was revoked.
    Introspect,
}

/// Whether an introspection answer has to contain `aud`. RFC 7662 §4 lets the issuer judge the audience itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceClaim {
    /// `aud` is checked where it is present; where it is absent, the issuer has judged.
    Optional,
    /// A token without `aud` is refused.
    Required,
}

impl Introspection {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader, keys: IssuerSection) -> Option<Option<Self>> {
        if !reader.has_section(&keys.of("auth.introspection")) {
            return Some(None);
        }
        let url = reader.required(&keys.of("auth.introspection.url"), units::URL, units::url);
        let client_id =
            reader.required_text(&keys.of("auth.introspection.client_id"), "the id by which the service asks");
        let client = ClientKeys::of(&keys.of("auth.introspection"));
        let method = AuthMethod::from_reader(reader, &client);
        let credentials = method.and_then(|method| Credentials::from_reader(reader, &client, method, url.as_ref()));
        reader.refuse_unread(&client.conditional(), &format!("not used with this {}; leave it out", client.auth));
        let cache = reader.duration(&keys.of("auth.introspection.cache"), "1m");
        let negative_cache = reader.duration(&keys.of("auth.introspection.negative_cache"), "10s");
        let max_concurrency = reader.count(&keys.of("auth.introspection.max_concurrency"), "32");
        let audience = reader.choice(
            &keys.of("auth.introspection.audience"),
            "optional",
            &[("optional", AudienceClaim::Optional), ("required", AudienceClaim::Required)],
        );
        let jwt = reader.choice(
            &keys.of("auth.introspection.jwt"),
            "local",
            &[("local", JwtCheck::Local), ("introspect", JwtCheck::Introspect)],
        );
        Some(Some(Self {
            url: url?,
            client_id: client_id?,
            credentials: credentials?,
            cache: cache?,
            negative_cache: negative_cache?,
            max_concurrency: max_concurrency?,
            audience: audience?,
            jwt: jwt?,
        }))
    }
}

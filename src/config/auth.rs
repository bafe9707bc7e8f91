//! `[auth]`: the tokens that are accepted; and `[[auth.issuers]]`, the same of further issuers.

mod introspection;
mod issuer_section;
mod permissions;

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use url::Url;

use super::algorithm::{ALGORITHMS, asymmetric_algorithm};
use super::outbound::ForwardProxy;
use super::reader::Reader;
use super::units;
pub use introspection::{AudienceClaim, Introspection, JwtCheck};
use issuer_section::{FURTHER, IssuerSection};
pub use permissions::{Clients, Scopes};

const SECTION: &str = "auth";

/// Most issuers in `[[auth.issuers]]`: each has connections and keys of its own, and a token's `iss` is compared with each.
const MAX_FURTHER: usize = 32;

/// `[auth]`: the tokens that are accepted of one issuer.
#[derive(Debug, Clone)]
pub struct Auth {
    /// `iss`, to the letter.
    pub issuer: String,
    /// `aud` contains one of these.
    pub audience: Vec<String>,
    /// How `aud` is compared.
    pub audience_rule: AudienceRule,
    /// The URL of the keys; discovered if absent.
    pub jwks_url: Option<Url>,
    /// JWS algorithms, asymmetric ones only.
    pub algorithms: Vec<Algorithm>,
    /// Allowance for clocks that differ.
    pub leeway: Duration,
    /// For one whole request to the issuer.
    pub timeout: Duration,
    /// Certificates in PEM that may sign the issuer's, in addition to those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The proxy between the service and the issuer.
    pub forward_proxy: ForwardProxy,
    /// Longest token that is read, in bytes.
    pub max_token: usize,
    /// Verified tokens that are remembered.
    pub remembered_tokens: usize,
    /// When keys are fetched.
    pub jwks: JwksTimes,
    /// The name of each scope.
    pub scopes: Scopes,
    /// Clients with a permission but no scope.
    pub clients: Clients,
    /// `[auth.introspection]`, for tokens that are no JWTs.
    pub introspection: Option<Introspection>,
    /// The address of this service for its callers, without its path (RFC 9728 §2).
    pub resource: Option<Url>,
    /// `[[auth.issuers]]`; empty in each of those.
    pub further: Vec<Self>,
}

/// How the claim `aud` is compared with the expected audiences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceRule {
    /// RFC 7519 §4.1.3: it contains one of them.
    Listed,
    /// For XSUAA's tokens: an audience counts up to its first dot, and without `aud`, the scopes name it.
    Xsuaa,
    /// For issuers without `aud`: the token's client has to be one of `auth.clients`.
    Client,
}

/// When the issuer's keys are fetched.
#[derive(Debug, Clone, Copy)]
pub struct JwksTimes {
    /// From the end of a fetch to the next.
    pub cool_down: Duration,
    /// Keys older than this are fetched anew while they are used.
    pub refresh: Duration,
    /// Keys that could not be refreshed for this long are no longer trusted.
    pub max_age: Duration,
}

impl Auth {
    /// Reads the section and those inside of it.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let first = Self::read(reader, IssuerSection::First);
        let resource = reader.optional("auth.resource", units::URL, units::url);
        let further = Self::read_further(reader);
        let auth = Self { resource: resource?, further: further?, ..first? };
        auth.report_duplicates(reader);
        Some(auth)
    }

    /// Every issuer: this one, and the further ones.
    pub fn issuers(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.further)
    }

    /// The same, each with the section that it is in.
    pub fn sections(&self) -> impl Iterator<Item = (String, &Self)> {
        let keys = std::iter::once(IssuerSection::First).chain((1..).map(IssuerSection::Further));
        keys.map(|keys| keys.of(SECTION)).zip(self.issuers())
    }

    fn read_further(reader: &mut Reader) -> Option<Vec<Self>> {
        let numbers =
            reader.numbered_sections(FURTHER, "further issuers, each with the keys of [auth]", MAX_FURTHER)?;
        // All are read, so that every mistake is told.
        let read: Vec<Option<Self>> =
            numbers.into_iter().map(|number| Self::read(reader, IssuerSection::Further(number))).collect();
        read.into_iter().collect()
    }

    /// Of two issuers with one name, a token could choose only the first.
    fn report_duplicates(&self, reader: &mut Reader) {
        for (at, further) in self.further.iter().enumerate() {
            if self.issuers().take(at + 1).any(|other| other.issuer == further.issuer) {
                let key = IssuerSection::Further(at + 1).of("auth.issuer");
                reader.report(&key, "expected an issuer that no other section has");
            }
        }
    }

    fn read(reader: &mut Reader, keys: IssuerSection) -> Option<Self> {
        let issuer = issuer(reader, keys);
        let (audience_rule, audience) = audience(reader, keys);
        let jwks_url = reader.optional(&keys.of("auth.jwks_url"), units::URL, units::url);
        let usual = ["RS256", "PS256", "ES256", "EdDSA"];
        let expected = format!("{ALGORITHMS} (never a symmetric one)");
        let algorithms = reader.non_empty_list(&keys.of("auth.algorithms"), &usual, &expected, asymmetric_algorithm);
        let leeway = reader.duration(&keys.of("auth.leeway"), "30s");
        let timeout = reader.positive_duration(&keys.of("auth.timeout"), "5s");
        let ca = reader.trusted_file(&keys.of("auth.ca"));
        let forward_proxy = ForwardProxy::from_reader(reader);
        let max_token = reader.value_or(&keys.of("auth.max_token"), "16KiB", units::SIZE, units::size);
        let remembered_tokens = reader.count(&keys.of("auth.remembered_tokens"), "10000");
        let jwks = JwksTimes::from_reader(reader, keys);
        let (scopes, clients) = (Scopes::from_reader(reader, keys), Clients::from_reader(reader, keys));
        let introspection = Introspection::from_reader(reader, keys);
        if audience_rule == Some(AudienceRule::Client) && clients.as_ref().is_some_and(Clients::is_empty) {
            let key = keys.of("auth.clients.write");
            reader.report(&key, "expected the clients whose tokens are accepted, with the audience_rule \"client\"");
        }
        Some(Self {
            issuer: issuer?,
            audience: audience?,
            audience_rule: audience_rule?,
            jwks_url: jwks_url?,
            algorithms: algorithms?,
            leeway: leeway?,
            timeout: timeout?,
            ca: ca?,
            forward_proxy: forward_proxy?,
            max_token: max_token?,
            remembered_tokens: remembered_tokens?,
            jwks: jwks?,
            scopes: scopes?,
            clients: clients?,
            introspection: introspection?,
            resource: None,
            further: Vec::new(),
        })
    }
}

/// The issuer's identifier; a URL unless `auth.jwks_url` is set, as its metadata is discovered there.
fn issuer(reader: &mut Reader, keys: IssuerSection) -> Option<String> {
    let has_keys = reader.is_set(&keys.of("auth.jwks_url"));
    let expected = if has_keys {
        "the issuer as it stands in `iss`".to_owned()
    } else {
        format!("the issuer's URL, or {} beside it", keys.of("auth.jwks_url"))
    };
    let is_usable = |text: &String| has_keys || units::url(text).is_some();
    reader.required(&keys.of("auth.issuer"), &expected, |text| units::text(text).filter(is_usable))
}

/// The rule, and the audiences that it needs: the rule `client` has none.
fn audience(reader: &mut Reader, keys: IssuerSection) -> (Option<AudienceRule>, Option<Vec<String>>) {
    const EXPECTED: &str = "the audience, or a list of them";
    let rules = [("listed", AudienceRule::Listed), ("xsuaa", AudienceRule::Xsuaa), ("client", AudienceRule::Client)];
    let rule = reader.choice(&keys.of("auth.audience_rule"), "listed", &rules);
    let key = keys.of("auth.audience");
    let audience = if rule == Some(AudienceRule::Client) {
        reader.list(&key, &[], EXPECTED, units::text)
    } else {
        reader.required_list(&key, EXPECTED)
    };
    (rule, audience)
}

impl JwksTimes {
    fn from_reader(reader: &mut Reader, keys: IssuerSection) -> Option<Self> {
        let cool_down = reader.positive_duration(&keys.of("auth.jwks_cool_down"), "10s");
        let refresh = reader.positive_duration(&keys.of("auth.jwks_refresh"), "10m");
        let max_age = reader.positive_duration(&keys.of("auth.jwks_max_age"), "24h");
        if refresh.zip(max_age).is_some_and(|(refresh, max_age)| refresh >= max_age) {
            let text = format!("expected more than {}", keys.of("auth.jwks_refresh"));
            reader.report(&keys.of("auth.jwks_max_age"), &text);
        }
        Some(Self { cool_down: cool_down?, refresh: refresh?, max_age: max_age? })
    }
}

#[cfg(test)]
mod tests;

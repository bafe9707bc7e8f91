//! `[auth]`: the tokens that are accepted.

mod introspection;
mod permissions;

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use url::Url;

use super::outbound::ForwardProxy;
use super::reader::Reader;
use super::units;
pub use introspection::{AudienceClaim, Introspection};
pub use permissions::{Clients, Scopes};

/// `[auth]`: the tokens that are accepted.
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
}

/// How the claim `aud` is compared with the expected audiences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceRule {
    /// RFC 7519 §4.1.3: it contains one of them.
    Listed,
    /// For XSUAA's tokens: an audience counts up to its first dot, and without `aud`, the scopes name it.
    Xsuaa,
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

const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA (never a symmetric one)";

impl Auth {
    /// Reads the section and those inside of it.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let issuer = issuer(reader);
        let audience = reader.required_list("auth.audience", "the audience, or a list of them");
        let audience_rule = reader.choice(
            "auth.audience_rule",
            "listed",
            &[("listed", AudienceRule::Listed), ("xsuaa", AudienceRule::Xsuaa)],
        );
        let jwks_url = reader.optional("auth.jwks_url", units::URL, units::url);
        let usual = ["RS256", "PS256", "ES256", "EdDSA"];
        let algorithms = reader.non_empty_list("auth.algorithms", &usual, ALGORITHMS, asymmetric_algorithm);
        let leeway = reader.duration("auth.leeway", "30s");
        let timeout = reader.positive_duration("auth.timeout", "5s");
        let ca = reader.trusted_file("auth.ca");
        let forward_proxy = ForwardProxy::from_reader(reader);
        let max_token = reader.value_or("auth.max_token", "16KiB", units::SIZE, units::size);
        let remembered_tokens = reader.count("auth.remembered_tokens", "10000");
        let jwks = JwksTimes::from_reader(reader);
        let (scopes, clients) = (Scopes::from_reader(reader), Clients::from_reader(reader));
        let introspection = Introspection::from_reader(reader);
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
        })
    }
}

/// The issuer's identifier; a URL unless `auth.jwks_url` is set, as its metadata is discovered there.
fn issuer(reader: &mut Reader) -> Option<String> {
    let has_keys = reader.is_set("auth.jwks_url");
    let expected =
        if has_keys { "the issuer as it stands in `iss`" } else { "the issuer's URL, or auth.jwks_url beside it" };
    let is_usable = |text: &String| has_keys || units::url(text).is_some();
    reader.required("auth.issuer", expected, |text| units::text(text).filter(is_usable))
}

fn asymmetric_algorithm(name: &str) -> Option<Algorithm> {
    let algorithm: Algorithm = name.parse().ok()?;
    let symmetric = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    (!symmetric).then_some(algorithm)
}

impl JwksTimes {
    fn from_reader(reader: &mut Reader) -> Option<Self> {
        let cool_down = reader.positive_duration("auth.jwks_cool_down", "10s");
        let refresh = reader.positive_duration("auth.jwks_refresh", "10m");
        let max_age = reader.positive_duration("auth.jwks_max_age", "24h");
        if refresh.zip(max_age).is_some_and(|(refresh, max_age)| refresh >= max_age) {
            reader.report("auth.jwks_max_age", "expected more than auth.jwks_refresh");
        }
        Some(Self { cool_down: cool_down?, refresh: refresh?, max_age: max_age? })
    }
}

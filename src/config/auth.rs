//! `[auth]`: whose tokens are accepted, and what they permit.

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use url::Url;

use super::reader::Reader;
use super::{ClientAuth, Secret, units};

/// `[auth]`: whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct Auth {
    /// `iss`, to the letter.
    pub issuer: String,
    /// `aud` holds one of these.
    pub audience: Vec<String>,
    /// How `aud` is compared.
    pub audience_rule: AudienceRule,
    /// Where the keys are; discovered if absent.
    pub jwks_url: Option<Url>,
    /// JWS algorithms, asymmetric ones only.
    pub algorithms: Vec<Algorithm>,
    /// Allowance for clocks that differ.
    pub leeway: Duration,
    /// For one whole request to the issuer.
    pub timeout: Duration,
    /// Certificates in PEM that the issuer's may be signed by, beside those of the system.
    pub ca: Option<PathBuf>,
    /// Longest token that is looked at, in bytes.
    pub max_token: usize,
    /// Tokens whose verification is remembered.
    pub remembered_tokens: usize,
    /// When keys are fetched.
    pub jwks: JwksTimes,
    /// What each scope is called.
    pub scopes: Scopes,
    /// Who may do what without a scope.
    pub clients: Clients,
    /// `[auth.introspection]`, for tokens that are no JWTs.
    pub introspection: Option<Introspection>,
}

/// How the claim `aud` is compared with the audiences that are expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceRule {
    /// RFC 7519 §4.1.3: one of them stands in it.
    Listed,
    /// As XSUAA's tokens want it: an audience counts up to its first dot, and without any, the scopes name it.
    Xsuaa,
}

/// When the issuer's keys are fetched.
#[derive(Debug, Clone, Copy)]
pub struct JwksTimes {
    /// From the end of a fetch to the next.
    pub cool_down: Duration,
    /// Keys older than this are fetched anew while they are used.
    pub refresh: Duration,
    /// Keys that could not be refreshed for so long are trusted no more.
    pub max_age: Duration,
}

/// Names of the scopes.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// The claim that holds them.
    pub claim: String,
    /// Needed to bring carts.
    pub write: String,
    /// Needed to read orders.
    pub read: String,
    /// Needed to settle orders by hand.
    pub operate: String,
}

/// Clients that may do something without the scope, for issuers whose tokens have none (IAS).
#[derive(Debug, Clone)]
pub struct Clients {
    /// Those that may bring carts.
    pub write: Vec<String>,
    /// Those that may read orders.
    pub read: Vec<String>,
    /// Those that may settle orders by hand.
    pub operate: Vec<String>,
}

/// `[auth.introspection]` (RFC 7662).
#[derive(Debug, Clone)]
pub struct Introspection {
    /// The introspection endpoint.
    pub url: Url,
    /// As whom the service asks.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// How both are sent.
    pub auth: ClientAuth,
    /// How long an answer is remembered at most.
    pub cache: Duration,
    /// How long it is remembered that a token is not good.
    pub negative_cache: Duration,
    /// Questions to the issuer at the same time.
    pub max_concurrency: usize,
    /// Whether it has to say for whom a token is.
    pub audience: AudienceTold,
}

/// Whether the issuer has to say for whom a token is. RFC 7662 leaves it free to judge that alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceTold {
    /// What it says is checked; where it says nothing, it has judged.
    Optional,
    /// A token of which it says nothing is refused.
    Required,
}

const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA (never a symmetric one)";

/// The section and those inside of it.
pub fn read(reader: &mut Reader) -> Option<Auth> {
    let issuer = reader.issuer();
    let audience = reader.required_list("auth.audience", "the audience, or a list of them");
    let audience_rule = reader.choice(
        "auth.audience_rule",
        "listed",
        &[("listed", AudienceRule::Listed), ("xsuaa", AudienceRule::Xsuaa)],
    );
    let jwks_url = reader.optional("auth.jwks_url", units::URL, units::url);
    let algorithms = reader.some("auth.algorithms", &["RS256", "PS256", "ES256", "EdDSA"], ALGORITHMS, algorithm);
    let leeway = reader.duration("auth.leeway", "30s");
    let timeout = reader.time_out("auth.timeout", "5s");
    let ca = reader.certificates("auth.ca");
    let max_token = reader.parsed("auth.max_token", "16KiB", units::SIZE, units::size);
    let remembered_tokens = reader.count("auth.remembered_tokens", "10000");
    let (jwks, scopes, clients) = (jwks(reader), scopes(reader), clients(reader));
    let introspection = introspection(reader);
    Some(Auth {
        issuer: issuer?,
        audience: audience?,
        audience_rule: audience_rule?,
        jwks_url: jwks_url?,
        algorithms: algorithms?,
        leeway: leeway?,
        timeout: timeout?,
        ca: ca?,
        max_token: max_token?,
        remembered_tokens: remembered_tokens?,
        jwks: jwks?,
        scopes: scopes?,
        clients: clients?,
        introspection: introspection?,
    })
}

fn algorithm(name: &str) -> Option<Algorithm> {
    let algorithm: Algorithm = name.parse().ok()?;
    let symmetric = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    (!symmetric).then_some(algorithm)
}

fn jwks(reader: &mut Reader) -> Option<JwksTimes> {
    let cool_down = reader.time_out("auth.jwks_cool_down", "10s");
    let refresh = reader.time_out("auth.jwks_refresh", "10m");
    let max_age = reader.time_out("auth.jwks_max_age", "24h");
    if refresh.zip(max_age).is_some_and(|(refresh, max_age)| refresh >= max_age) {
        reader.mistake("auth.jwks_max_age", "expected more than auth.jwks_refresh");
    }
    Some(JwksTimes { cool_down: cool_down?, refresh: refresh?, max_age: max_age? })
}

fn scopes(reader: &mut Reader) -> Option<Scopes> {
    let claim = reader.text_or("auth.scopes.claim", "scope");
    let mut scope = |key, default| reader.parsed(key, default, "one scope, without blanks", units::scope);
    let write = scope("auth.scopes.write", "purchase-orders.write");
    let read = scope("auth.scopes.read", "purchase-orders.read");
    let operate = scope("auth.scopes.operate", "purchase-orders.operate");
    Some(Scopes { claim: claim?, write: write?, read: read?, operate: operate? })
}

fn clients(reader: &mut Reader) -> Option<Clients> {
    let mut clients = |key| {
        reader.list(key, &[], "clients' ids, none of them empty", |id| (!id.trim().is_empty()).then(|| id.to_owned()))
    };
    let write = clients("auth.clients.write");
    let read = clients("auth.clients.read");
    let operate = clients("auth.clients.operate");
    Some(Clients { write: write?, read: read?, operate: operate? })
}

/// The outer `None` is a mistake, the inner one the absence of the section.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn introspection(reader: &mut Reader) -> Option<Option<Introspection>> {
    if !reader.has_section("auth.introspection") {
        return Some(None);
    }
    let url = reader.required("auth.introspection.url", units::URL, units::url);
    let client_id = reader.text("auth.introspection.client_id", "the id by which the service asks");
    let client_secret = reader.secret("auth.introspection.client_secret");
    let auth =
        reader.choice("auth.introspection.auth", "basic", &[("basic", ClientAuth::Basic), ("post", ClientAuth::Post)]);
    let cache = reader.duration("auth.introspection.cache", "1m");
    let negative_cache = reader.duration("auth.introspection.negative_cache", "10s");
    let max_concurrency = reader.count("auth.introspection.max_concurrency", "32");
    let audience = reader.choice(
        "auth.introspection.audience",
        "optional",
        &[("optional", AudienceTold::Optional), ("required", AudienceTold::Required)],
    );
    Some(Some(Introspection {
        url: url?,
        client_id: client_id?,
        client_secret: client_secret?,
        auth: auth?,
        cache: cache?,
        negative_cache: negative_cache?,
        max_concurrency: max_concurrency?,
        audience: audience?,
    }))
}

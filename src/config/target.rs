//! `[target]`: 11VMS, and how the service proves who it is there.

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::ExposeSecret as _;
use url::Url;

use super::reader::Reader;
use super::{ClientAuth, Secret, units};
use crate::order::breaker::BreakerPolicy;
use crate::order::retry::RetryPolicy;
use crate::order::vms_response::ResponseRules;

/// `[target]`: 11VMS.
#[derive(Debug, Clone)]
pub struct Target {
    /// `/purchase-orders` comes behind it.
    pub base_url: Url,
    /// For the TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// Certificates in PEM that those of 11VMS and its token endpoint may be signed by, beside those of the system.
    pub ca: Option<PathBuf>,
    /// Requests to 11VMS at the same time.
    pub max_concurrency: usize,
    /// How answers are read.
    pub response_rules: ResponseRules,
    /// When it is left alone.
    pub breaker: BreakerPolicy,
    /// How tokens are had.
    pub oauth2: TargetOAuth2,
}

/// `[target.oauth2]`: tokens for 11VMS.
#[derive(Debug, Clone)]
pub struct TargetOAuth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// `client_id`
    pub client_id: String,
    /// How the client authenticates.
    pub credentials: Credentials,
    /// What it asks with.
    pub grant: Grant,
    /// `scope`
    pub scopes: Vec<String>,
    /// `audience`, where the server wants it.
    pub audience: Option<String>,
    /// Hosts to which `instance_url` of a token's answer may lead; nowhere, if there are none.
    pub instance_hosts: Vec<String>,
}

/// How the client authenticates at the token endpoint.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1).
    Secret(Secret, ClientAuth),
    /// `private_key_jwt` (RFC 7523 §2.2).
    PrivateKeyJwt(SigningKey),
    /// `tls_client_auth` or `self_signed_tls_client_auth` (RFC 8705 §2).
    Mtls(Identity),
    /// `none`: what it asks with is proof enough.
    None,
}

/// What the client asks with.
#[derive(Debug, Clone)]
pub enum Grant {
    /// RFC 6749 §4.4
    ClientCredentials,
    /// RFC 7523 §2.1: an assertion about a user, as Salesforce wants it.
    JwtBearer {
        /// Whom the token is for, `sub`.
        subject: String,
        /// What signs it.
        key: SigningKey,
    },
}

/// A private key for assertions.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// In PEM, read anew for every assertion.
    pub pem: Secret,
    /// `kid`, where the server knows several keys of the client.
    pub key_id: Option<String>,
    /// `aud` of the assertion.
    pub audience: String,
}

/// A certificate and its private key, which the client shows in the handshake.
#[derive(Debug, Clone)]
pub struct Identity {
    /// In PEM; without it, it stands beside the key.
    pub certificate: Option<Secret>,
    /// In PEM.
    pub key: Secret,
}

impl TargetOAuth2 {
    /// What the client shows in the handshake, towards the token endpoint and 11VMS alike.
    pub const fn identity(&self) -> Option<&Identity> {
        match &self.credentials {
            Credentials::Mtls(identity) => Some(identity),
            _ => None,
        }
    }
}

/// A private key in PEM, and the first algorithm that it can sign with. RSA keys sign RS256.
pub fn signing_key(pem: &str) -> Option<(Algorithm, EncodingKey)> {
    type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;
    const WAYS: [(Algorithm, Read); 4] = [
        (Algorithm::RS256, EncodingKey::from_rsa_pem),
        (Algorithm::ES256, EncodingKey::from_ec_pem),
        (Algorithm::ES384, EncodingKey::from_ec_pem),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem),
    ];
    WAYS.iter().find_map(|(algorithm, read)| {
        let key = read(pem.as_bytes()).ok()?;
        jsonwebtoken::crypto::sign(b"", &key, *algorithm).ok().map(|_| (*algorithm, key))
    })
}

/// The section and those inside of it.
pub fn read(reader: &mut Reader, retry: Option<&RetryPolicy>) -> Option<Target> {
    let base_url = reader.required("target.base_url", units::URL, units::url);
    let connect_timeout = reader.time_out("target.connect_timeout", "3s");
    let timeout = reader.time_out("target.timeout", "30s");
    let ca = reader.certificates("target.ca");
    let max_concurrency = reader.count("target.max_concurrency", "32");
    let number_pointer =
        reader.parsed("target.number_pointer", "/poNumber", "a JSON pointer such as /poNumber", units::json_pointer);
    let transient_codes =
        reader.list("target.transient_codes", &["REQUEST_LIMIT_EXCEEDED"], "error codes", |code| Some(code.to_owned()));
    let breaker = breaker(reader, retry);
    let oauth2 = oauth2(reader);
    Some(Target {
        base_url: base_url?,
        connect_timeout: connect_timeout?,
        timeout: timeout?,
        ca: ca?,
        max_concurrency: max_concurrency?,
        response_rules: ResponseRules { number_pointer: number_pointer?, transient_codes: transient_codes? },
        breaker: breaker?,
        oauth2: oauth2?,
    })
}

fn breaker(reader: &mut Reader, retry: Option<&RetryPolicy>) -> Option<BreakerPolicy> {
    // Longer than most restarts of 11VMS take, shorter than anyone wants to wait once it is back.
    const USUAL_PAUSE: Duration = Duration::from_secs(5);
    const USUAL_LONGEST: Duration = Duration::from_mins(1);
    let expected = "a whole number from 1 to 1000000";
    let failures = reader.parsed("target.breaker_failures", "20", expected, |text| {
        text.parse().ok().filter(|failures| (1..=1_000_000).contains(failures))
    });
    let pause = reader.optional("target.breaker_pause", units::DURATION, units::duration);
    let retry = retry?;
    let pause = pause?.unwrap_or_else(|| retry.initial_delay.min(USUAL_PAUSE));
    let longest_pause = retry.max_delay.min(USUAL_LONGEST).max(pause);
    Some(BreakerPolicy { failures: failures?, pause, longest_pause })
}

/// The words of `target.oauth2.auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AuthMethod {
    Basic,
    Post,
    PrivateKeyJwt,
    Mtls,
    None,
}

/// The words of `target.oauth2.grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GrantType {
    ClientCredentials,
    JwtBearer,
}

fn oauth2(reader: &mut Reader) -> Option<TargetOAuth2> {
    let token_url = reader.required("target.oauth2.token_url", units::URL, units::url);
    let client_id = reader.text("target.oauth2.client_id", "the client's id");
    let grant = reader.choice(
        "target.oauth2.grant",
        "client_credentials",
        &[("client_credentials", GrantType::ClientCredentials), ("jwt_bearer", GrantType::JwtBearer)],
    );
    let words = [
        ("basic", AuthMethod::Basic),
        ("post", AuthMethod::Post),
        ("private_key_jwt", AuthMethod::PrivateKeyJwt),
        ("mtls", AuthMethod::Mtls),
        ("none", AuthMethod::None),
    ];
    let usual = if grant == Some(GrantType::JwtBearer) { "none" } else { "basic" };
    let auth = reader.choice("target.oauth2.auth", usual, &words);
    if auth == Some(AuthMethod::None) && grant == Some(GrantType::ClientCredentials) {
        reader.mistake("target.oauth2.auth", "\"none\" proves nothing; it goes with grant = \"jwt_bearer\" alone");
    }
    let credentials = auth.and_then(|auth| credentials(reader, auth, token_url.as_ref()));
    let grant = grant.and_then(|grant| read_grant(reader, grant, token_url.as_ref()));
    let scopes = reader.list("target.oauth2.scopes", &[], "scopes", |scope| Some(scope.to_owned()));
    let audience = reader.optional("target.oauth2.audience", "a text", |text| Some(text.to_owned()));
    let expected = "hosts such as acme.my.salesforce.com, or .my.salesforce.com for all below it";
    let instance_hosts = reader.list("target.oauth2.instance_hosts", &[], expected, units::host_pattern);
    let only_sometimes = [
        "target.oauth2.client_secret",
        "target.oauth2.private_key",
        "target.oauth2.certificate",
        "target.oauth2.key_id",
        "target.oauth2.assertion_audience",
        "target.oauth2.subject",
    ];
    reader
        .refuse_unread(&only_sometimes, "not used with this target.oauth2.auth and target.oauth2.grant; leave it out");
    Some(TargetOAuth2 {
        token_url: token_url?,
        client_id: client_id?,
        credentials: credentials?,
        grant: grant?,
        scopes: scopes?,
        audience: audience?,
        instance_hosts: instance_hosts?,
    })
}

fn credentials(reader: &mut Reader, auth: AuthMethod, token_url: Option<&Url>) -> Option<Credentials> {
    Some(match auth {
        AuthMethod::Basic => Credentials::Secret(reader.secret("target.oauth2.client_secret")?, ClientAuth::Basic),
        AuthMethod::Post => Credentials::Secret(reader.secret("target.oauth2.client_secret")?, ClientAuth::Post),
        AuthMethod::PrivateKeyJwt => Credentials::PrivateKeyJwt(read_signing_key(reader, token_url)?),
        AuthMethod::Mtls => Credentials::Mtls(read_identity(reader)?),
        AuthMethod::None => Credentials::None,
    })
}

fn read_grant(reader: &mut Reader, grant: GrantType, token_url: Option<&Url>) -> Option<Grant> {
    if grant == GrantType::ClientCredentials {
        return Some(Grant::ClientCredentials);
    }
    let subject = reader.text("target.oauth2.subject", "whom the token is for: a user's name");
    let key = read_signing_key(reader, token_url);
    Some(Grant::JwtBearer { subject: subject?, key: key? })
}

fn read_signing_key(reader: &mut Reader, token_url: Option<&Url>) -> Option<SigningKey> {
    const KEY: &str = "target.oauth2.private_key";
    let pem = reader.secret(KEY).filter(|pem| {
        let fits = pem.read().is_ok_and(|text| signing_key(text.expose_secret()).is_some());
        if !fits {
            let expected = "expected a private key in PEM (PKCS#8): RSA of 2048 bits or more, EC (P-256, P-384) or Ed25519; \
                            openssl pkcs8 -topk8 -nodes makes PKCS#8 of other forms";
            reader.mistake(&reader.set_as(KEY), expected);
        }
        fits
    });
    let key_id = reader.optional("target.oauth2.key_id", "the key's id", |text| Some(text.to_owned()));
    let audience = reader.optional("target.oauth2.assertion_audience", "a text", |text| Some(text.to_owned()));
    let audience = audience?.or_else(|| token_url.map(Url::to_string));
    Some(SigningKey { pem: pem?, key_id: key_id?, audience: audience? })
}

fn read_identity(reader: &mut Reader) -> Option<Identity> {
    const KEY: &str = "target.oauth2.private_key";
    let key = reader.secret(KEY);
    let certificate = reader.optional_secret("target.oauth2.certificate")?;
    let key = key?;
    let pem = Identity { certificate, key };
    let text = pem.pem().ok()?;
    if reqwest::Identity::from_pem(text.expose_secret().as_bytes()).is_err() {
        let expected = "expected a private key in PEM, with its certificate beside it or in target.oauth2.certificate";
        reader.mistake(&reader.set_as(KEY), expected);
        return None;
    }
    Some(pem)
}

impl Identity {
    /// Certificate and key in one text.
    ///
    /// # Errors
    /// Names the file that can't be read.
    pub fn pem(&self) -> Result<secrecy::SecretString, String> {
        let certificate = self.certificate.as_ref().map(Secret::read).transpose()?;
        let certificate = certificate.as_ref().map_or("", |text| text.expose_secret());
        Ok(format!("{certificate}\n{}", self.key.read()?.expose_secret()).into())
    }
}

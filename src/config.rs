//! The settings: one TOML file, any key also by environment, every mistake reported at once.
//!
//! The only reader of the environment. Settings that exist are valid: nothing behind this module checks them again.

mod reader;
mod units;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use url::Url;

use crate::mapping::Amounts;
use crate::order::retry::{DuplicateGuard, Policy, Reading};
use reader::Reader;

/// Names the file where no `--config` does.
pub const CONFIG_VARIABLE: &str = "PO_WEBHOOK_CONFIG";

/// Where the file is if nothing names it.
pub const DEFAULT_FILE: &str = "/etc/purchase-order-webhook/config.toml";

/// The settings or their mistakes, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// All settings (contract §4).
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[auth]`
    pub auth: Auth,
    /// `[target]`
    pub target: Target,
    /// `[retry]`, and the parts of `[target]` that decide about trying again
    pub retry: Policy,
    /// `[ledger]`
    pub ledger: Ledger,
    /// `[mapping]`
    pub mapping: Mapping,
    /// `[telemetry]`
    pub telemetry: Telemetry,
}

/// What a caller gets for an order that is still open at its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDeadline {
    /// 202 with the order.
    Accepted,
    /// 504 with a problem.
    Error,
}

/// `[server]`: how callers are served.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where probes and metrics listen.
    pub management_listen: SocketAddr,
    /// How long a caller waits for an outcome.
    pub deadline: Duration,
    /// What it gets then.
    pub on_deadline: OnDeadline,
    /// Largest body, in bytes, compressed and not.
    pub max_body: usize,
    /// Requests that are worked on at the same time.
    pub max_in_flight: usize,
    /// How long a stop waits for work in flight.
    pub drain: Duration,
}

/// `[auth]`: whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct Auth {
    /// `iss`, to the letter.
    pub issuer: String,
    /// `aud` holds one of these.
    pub audience: Vec<String>,
    /// Where the keys are; discovered if absent.
    pub jwks_url: Option<Url>,
    /// JWS algorithms, asymmetric ones only.
    pub algorithms: Vec<Algorithm>,
    /// Allowance for clocks that differ.
    pub leeway: Duration,
    /// What each scope is called.
    pub scopes: Scopes,
}

/// Names of the scopes.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// Needed to bring carts.
    pub write: String,
    /// Needed to read orders.
    pub read: String,
    /// Needed to settle orders by hand.
    pub operate: String,
}

/// `[target]`: 11VMS.
#[derive(Debug, Clone)]
pub struct Target {
    /// `/purchase-orders` comes behind it.
    pub base_url: Url,
    /// For the TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// Requests to 11VMS at the same time.
    pub max_concurrency: usize,
    /// How answers are read.
    pub reading: Reading,
    /// How tokens are had.
    pub oauth2: TargetOAuth2,
}

/// How the client authenticates at the token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
}

/// `[target.oauth2]`: client credentials for 11VMS.
#[derive(Debug, Clone)]
pub struct TargetOAuth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// `client_id`
    pub client_id: String,
    /// `client_secret`
    pub client_secret: Secret,
    /// How both are sent.
    pub auth: ClientAuth,
    /// `scope`
    pub scopes: Vec<String>,
    /// `audience`, where the server wants it.
    pub audience: Option<String>,
}

/// A secret, or the file that holds it. Never shown.
#[derive(Debug, Clone)]
pub enum Secret {
    /// The secret itself.
    Text(SecretString),
    /// Read anew whenever the secret is needed.
    File(PathBuf),
}

impl Secret {
    /// The secret as it is now; a file loses its final line break.
    ///
    /// # Errors
    /// Names the file that can't be read, or is empty.
    pub fn read(&self) -> Result<SecretString, String> {
        let path = match self {
            Self::Text(secret) => return Ok(secret.clone()),
            Self::File(path) => path,
        };
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("the secret file {shown}: {error}"))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(format!("the secret file {shown} is empty")),
            secret => Ok(SecretString::from(secret)),
        }
    }
}

/// `[ledger]`: where orders are remembered.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The SQLite file.
    pub path: PathBuf,
    /// How long settled orders are kept.
    pub retention: Duration,
}

/// `[mapping]`: the sheet.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its folder.
    pub directory: PathBuf,
    /// How senders store amounts.
    pub amounts: Amounts,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// `[telemetry]`: logs.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// How lines look.
    pub log_format: LogFormat,
    /// The least severe level that is written.
    pub log_level: String,
}

/// The environment as the process found it.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl Settings {
    /// Reads the file that `--config`, the environment or the default names, overlaid by the environment.
    ///
    /// # Errors
    /// Every mistake: unknown keys, missing ones, values that can't be read, settings that are not available yet.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        read(file, environment, Self::read)
    }

    /// Reads settings from text; `label` names it in mistakes.
    ///
    /// # Errors
    /// Every mistake.
    pub fn parse(label: &str, text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        Reader::parse(label, text, environment)?.finish(Self::read)
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        refuse_what_comes_later(reader);
        let server = server(reader);
        let auth = auth(reader);
        let target = target(reader);
        let retry = retry(reader);
        let ledger = ledger(reader);
        let mapping = mapping(reader);
        let telemetry = telemetry(reader);
        Some(Self {
            server: server?,
            auth: auth?,
            target: target?,
            retry: retry?,
            ledger: ledger?,
            mapping: mapping?,
            telemetry: telemetry?,
        })
    }
}

impl Mapping {
    /// Reads the section `[mapping]` alone, which is all that an offline preview needs.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        read(file, environment, |reader| {
            reader.ignore_other_sections("mapping");
            mapping(reader)
        })
    }
}

fn read<T>(
    file: Option<&Path>,
    environment: &BTreeMap<String, String>,
    read: impl FnOnce(&mut Reader) -> Option<T>,
) -> Result<T, Mistakes> {
    let named = file.map(Path::to_owned).or_else(|| environment.get(CONFIG_VARIABLE).map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let label = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // Without a file, everything can come from the environment.
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Mistakes(vec![format!("{label}: can't be read: {error}; expected the settings as TOML")]));
        }
    };
    Reader::parse(&label, &text, environment)?.finish(read)
}

/// Parts of the contract that are not built yet are refused by name: nothing that was set is ignored.
fn refuse_what_comes_later(reader: &mut Reader) {
    for key in [
        "server.tls",
        "server.rate_limit_per_client",
        "auth.introspection",
        "target.oauth2.private_key",
        "target.oauth2.private_key_file",
        "alerts",
        "telemetry.otlp_endpoint",
    ] {
        reader.not_available_yet(key);
    }
}

fn server(reader: &mut Reader) -> Option<Server> {
    let listen = reader
        .parsed("server.listen", "0.0.0.0:8080", "an address and port such as 0.0.0.0:8080", |text| text.parse().ok());
    let management_listen =
        reader.parsed("server.management_listen", "0.0.0.0:9090", "an address and port such as 0.0.0.0:9090", |text| {
            text.parse().ok()
        });
    let deadline = reader.duration("server.deadline", "50s");
    let on_deadline = reader.choice(
        "server.on_deadline",
        "accepted",
        &[("accepted", OnDeadline::Accepted), ("error", OnDeadline::Error)],
    );
    let max_body = reader.parsed("server.max_body", "1MiB", units::SIZE, units::size);
    let max_in_flight = reader.count("server.max_in_flight", "1024");
    let drain = reader.duration("server.drain", "25s");
    Some(Server {
        listen: listen?,
        management_listen: management_listen?,
        deadline: deadline?,
        on_deadline: on_deadline?,
        max_body: max_body?,
        max_in_flight: max_in_flight?,
        drain: drain?,
    })
}

fn auth(reader: &mut Reader) -> Option<Auth> {
    let issuer = reader.text("auth.issuer", "the issuer's URL as it stands in `iss`");
    let audience = reader.required_list("auth.audience", "the audience, or a list of them");
    let jwks_url = reader.optional("auth.jwks_url", units::URL, units::url);
    let algorithms = reader.list("auth.algorithms", &["RS256", "PS256", "ES256", "EdDSA"], ALGORITHMS, algorithm);
    let leeway = reader.duration("auth.leeway", "30s");
    let scopes = Scopes {
        write: reader.text_or("auth.scopes.write", "purchase-orders.write")?,
        read: reader.text_or("auth.scopes.read", "purchase-orders.read")?,
        operate: reader.text_or("auth.scopes.operate", "purchase-orders.operate")?,
    };
    Some(Auth {
        issuer: issuer?,
        audience: audience?,
        jwks_url: jwks_url?,
        algorithms: algorithms?,
        leeway: leeway?,
        scopes,
    })
}

const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA (never a symmetric one)";

fn algorithm(name: &str) -> Option<Algorithm> {
    let algorithm: Algorithm = name.parse().ok()?;
    let symmetric = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    (!symmetric).then_some(algorithm)
}

fn target(reader: &mut Reader) -> Option<Target> {
    let base_url = reader.required("target.base_url", units::URL, units::url);
    let connect_timeout = reader.duration("target.connect_timeout", "3s");
    let timeout = reader.duration("target.timeout", "30s");
    let max_concurrency = reader.count("target.max_concurrency", "32");
    let number_pointer =
        reader.parsed("target.number_pointer", "/poNumber", "a JSON pointer such as /poNumber", |text| {
            text.starts_with('/').then(|| text.to_owned())
        });
    let transient_codes =
        reader.list("target.transient_codes", &["REQUEST_LIMIT_EXCEEDED"], "error codes", |code| Some(code.to_owned()));
    let oauth2 = target_oauth2(reader);
    Some(Target {
        base_url: base_url?,
        connect_timeout: connect_timeout?,
        timeout: timeout?,
        max_concurrency: max_concurrency?,
        reading: Reading { number_pointer: number_pointer?, transient_codes: transient_codes? },
        oauth2: oauth2?,
    })
}

fn target_oauth2(reader: &mut Reader) -> Option<TargetOAuth2> {
    let token_url = reader.required("target.oauth2.token_url", units::URL, units::url);
    let client_id = reader.text("target.oauth2.client_id", "the client's id");
    let client_secret = reader.secret("target.oauth2.client_secret");
    let auth = reader.choice_with_later(
        "target.oauth2.auth",
        "basic",
        &[("basic", ClientAuth::Basic), ("post", ClientAuth::Post)],
        &["private_key_jwt", "mtls"],
    );
    let scopes = reader.list("target.oauth2.scopes", &[], "scopes", |scope| Some(scope.to_owned()));
    let audience = reader.optional("target.oauth2.audience", "a text", |text| Some(text.to_owned()));
    Some(TargetOAuth2 {
        token_url: token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        auth: auth?,
        scopes: scopes?,
        audience: audience?,
    })
}

fn retry(reader: &mut Reader) -> Option<Policy> {
    const MOST_RETRIES: u32 = 100;
    let retries = reader.parsed("retry.attempts", "3", "a whole number from 0 to 100", |text| {
        text.parse().ok().filter(|retries| *retries <= MOST_RETRIES)
    });
    let initial_delay = reader.duration("retry.initial_delay", "30s");
    let multiplier =
        reader.parsed("retry.multiplier", "2.0", "a number from 1 to 100", |text| units::number(text, 1.0..=100.0));
    let max_delay = reader.duration("retry.max_delay", "10m");
    let jitter = reader.parsed("retry.jitter", "0.1", "a number from 0 to 1", |text| units::number(text, 0.0..=1.0));
    let guards = [
        ("lookup", DuplicateGuard::LookUp),
        ("idempotency-key", DuplicateGuard::IdempotencyKey),
        ("none", DuplicateGuard::None),
    ];
    let guard = reader.choice("target.duplicate_guard", "lookup", &guards);
    let unknown_grace = reader.optional("target.unknown_grace", units::DURATION, units::duration);
    let initial_delay = initial_delay?;
    Some(Policy {
        retries: retries?,
        initial_delay,
        multiplier: multiplier?,
        max_delay: max_delay?,
        jitter: jitter?,
        unknown_grace: unknown_grace?.unwrap_or(initial_delay),
        guard: guard?,
    })
}

fn ledger(reader: &mut Reader) -> Option<Ledger> {
    let path = reader.ledger_file("ledger.url", "sqlite:data/orders.db");
    let retention = reader.duration("ledger.retention", "400d");
    Some(Ledger { path: path?, retention: retention? })
}

fn mapping(reader: &mut Reader) -> Option<Mapping> {
    let directory = reader.text_or("mapping.directory", "mapping").map(PathBuf::from);
    let amounts =
        reader.choice("mapping.shifted_amounts", "false", &[("true", Amounts::Shifted), ("false", Amounts::AsTheyAre)]);
    Some(Mapping { directory: directory?, amounts: amounts? })
}

fn telemetry(reader: &mut Reader) -> Option<Telemetry> {
    let log_format = reader.choice_with_later(
        "telemetry.log_format",
        "json",
        &[("json", LogFormat::Json), ("text", LogFormat::Text)],
        &["ecs"],
    );
    let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
    let log_level = reader.choice("telemetry.log_level", "info", &levels);
    Some(Telemetry { log_format: log_format?, log_level: log_level?.to_owned() })
}

#[cfg(test)]
mod tests;

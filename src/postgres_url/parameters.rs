//! The parameters of the URL: a table of those that work, and of those that are refused with what to write instead.

use std::collections::BTreeMap;
use std::time::Duration;

use super::text::{Pieces, decoded};
use super::variables::Variables;

/// The most seconds of `connect_timeout`: a caller that waits would have gone long before.
const MAX_CONNECT_TIMEOUT: u64 = 600;

/// The order in which hosts are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HostOrder {
    /// As they are written.
    #[default]
    Written,
    /// By chance, for each connection anew.
    Random,
}

/// The variable that the driver reads itself, whatever else is said.
const DRIVERS_OWN: &str = "PGOPTIONS";

/// What becomes of a parameter.
enum Rule {
    /// Its value is used.
    Used,
    /// Some values ask for what is done anyway; others for what can't be done, and are refused with this text.
    Values(&'static [&'static str], &'static str),
    /// Refused with this text.
    Refused(&'static str),
}

use Rule::{Refused, Used, Values};

const NO_GSSAPI: &str = "there is no GSSAPI here: leave it out, and sign in by password or certificate";
const NO_KEEPALIVE: &str = "the driver does not set it: leave it out; a connection that is silent for 12 s is given up anyway, or set net.ipv4.tcp_keepalive_… of the system";
const NO_REVOCATION: &str =
    "revocation lists are not read: leave it out, and name a CA of the database's own in sslrootcert";
const NO_ENCRYPTED_KEY: &str = "encrypted keys are not read: leave it out, and name a key without a password in sslkey";
const NO_OAUTH: &str = "there is no OAuth here: leave it out, and sign in by password or certificate";

/// Every parameter of libpq (PostgreSQL 18, §32.1.2), and those that sqlx's users know.
const PARAMETERS: &[(&str, Rule)] = &[
    ("host", Used),
    ("hostaddr", Used),
    ("port", Used),
    ("dbname", Used),
    ("user", Used),
    ("password", Used),
    ("sslmode", Used),
    ("ssl-mode", Used),
    ("ssl", Values(&["true"], "expected sslmode=verify-full")),
    ("sslrootcert", Used),
    ("sslcert", Used),
    ("sslkey", Used),
    ("application_name", Used),
    ("fallback_application_name", Used),
    ("options", Used),
    ("connect_timeout", Used),
    ("load_balance_hosts", Used),
    ("statement-cache-capacity", Used),
    (
        "target_session_attrs",
        // Whatever is asked for: only a session that can write is of use.
        Values(&["any", "read-write", "primary"], "the ledger has to write: expected read-write"),
    ),
    (
        "channel_binding",
        Values(&["prefer", "disable"], "the driver can't bind channels: expected prefer, with sslmode=verify-full"),
    ),
    ("client_encoding", Values(&["UTF8", "utf8", "UTF-8", "utf-8", "auto"], "the ledger writes UTF-8: leave it out")),
    ("gssencmode", Values(&["disable", "prefer"], NO_GSSAPI)),
    ("krbsrvname", Refused(NO_GSSAPI)),
    ("gsslib", Refused(NO_GSSAPI)),
    ("gssdelegation", Values(&["0"], NO_GSSAPI)),
    ("keepalives", Refused(NO_KEEPALIVE)),
    ("keepalives_idle", Refused(NO_KEEPALIVE)),
    ("keepalives_interval", Refused(NO_KEEPALIVE)),
    ("keepalives_count", Refused(NO_KEEPALIVE)),
    ("tcp_user_timeout", Refused(NO_KEEPALIVE)),
    ("passfile", Refused("expected the password in the URL, and the URL in ledger.url_file; ~/.pgpass is read too")),
    ("service", Refused("service files are not read: expected what the service stands for, in the URL")),
    ("servicefile", Refused("service files are not read: expected what the service stands for, in the URL")),
    ("sslnegotiation", Values(&["postgres"], "the driver asks for TLS in PostgreSQL's own way: expected postgres")),
    ("sslcompression", Values(&["0"], "TLS is not compressed: leave it out")),
    ("sslsni", Values(&["1"], "the host's name is always sent: leave it out")),
    ("sslpassword", Refused(NO_ENCRYPTED_KEY)),
    ("sslcertmode", Values(&["allow"], "a certificate is sent if the server asks and sslcert names one: leave it out")),
    ("sslcrl", Refused(NO_REVOCATION)),
    ("sslcrldir", Refused(NO_REVOCATION)),
    ("sslkeylogfile", Refused("the secrets of connections are not written: leave it out")),
    (
        "ssl_min_protocol_version",
        Values(&["TLSv1", "TLSv1.1", "TLSv1.2"], "connections have TLS 1.2 or 1.3: leave it out, and limit the server"),
    ),
    ("ssl_max_protocol_version", Values(&["TLSv1.3"], "connections have TLS 1.2 or 1.3: leave it out")),
    ("requiressl", Refused("expected sslmode=verify-full, or sslmode=require")),
    ("requirepeer", Refused("the owner of a socket is not checked: leave it out, and protect the socket's folder")),
    ("require_auth", Refused("the server chooses how a user signs in: leave it out, and use sslmode=verify-full")),
    ("min_protocol_version", Values(&["3.0"], "the driver speaks version 3.0: leave it out")),
    ("max_protocol_version", Values(&["3.0", "latest"], "the driver speaks version 3.0: leave it out")),
    ("replication", Values(&["false", "off", "no", "0"], "the ledger is no replication client: leave it out")),
    ("scram_client_key", Refused("expected the password")),
    ("scram_server_key", Refused("expected the password")),
    ("oauth_issuer", Refused(NO_OAUTH)),
    ("oauth_client_id", Refused(NO_OAUTH)),
    ("oauth_client_secret", Refused(NO_OAUTH)),
    ("oauth_scope", Refused(NO_OAUTH)),
];

/// Whether libpq has a parameter of this name.
pub fn is_known(name: &str) -> bool {
    PARAMETERS.iter().any(|(known, _)| *known == name)
}

/// The parameters of one URL.
#[derive(Debug, Default)]
pub struct Parameters {
    values: BTreeMap<&'static str, String>,
    /// The variables that gave values, with their parameters.
    variables: Vec<(&'static str, &'static str)>,
    pub order: HostOrder,
    pub connect_timeout: Option<Duration>,
    pub cached_statements: Option<usize>,
}

impl Parameters {
    /// Reads the query, and the variables for what neither it nor another piece of the URL has; collects every mistake.
    pub fn read(pieces: &Pieces<'_>, variables: &Variables, mistakes: &mut Vec<String>) -> Self {
        let mut parameters = Self::default();
        for pair in pieces.query.split('&').filter(|pair| !pair.is_empty()) {
            if let Err(mistake) = parameters.add(pair, pieces.query_may_be_secret) {
                mistakes.push(mistake);
            }
        }
        for (variable, name, value) in variables.parameters() {
            if variable == DRIVERS_OWN {
                if parameters.has(name) {
                    mistakes
                        .push(format!("{variable} of the environment is added to options by the driver: expected one"));
                }
            } else if !parameters.has(name) && !pieces.has(name) {
                parameters.variables.push((variable, name));
                let mistake = parameters.insert(name, value.to_owned()).err();
                mistakes.extend(mistake.map(|mistake| parameters.with_variable(mistake)));
            }
        }
        let converted = parameters.convert();
        mistakes.extend(converted);
        parameters
    }

    /// A mistake that begins with a parameter's name, with the variable that the value came from.
    pub fn with_variable(&self, mistake: String) -> String {
        let is_about = |(_, name): &&(&str, &str)| {
            mistake
                .strip_prefix(name)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
        };
        match self.variables.iter().find(is_about) {
            Some((variable, _)) => format!("the environment variable {variable}: {mistake}"),
            None => mistake,
        }
    }

    fn add(&mut self, pair: &str, may_be_secret: bool) -> Result<(), String> {
        let unnamed = "the query has a part that is no name=value; a password with : / ? # @ has to be percent-encoded";
        let (name, value) = pair.split_once('=').ok_or(unnamed)?;
        if !is_known(name) {
            return Err(unknown(name, may_be_secret));
        }
        let value =
            decoded(value).ok_or_else(|| format!("{name} is not percent-encoded as it should be (% is %25)"))?;
        self.insert(name, value)
    }

    /// Whether the URL's query has a value for a parameter: `ssl=true` is one of `sslmode`.
    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || name == "sslmode" && self.values.contains_key("ssl")
    }

    fn insert(&mut self, name: &str, value: String) -> Result<(), String> {
        let Some((written, rule)) = PARAMETERS.iter().find(|(known, _)| *known == name) else { return Ok(()) };
        let name = if *written == "ssl-mode" { "sslmode" } else { written };
        match rule {
            Refused(advice) => return Err(format!("{name}: {advice}")),
            Values(values, advice) if !values.contains(&value.as_str()) => return Err(format!("{name}: {advice}")),
            Values(..) | Used => {}
        }
        if self.values.insert(name, value).is_some() {
            return Err(format!("{name} is there twice; expected it once"));
        }
        Ok(())
    }

    /// Converts the values that are no texts; returns the mistakes.
    fn convert(&mut self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Some(text) = self.take("connect_timeout") {
            let seconds = text.parse().ok().filter(|seconds| (1..=MAX_CONNECT_TIMEOUT).contains(seconds));
            self.connect_timeout = seconds.map(Duration::from_secs);
            if seconds.is_none() {
                mistakes.push(format!("connect_timeout: expected whole seconds from 1 to {MAX_CONNECT_TIMEOUT}"));
            }
        }
        match self.take("load_balance_hosts").as_deref() {
            None | Some("disable") => {}
            Some("random") => self.order = HostOrder::Random,
            Some(_) => mistakes.push("load_balance_hosts: expected disable or random".to_owned()),
        }
        if let Some(text) = self.take("statement-cache-capacity") {
            self.cached_statements = text.parse().ok();
            if self.cached_statements.is_none() {
                mistakes.push("statement-cache-capacity: expected a whole number".to_owned());
            }
        }
        mistakes
    }

    /// Takes a value out; an empty one counts as none, as for libpq.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name).filter(|value| !value.is_empty())
    }
}

/// A parameter that nobody knows: its name is shown, unless it may be a piece of a password.
fn unknown(name: &str, may_be_secret: bool) -> String {
    const MAX_CHARS: usize = 40;
    let is_name = name.len() <= MAX_CHARS
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !is_name || may_be_secret {
        return "the query has an unknown parameter; expected one of libpq's, and a password with : / ? # @ percent-encoded"
            .to_owned();
    }
    match PARAMETERS.iter().map(|(known, _)| *known).find(|known| is_slip(name, known)) {
        Some(known) => format!("{name}: unknown parameter; did you mean {known}?"),
        None => format!("{name}: unknown parameter; expected one of libpq's, such as sslmode=verify-full"),
    }
}

/// Whether two names differ by one letter that is missing, added or replaced, or by hyphens and capitals.
fn is_slip(name: &str, known: &str) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let (one, other) = (plain(name).into_bytes(), plain(known).into_bytes());
    let ahead = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let behind = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let longest = one.len().max(other.len());
    one.len().abs_diff(other.len()) <= 1 && ahead + behind + 1 >= longest
}

//! The settings: one TOML file, any key also by environment, every mistake reported at once.
//!
//! The only reader of the environment. Settings that exist are valid: nothing behind this module checks them again.

mod auth;
mod reader;
mod sections;
mod server;
mod target;
mod units;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::mapping::Amounts;
use crate::order::retry::RetryPolicy;
use reader::Reader;

pub use auth::{AudienceRule, AudienceTold, Auth, Clients, Introspection, JwksTimes, Scopes};
pub use server::{ClientCertificates, Limits, OnDeadline, Proxy, Server, Tls};
pub use target::{Credentials, Grant, Identity, SigningKey, Target, TargetOAuth2, signing_key};

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

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[auth]`
    pub auth: Auth,
    /// `[target]`
    pub target: Target,
    /// `[retry]`, and the parts of `[target]` that decide about trying again
    pub retry: RetryPolicy,
    /// `[ledger]`
    pub ledger: Ledger,
    /// `[mapping]`
    pub mapping: Mapping,
    /// `[telemetry]`
    pub telemetry: Telemetry,
}

/// How a client sends its id and its secret (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
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

/// What holds the ledger.
#[derive(Debug, Clone)]
pub enum Storage {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database; it may hold a password.
    Postgres(Secret),
}

/// `[ledger]`: where orders are remembered.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// What holds it.
    pub storage: Storage,
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
        // What is no UTF-8 is refused by name if it is a setting.
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}

impl Settings {
    /// Reads the file that `--config`, the environment or the default names, overlaid by the environment.
    ///
    /// # Errors
    /// Every mistake: unknown keys, missing ones, values that can't be read, settings that are not available yet.
    pub fn load(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        read(file, environment, sections::settings)
    }

    /// Reads settings from text; `label` names it in mistakes.
    ///
    /// # Errors
    /// Every mistake.
    pub fn parse(label: &str, text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Mistakes> {
        Reader::parse(label, text, environment)?.finish(sections::settings)
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
            sections::mapping(reader)
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

#[cfg(test)]
mod tests;

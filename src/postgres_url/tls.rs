//! TLS towards the database: the mode, and the files with certificates and keys. The rules are libpq's, but for modes that
//! would ignore a certificate: these are refused.

use std::path::PathBuf;

use super::host::Host;
use super::parameters::Parameters;

/// `sslmode` (PostgreSQL, §32.19.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Never TLS.
    Disable,
    /// TLS if the server refuses to do without.
    Allow,
    /// TLS if the server has it.
    #[default]
    Prefer,
    /// TLS, whoever the server is.
    Require,
    /// TLS with a certificate of the CA, for any name.
    VerifyCa,
    /// TLS with a certificate of the CA for the host's name.
    VerifyFull,
}

/// The certificates against which the server's one is verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RootCertificates {
    /// Those that the system trusts.
    #[default]
    System,
    /// Those of a file in PEM, and no others.
    File(PathBuf),
}

/// The client's certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// `sslcert`
    pub certificate: PathBuf,
    /// `sslkey`
    pub key: PathBuf,
}

/// TLS towards the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// How far TLS is needed, and verified.
    pub mode: TlsMode,
    /// What the server's certificate is verified against.
    pub roots: RootCertificates,
    /// The client's own certificate.
    pub client: Option<ClientCertificate>,
}

const MODES: [(&str, TlsMode); 6] = [
    ("disable", TlsMode::Disable),
    ("allow", TlsMode::Allow),
    ("prefer", TlsMode::Prefer),
    ("require", TlsMode::Require),
    ("verify-ca", TlsMode::VerifyCa),
    ("verify-full", TlsMode::VerifyFull),
];

impl Tls {
    /// Reads the parameters; collects every mistake.
    pub fn read(parameters: &mut Parameters, hosts: &[Host], mistakes: &mut Vec<String>) -> Self {
        let written = written_mode(parameters, mistakes);
        let roots = parameters.take("sslrootcert");
        let mode = mode(written, roots.as_deref(), mistakes);
        let roots = match roots {
            Some(path) if path != "system" => RootCertificates::File(PathBuf::from(path)),
            _ => RootCertificates::System,
        };
        let client = match (parameters.take("sslcert"), parameters.take("sslkey")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                Some(ClientCertificate { certificate: PathBuf::from(certificate), key: PathBuf::from(key) })
            }
            (Some(_), None) => {
                mistakes.push("sslkey is missing; expected the file with the key of sslcert".to_owned());
                None
            }
            (None, Some(_)) => {
                mistakes.push("sslcert is missing; expected the file with the certificate of sslkey".to_owned());
                None
            }
        };
        if client.is_some() && mode == TlsMode::Disable {
            mistakes.push("sslcert has no effect with sslmode=disable; expected sslmode=verify-full".to_owned());
        }
        let is_split = |host: &Host| matches!(host, Host::Network { name, address: Some(address), .. } if *name != address.to_string());
        if mode == TlsMode::VerifyFull && hosts.iter().any(is_split) {
            mistakes.push(
                "hostaddr: with sslmode=verify-full the driver verifies the address, not host: expected host alone"
                    .to_owned(),
            );
        }
        Self { mode, roots, client }
    }
}

fn written_mode(parameters: &mut Parameters, mistakes: &mut Vec<String>) -> Option<TlsMode> {
    let required = parameters.take("ssl").map(|_| "require".to_owned());
    let text = parameters.take("sslmode").or_else(|| required.clone())?;
    let mode = MODES.iter().find(|(word, _)| *word == text).map(|(_, mode)| *mode);
    if required.is_some() && matches!(mode, Some(TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer)) {
        mistakes.push("ssl=true contradicts the sslmode; expected sslmode=verify-full alone".to_owned());
    }
    if mode.is_none() {
        let words: Vec<&str> = MODES.iter().map(|(word, _)| *word).collect();
        mistakes.push(format!("sslmode: expected {}", words.join(" or ")));
    }
    mode
}

/// The mode that is meant. With a file, `require` means `verify-ca`, as for libpq.
fn mode(written: Option<TlsMode>, roots: Option<&str>, mistakes: &mut Vec<String>) -> TlsMode {
    match (written, roots) {
        (Some(TlsMode::Require), Some(path)) if path != "system" => TlsMode::VerifyCa,
        (Some(TlsMode::VerifyCa), None) => {
            let text = "sslmode=verify-ca without sslrootcert would trust every public certificate; expected sslrootcert=FILE, or sslmode=verify-full";
            mistakes.push(text.to_owned());
            TlsMode::VerifyCa
        }
        (None, Some("system")) => TlsMode::VerifyFull,
        (written, Some("system")) if written != Some(TlsMode::VerifyFull) => {
            mistakes.push("sslrootcert=system needs sslmode=verify-full".to_owned());
            TlsMode::VerifyFull
        }
        (None | Some(TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer), Some(_)) => {
            let text =
                "sslrootcert: nothing would be verified with this sslmode; expected sslmode=verify-full (or verify-ca)";
            mistakes.push(text.to_owned());
            TlsMode::VerifyFull
        }
        (written, _) => written.unwrap_or_default(),
    }
}

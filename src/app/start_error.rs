//! Why the service can't start.

use std::net::SocketAddr;

use thiserror::Error;

use crate::edge::TlsError;
use crate::ledger::LedgerError;
use crate::mapping::Defect;
use crate::outbound::OutboundError;

/// Why the service can't start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The mapping folder has defects.
    #[error("{}", defect_lines(directory, defects).join("\n"))]
    Mapping {
        /// The folder.
        directory: String,
        /// Every defect.
        defects: Vec<Defect>,
    },
    /// Files that the URL of a database names do not have what they must.
    #[error("{}", mistakes.join("\n"))]
    DatabaseFiles {
        /// Every mistake.
        mistakes: Vec<String>,
    },
    /// The ledger can't be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No HTTP client can be built.
    #[error(transparent)]
    Client(#[from] OutboundError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address can't be bound.
    #[error("{key} {address} can't be bound: {source}")]
    Bind {
        /// The setting.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl StartError {
    /// One line for each mistake.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Mapping { directory, defects } => defect_lines(directory, defects),
            Self::DatabaseFiles { mistakes } => mistakes.clone(),
            Self::Ledger(_) | Self::Client(_) | Self::Tls(_) | Self::Bind { .. } => vec![self.to_string()],
        }
    }
}

/// Defects with their folder, one a line.
pub fn defect_lines(directory: &str, defects: &[Defect]) -> Vec<String> {
    defects.iter().map(|defect| format!("{directory}/{defect}")).collect()
}

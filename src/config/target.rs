//! `[target]`: 11VMS, and how the service authenticates there.

mod breaker;
mod credentials;
mod grant;
mod keys;
mod oauth2;
mod unknown_outcome;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::reader::Reader;
use super::units;
use crate::order::breaker::BreakerPolicy;
use crate::order::retry::RetryPolicy;
use crate::order::vms_response::ResponseRules;
use breaker::read_breaker_policy;
pub use credentials::Credentials;
pub use grant::Grant;
pub use keys::{Identity, SigningKey};
pub use oauth2::TargetOAuth2;
pub use unknown_outcome::UnknownOutcomeRules;

/// `[target]`: 11VMS.
#[derive(Debug, Clone)]
pub struct Target {
    /// The URL to which `/purchase-orders` is appended.
    pub base_url: Url,
    /// For the TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// Certificates in PEM that may sign those of 11VMS and its token endpoint, in addition to those that the system trusts.
    pub ca: Option<PathBuf>,
    /// Requests to 11VMS at the same time.
    pub max_concurrency: usize,
    /// How its answers are read.
    pub response_rules: ResponseRules,
    /// When the circuit breaker opens, and for how long.
    pub breaker: BreakerPolicy,
    /// How the service gets its tokens.
    pub oauth2: TargetOAuth2,
}

impl Target {
    /// Reads the section and those inside of it.
    pub fn from_reader(reader: &mut Reader, retry: Option<&RetryPolicy>) -> Option<Self> {
        let base_url = reader.required("target.base_url", units::URL, units::url);
        let connect_timeout = reader.positive_duration("target.connect_timeout", "3s");
        let timeout = reader.positive_duration("target.timeout", "30s");
        let ca = reader.certificates_file("target.ca");
        let max_concurrency = reader.count("target.max_concurrency", "32");
        let response_rules = read_response_rules(reader);
        let breaker = read_breaker_policy(reader, retry);
        let oauth2 = TargetOAuth2::from_reader(reader);
        Some(Self {
            base_url: base_url?,
            connect_timeout: connect_timeout?,
            timeout: timeout?,
            ca: ca?,
            max_concurrency: max_concurrency?,
            response_rules: response_rules?,
            breaker: breaker?,
            oauth2: oauth2?,
        })
    }
}

fn read_response_rules(reader: &mut Reader) -> Option<ResponseRules> {
    let number_pointer =
        reader.value_or("target.number_pointer", "/poNumber", "a JSON pointer such as /poNumber", units::json_pointer);
    let transient_codes =
        reader.list("target.transient_codes", &["REQUEST_LIMIT_EXCEEDED"], "error codes", |code| Some(code.to_owned()));
    Some(ResponseRules { number_pointer: number_pointer?, transient_codes: transient_codes? })
}

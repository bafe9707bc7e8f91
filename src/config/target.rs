//! `[target]`: 11VMS, and how the service authenticates there.

mod breaker;
mod grant;
mod oauth2;
mod parameters;
mod profile;
mod template;
mod unknown_outcome;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::outbound::ForwardProxy;
use super::reader::Reader;
use super::units;
use crate::mapping::IdField;
use crate::order::breaker::BreakerPolicy;
use crate::order::retry::RetryPolicy;
use crate::order::vms_response::{NumberSource, ResponseRules};
use breaker::read_breaker_policy;
pub use grant::Grant;
pub use oauth2::TargetOAuth2;
pub use profile::id_field_of_profile;
pub use profile::{ApiProfile, CreateRequest, LookUpRequest, RequestHeader};
use profile::{id_field, read_profile};
pub use template::{Fillings, Template};
pub use unknown_outcome::UnknownOutcomeRules;

/// Largest answer by default: 11VMS may echo the order with further fields, and every character escaped.
const DEFAULT_MAX_ANSWER: usize = 4 * 1024 * 1024;

/// An echoed order is at most this many times as large as its cart, more or less.
const ANSWER_PER_CART: usize = 4;

/// `[target]`: 11VMS.
#[derive(Debug, Clone)]
pub struct Target {
    /// The URL to which the paths of the profile are appended.
    pub base_url: Url,
    /// The requests of its API.
    pub profile: ApiProfile,
    /// For the TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// From this age on, a connection to 11VMS, its token endpoint or the callers' issuer serves no new request.
    pub max_connection_age: Duration,
    /// Largest answer of 11VMS that is read, in bytes.
    pub max_answer: usize,
    /// Certificates in PEM that may sign those of 11VMS and its token endpoint, in addition to those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The proxy between the service and 11VMS or its token endpoint.
    pub forward_proxy: ForwardProxy,
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
    /// Reads the section and those inside of it; `largest_cart` is in bytes.
    pub fn from_reader(reader: &mut Reader, retry: Option<&RetryPolicy>, largest_cart: usize) -> Option<Self> {
        let base_url = reader.required("target.base_url", units::URL, units::url);
        let connect_timeout = reader.positive_duration("target.connect_timeout", "3s");
        let timeout = reader.positive_duration("target.timeout", "30s");
        let max_connection_age = reader.positive_duration("target.max_connection_age", "5m");
        let max_answer = reader.optional("target.max_answer", units::SIZE, units::size);
        let ca = reader.trusted_file("target.ca");
        let forward_proxy = ForwardProxy::from_reader(reader);
        let max_concurrency = reader.count("target.max_concurrency", "32");
        let profile = read_profile(reader);
        let breaker = read_breaker_policy(reader, retry);
        let oauth2 = TargetOAuth2::from_reader(reader);
        let (profile, response_rules) = profile?;
        Some(Self {
            base_url: base_url?,
            profile,
            connect_timeout: connect_timeout?,
            timeout: timeout?,
            max_connection_age: max_connection_age?,
            max_answer: max_answer?
                .unwrap_or_else(|| DEFAULT_MAX_ANSWER.max(largest_cart.saturating_mul(ANSWER_PER_CART))),
            ca: ca?,
            forward_proxy: forward_proxy?,
            max_concurrency: max_concurrency?,
            response_rules,
            breaker: breaker?,
            oauth2: oauth2?,
        })
    }

    /// The field of an order by which a look-up finds it.
    pub fn id_field(&self) -> IdField {
        id_field(&self.profile, &self.response_rules)
    }

    /// How long an attempt may take. It usually fetches a token, looks up and sends, each within `target.timeout`, and looks
    /// up once more where the number is in the look-up. With a 401 in between it may need more, and is then cut off.
    pub fn attempt_limit(&self) -> Duration {
        let calls = match self.response_rules.number_source {
            NumberSource::Answer => 3,
            NumberSource::LookUp => 4,
        };
        self.timeout.saturating_mul(calls)
    }
}

//! `telemetry.otlp_…`, `telemetry.trace_sampling`: the collector of traces. The names are those of OpenTelemetry's variables
//! (OTEL_EXPORTER_OTLP_ENDPOINT, …_PROTOCOL, …_HEADERS, …_CLIENT_CERTIFICATE, …_CLIENT_KEY).

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::otlp_headers::OtlpHeaders;
use crate::config::identity::{Identity, IdentityNames};
use crate::config::outbound::ForwardProxy;
use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::units;
use crate::trace::Sampling;

const ENDPOINT: &str = "telemetry.otlp_endpoint";

/// Keys that mean nothing without a collector.
const OTHER_KEYS: [&str; 6] = [
    "telemetry.otlp_protocol",
    "telemetry.otlp_headers",
    "telemetry.otlp_ca",
    CERTIFICATE,
    KEY,
    "telemetry.trace_sampling",
];

/// The certificate that the service shows, and its key: files, so that a renewed one is read without a restart.
const CERTIFICATE: &str = "telemetry.otlp_certificate";
const KEY: &str = "telemetry.otlp_key";

/// The collector of traces.
#[derive(Debug, Clone)]
pub struct Otlp {
    /// Its URL; by HTTP, `/v1/traces` is appended unless it ends with that.
    pub endpoint: Url,
    /// How it is spoken to.
    pub protocol: OtlpProtocol,
    /// What is sent with each request, such as a key.
    pub headers: OtlpHeaders,
    /// Certificates in PEM that may sign its own, in addition to those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The proxy between.
    pub forward_proxy: ForwardProxy,
    /// What the service shows in the handshake, to a collector that wants it.
    pub identity: Option<Identity>,
    /// The part of traces that is recorded where no caller has decided.
    pub sampling: Sampling,
}

/// The transport of OTLP, with protobuf in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// `http/protobuf`
    Http,
    /// `grpc`
    Grpc,
}

impl Otlp {
    /// Reads the keys; the outer `None` is a mistake, the inner one the absence of a collector.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        let endpoint = reader.optional(ENDPOINT, units::URL, units::url);
        if !reader.is_set(ENDPOINT) {
            let why = "not used without telemetry.otlp_endpoint; leave it out";
            reader.refuse_unread(&OTHER_KEYS, why);
            reader.refuse_unread_section("telemetry.otlp_headers", why);
            return Some(None);
        }
        let protocols = [("http/protobuf", OtlpProtocol::Http), ("grpc", OtlpProtocol::Grpc)];
        let protocol = reader.choice("telemetry.otlp_protocol", "http/protobuf", &protocols);
        let headers = OtlpHeaders::from_reader(reader);
        let ca = reader.trusted_file("telemetry.otlp_ca");
        let forward_proxy = ForwardProxy::from_reader(reader);
        let identity = read_identity(reader);
        let sampling = reader.value_or("telemetry.trace_sampling", "1", "a number from 0 to 1", |text| {
            units::number(text, 0.0..=1.0).map(Sampling)
        });
        Some(Some(Self {
            endpoint: endpoint??,
            protocol: protocol?,
            headers: headers?,
            ca: ca?,
            forward_proxy: forward_proxy?,
            identity: identity?,
            sampling: sampling?,
        }))
    }
}

/// Certificate and key, both or none; the outer `None` is a mistake.
#[expect(clippy::option_option, reason = "the outer option is the mistake, the inner one the absence")]
fn read_identity(reader: &mut Reader) -> Option<Option<Identity>> {
    let certificate = reader.certificates_file(CERTIFICATE);
    let key = reader.optional(KEY, units::FILE, units::file);
    match (certificate?, key?) {
        (None, None) => Some(None),
        (Some(certificate), Some(key)) => {
            let (certificate, key) = (Some(Secret::File(certificate)), Secret::File(key));
            Identity { certificate, key, names: identity_names() }.checked(reader).map(Some)
        }
        (Some(_), None) => {
            reader.report(KEY, "is missing: the private key of telemetry.otlp_certificate");
            None
        }
        (None, Some(_)) => {
            reader.report(CERTIFICATE, "is missing: the certificate of telemetry.otlp_key");
            None
        }
    }
}

fn identity_names() -> Arc<IdentityNames> {
    Arc::new(IdentityNames {
        certificate: CERTIFICATE.to_owned(),
        key: KEY.to_owned(),
        file_suffix: "",
        expected: format!("expected a private key in PEM, with its certificate in {CERTIFICATE}"),
    })
}

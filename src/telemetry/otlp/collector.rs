//! One export to the collector, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Response;
use http_body_util::{BodyExt as _, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message as _;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, TE};
use url::Url;

use super::grpc::{self, GrpcStatus};
use crate::clock::Clock;
use crate::config::{Otlp, OtlpProtocol};
use crate::outbound::{CertificateSettings, ClientSettings, Outbound, OutboundError, error_chain, longest_retry_after};

/// The path of spans by HTTP.
const TRACES_PATH: &str = "/v1/traces";

/// For a connection; a collector is near.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// For a whole export: OpenTelemetry's default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A name that moves is followed, as for 11VMS.
const MAX_CONNECTION_AGE: Duration = Duration::from_mins(5);

/// Largest answer that is read, in bytes: it says how many spans were refused.
const MAX_ANSWER: usize = 64 * 1024;

/// How an export ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// Taken, but for so many spans.
    Taken {
        /// Spans that the collector refused, and why.
        refused: Option<(u64, String)>,
    },
    /// The same spans may be taken later.
    Failed {
        /// Why.
        detail: String,
        /// The time that the collector wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// They never will.
    Refused(String),
}

impl Exported {
    fn failed(detail: impl Into<String>) -> Self {
        Self::Failed { detail: detail.into(), retry_after: None }
    }
}

/// The collector.
#[derive(Debug)]
pub struct Collector {
    settings: Otlp,
    url: Url,
    http: Outbound,
    clock: Arc<dyn Clock>,
}

impl Collector {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn try_new(settings: Otlp, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let certificates =
            CertificateSettings { setting_names: "telemetry.otlp_ca", ca: settings.ca.clone(), identity: None };
        let client = ClientSettings {
            certificates,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            max_connection_age: MAX_CONNECTION_AGE,
        };
        let http = match settings.protocol {
            OtlpProtocol::Http => Outbound::try_new(client, Arc::clone(&clock))?,
            OtlpProtocol::Grpc => Outbound::try_new_http2(client, Arc::clone(&clock))?,
        };
        let url = export_url(&settings);
        Ok(Self { settings, url, http, clock })
    }

    /// Exports, once.
    pub async fn export(&self, request: &ExportTraceServiceRequest) -> Exported {
        let headers = match self.settings.headers.read() {
            Ok(headers) => headers,
            Err(problem) => return Exported::failed(problem),
        };
        let message = request.encode_to_vec();
        match self.settings.protocol {
            OtlpProtocol::Http => self.export_by_http(headers, message).await,
            OtlpProtocol::Grpc => self.export_by_grpc(headers, &message).await,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that calls a collector")]
    async fn send(&self, headers: HeaderMap, content_type: &'static str, body: Vec<u8>) -> Result<Answer, Exported> {
        let request = self.http.client().post(self.url.clone()).headers(headers).header(CONTENT_TYPE, content_type);
        let request = request.header(ACCEPT, content_type).header(ACCEPT_ENCODING, "identity");
        let request = if content_type == grpc::CONTENT_TYPE { request.header(TE, "trailers") } else { request };
        let failed = |error: reqwest::Error| Exported::failed(format!("no answer: {}", error_chain(&error)));
        let response = request.body(body).send().await.map_err(failed)?;
        let (parts, body) = Response::<reqwest::Body>::from(response).into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| Exported::failed(format!("the answer broke off: {error}")))?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, trailers, body: body.to_bytes().to_vec() })
    }

    async fn export_by_http(&self, headers: HeaderMap, message: Vec<u8>) -> Exported {
        let answer = match self.send(headers, "application/x-protobuf", message).await {
            Ok(answer) => answer,
            Err(failed) => return failed,
        };
        let detail = format!("answered {}", answer.status);
        match answer.status {
            200..=299 => Exported::Taken { refused: refused_spans(&answer.body) },
            // What OTLP names as worth a repeat, and a token or an address that somebody may put right.
            401 | 403 | 404 | 408 | 429 | 500..=599 => {
                Exported::Failed { detail, retry_after: longest_retry_after(&answer.headers, self.clock.now()) }
            }
            _ => Exported::Refused(detail),
        }
    }

    async fn export_by_grpc(&self, headers: HeaderMap, message: &[u8]) -> Exported {
        let answer = match self.send(headers, grpc::CONTENT_TYPE, grpc::frame(message)).await {
            Ok(answer) => answer,
            Err(failed) => return failed,
        };
        let Some(status) = GrpcStatus::read(&answer.trailers).or_else(|| GrpcStatus::read(&answer.headers)) else {
            return Exported::failed(format!("answered {} and no gRPC status", answer.status));
        };
        let detail = || format!("gRPC status {}: {}", status.code, status.message);
        match status.code {
            0 => Exported::Taken { refused: grpc::message(&answer.body).and_then(refused_spans) },
            // Permission denied, unimplemented, unauthenticated: somebody may put it right.
            7 | 12 | 16 => Exported::failed(detail()),
            _ if status.is_transient() => Exported::failed(detail()),
            _ => Exported::Refused(detail()),
        }
    }
}

/// What was answered.
struct Answer {
    status: u16,
    headers: HeaderMap,
    trailers: HeaderMap,
    body: Vec<u8>,
}

fn export_url(settings: &Otlp) -> Url {
    let mut url = settings.endpoint.clone();
    let path = url.path().trim_end_matches('/').to_owned();
    match settings.protocol {
        OtlpProtocol::Http if path.ends_with(TRACES_PATH) => {}
        OtlpProtocol::Http => url.set_path(&format!("{path}{TRACES_PATH}")),
        OtlpProtocol::Grpc => url.set_path(grpc::EXPORT_PATH),
    }
    url
}

/// The spans of a request that a collector did not take, though it took the request.
fn refused_spans(body: &[u8]) -> Option<(u64, String)> {
    let refused = ExportTraceServiceResponse::decode(body).ok()?.partial_success?;
    let count = u64::try_from(refused.rejected_spans).ok().filter(|count| *count > 0)?;
    Some((count, format!("the collector refused spans: {}", refused.error_message)))
}

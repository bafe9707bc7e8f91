//! The collector of traces: one export, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Response;
use http_body_util::{BodyExt as _, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, TE};
use url::Url;

use super::grpc::{self, GrpcStatus};
use super::spans::export_request;
use crate::clock::Clock;
use crate::config::{Otlp, OtlpProtocol};
use crate::outbound::{CertificateSettings, ClientSettings, Echo, Outbound, OutboundError, longest_retry_after};
use crate::telemetry::export::{Pushed, Sink, words};
use crate::trace::EndedSpan;

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
        let (ca, identity) = (settings.ca.clone(), settings.identity.clone());
        let setting_names = match (&ca, &identity) {
            (_, None) => "telemetry.otlp_ca",
            (None, Some(_)) => "telemetry.otlp_certificate, telemetry.otlp_key",
            (Some(_), Some(_)) => "telemetry.otlp_ca, telemetry.otlp_certificate, telemetry.otlp_key",
        };
        let certificates = CertificateSettings { setting_names: setting_names.into(), ca, identity };
        let client = ClientSettings {
            certificates,
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
            max_connection_age: MAX_CONNECTION_AGE,
            forward_proxy: settings.forward_proxy.clone(),
        };
        let http = match settings.protocol {
            OtlpProtocol::Http => Outbound::try_new(client, Arc::clone(&clock))?,
            OtlpProtocol::Grpc => Outbound::try_new_http2(client, Arc::clone(&clock))?,
        };
        let url = export_url(&settings);
        Ok(Self { settings, url, http, clock })
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that calls a collector")]
    async fn send(&self, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, String> {
        let content_type = match self.settings.protocol {
            OtlpProtocol::Http => "application/x-protobuf",
            OtlpProtocol::Grpc => grpc::CONTENT_TYPE,
        };
        let request = self.http.client().post(self.url.clone()).headers(headers).header(CONTENT_TYPE, content_type);
        let request = request.header(ACCEPT, content_type).header(ACCEPT_ENCODING, "identity");
        let request = if content_type == grpc::CONTENT_TYPE { request.header(TE, "trailers") } else { request };
        let response =
            request.body(body).send().await.map_err(|error| format!("no answer: {}", self.http.explain(&error)))?;
        let (parts, body) = Response::<reqwest::Body>::from(response).into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| format!("the answer broke off: {error}"))?;
        let trailers = body.trailers().cloned().unwrap_or_default();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, trailers, body: body.to_bytes().to_vec() })
    }
}

#[async_trait]
impl Sink for Collector {
    type Entry = EndedSpan;

    fn encode(&self, batch: Vec<EndedSpan>) -> Vec<u8> {
        let message = export_request(batch).encode_to_vec();
        match self.settings.protocol {
            OtlpProtocol::Http => message,
            OtlpProtocol::Grpc => grpc::frame(&message),
        }
    }

    async fn push(&self, payload: &[u8]) -> Pushed {
        let headers = match self.settings.headers.read() {
            Ok(headers) => headers,
            Err(problem) => return Pushed::failed(problem),
        };
        let echo = Echo::of(&headers);
        match self.send(headers, payload.to_vec()).await {
            Ok(answer) => match self.settings.protocol {
                OtlpProtocol::Http => answer.by_http(&echo, longest_retry_after(&answer.headers, self.clock.now())),
                OtlpProtocol::Grpc => answer.by_grpc(&echo),
            },
            Err(detail) => Pushed::failed(detail),
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

impl Answer {
    fn by_http(&self, echo: &Echo, retry_after: Option<Duration>) -> Pushed {
        match self.status {
            200..=299 => taken(&self.body, echo),
            status => Pushed::of_status(status, format!("answered {status}"), retry_after),
        }
    }

    fn by_grpc(&self, echo: &Echo) -> Pushed {
        let Some(status) = GrpcStatus::read(&self.trailers).or_else(|| GrpcStatus::read(&self.headers)) else {
            // The answer of a proxy, whose statuses gRPC maps as OTLP means them by HTTP.
            return Pushed::of_status(self.status, format!("answered {} and no gRPC status", self.status), None);
        };
        let detail = || format!("gRPC status {}: {}", status.code, words(&status.message, echo));
        match status.code {
            0 => taken(grpc::message(&self.body).unwrap_or_default(), echo),
            _ if status.is_transient() => Pushed::Failed { detail: detail(), retry_after: status.retry_after },
            _ => Pushed::Refused(detail()),
        }
    }
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

/// A request that was taken, with the spans of it that were not.
fn taken(body: &[u8], echo: &Echo) -> Pushed {
    let partial = ExportTraceServiceResponse::decode(body).ok().and_then(|response| response.partial_success);
    let count = |rejected: i64| u64::try_from(rejected).ok().filter(|count| *count > 0);
    match partial.and_then(|partial| Some((count(partial.rejected_spans)?, partial.error_message))) {
        Some((rejected, message)) => {
            Pushed::TakenInPart { rejected, detail: format!("the collector refused spans: {}", words(&message, echo)) }
        }
        None => Pushed::Taken,
    }
}

#[cfg(test)]
mod tests;

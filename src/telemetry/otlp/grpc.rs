//! One unary call of gRPC: a POST by HTTP/2 whose body is a frame with the message, and whose result is in the trailers
//! (gRPC over HTTP/2). A collector is sent one message and answers with one, so this is all that is needed.

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use prost::Message as _;
use reqwest::header::HeaderMap;

/// The method that exports spans.
pub const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// `application/grpc`
pub const CONTENT_TYPE: &str = "application/grpc";

/// A flag (not compressed), the length of the message, the message.
const PREFIX: usize = 5;

/// Results that OTLP names as worth a repeat: cancelled, deadline exceeded, aborted, out of range, unavailable, data loss.
const TRANSIENT: [u16; 6] = [1, 4, 10, 11, 14, 15];

/// A server that is out of resources may be asked again if it says when.
const RESOURCE_EXHAUSTED: u16 = 8;

/// The type of the detail that says when.
const RETRY_INFO: &str = "google.rpc.RetryInfo";

/// Values of headers whose names end with `-bin` may have padding, or not.
const BINARY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcStatus {
    /// 0: done.
    pub code: u16,
    /// What the server says of it.
    pub message: String,
    /// The time that the server wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl GrpcStatus {
    /// The result, from the trailers, or from the headers of a response without a body.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let message = percent_decode_str(text("grpc-message").unwrap_or_default()).decode_utf8_lossy().into_owned();
        let retry_after = text("grpc-status-details-bin").and_then(retry_delay);
        Some(Self { code: text("grpc-status")?.parse().ok()?, message, retry_after })
    }

    /// Whether the same message may be taken later.
    pub fn is_transient(&self) -> bool {
        TRANSIENT.contains(&self.code) || (self.code == RESOURCE_EXHAUSTED && self.retry_after.is_some())
    }
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, prost::Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`
#[derive(Clone, PartialEq, prost::Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// The time in the details of a status; none, if it is there without one.
fn retry_delay(details: &str) -> Option<Duration> {
    let status = RpcStatus::decode(BINARY.decode(details).ok()?.as_slice()).ok()?;
    let is_retry_info = |detail: &&Detail| detail.type_url.rsplit('/').next() == Some(RETRY_INFO);
    let info = RetryInfo::decode(status.details.iter().find(is_retry_info)?.value.as_slice()).ok()?;
    let delay = info.retry_delay.unwrap_or_default();
    Some(Duration::new(
        u64::try_from(delay.seconds).unwrap_or_default(),
        u32::try_from(delay.nanos).unwrap_or_default(),
    ))
}

/// The frame of a message.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(PREFIX + message.len());
    frame.push(0);
    frame.extend(length.to_be_bytes());
    frame.extend(message);
    frame
}

/// The message in a frame that is not compressed.
pub fn message(frame: &[u8]) -> Option<&[u8]> {
    let (&[0, a, b, c, d], message) = frame.split_first_chunk::<PREFIX>()? else { return None };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    message.get(..length)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_message_travels_in_a_frame() {
        assert_eq!(frame(b"abc"), [0, 0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(message(&frame(b"abc")), Some(b"abc".as_slice()));
        for damaged in [&[][..], &[0, 0, 0], &[1, 0, 0, 0, 1, 7], &[0, 0, 0, 0, 9, 7]] {
            assert_eq!(message(damaged), None, "{damaged:?}");
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        pairs.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }

    fn details(retry_delay: Option<Delay>) -> String {
        let info = RetryInfo { retry_delay }.encode_to_vec();
        let other = Detail { type_url: "type.googleapis.com/google.rpc.Help".to_owned(), value: vec![1] };
        let info = Detail { type_url: format!("type.googleapis.com/{RETRY_INFO}"), value: info };
        BINARY.encode(RpcStatus { details: vec![other, info] }.encode_to_vec())
    }

    #[test]
    fn a_result_is_worth_a_repeat_if_otlp_says_so() {
        let transient = [1, 4, 10, 11, 14, 15];
        for code in 1..=16 {
            let status = GrpcStatus::read(&headers(&[("grpc-status", &code.to_string())])).unwrap();
            assert_eq!(status.is_transient(), transient.contains(&code), "{code}");
        }
        assert_eq!(GrpcStatus::read(&HeaderMap::new()), None);
    }

    #[test]
    fn a_server_that_is_out_of_resources_is_asked_again_if_it_says_when() {
        let padded = details(Some(Delay { seconds: 7, nanos: 500_000_000 }));
        let bare = padded.trim_end_matches('=');
        for (details, expected) in [
            (padded.as_str(), Some(Duration::from_millis(7_500))),
            (bare, Some(Duration::from_millis(7_500))),
            (&details(None), Some(Duration::ZERO)),
            (&details(Some(Delay { seconds: -1, nanos: -1 })), Some(Duration::ZERO)),
            ("", None),
            ("nonsense", None),
            (&BINARY.encode(RpcStatus { details: vec![] }.encode_to_vec()), None),
        ] {
            for (code, without) in [("8", false), ("14", true)] {
                let pairs = [("grpc-status", code), ("grpc-status-details-bin", details)];
                let status = GrpcStatus::read(&headers(&pairs)).unwrap();
                let found = (status.retry_after, status.is_transient());
                assert_eq!(found, (expected, expected.is_some() || without), "{code} {details}");
            }
        }
    }

    #[test]
    fn a_message_is_percent_encoded() {
        let pairs = [("grpc-status", "3"), ("grpc-message", "no%20room: 50%25 of Gr%C3%B6%C3%9Fe %zz")];
        assert_eq!(GrpcStatus::read(&headers(&pairs)).unwrap().message, "no room: 50% of Größe %zz");
    }
}

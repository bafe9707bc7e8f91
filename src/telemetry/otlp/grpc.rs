//! One unary call of gRPC: a POST by HTTP/2 whose body is a frame with the message, and whose result is in the trailers
//! (gRPC over HTTP/2). A collector is sent one message and answers with one, so this is all that is needed.

use reqwest::header::HeaderMap;

/// The method that exports spans.
pub const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// `application/grpc`
pub const CONTENT_TYPE: &str = "application/grpc";

/// A flag (not compressed), the length of the message, the message.
const PREFIX: usize = 5;

/// Results that OTLP names as worth a repeat: cancelled, deadline exceeded, aborted, out of range, unavailable, data loss.
/// A server that is out of resources (8) says when to come again by details that are not read: it is asked again as well.
const TRANSIENT: [u16; 7] = [1, 4, 8, 10, 11, 14, 15];

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcStatus {
    /// 0: done.
    pub code: u16,
    /// What the server says of it.
    pub message: String,
}

impl GrpcStatus {
    /// The result, from the trailers, or from the headers of a response without a body.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Some(Self { code: text("grpc-status")?.parse().ok()?, message: text("grpc-message").unwrap_or_default() })
    }

    /// Whether the same message may be taken later.
    pub fn is_transient(&self) -> bool {
        TRANSIENT.contains(&self.code)
    }
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
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_message_travels_in_a_frame() {
        assert_eq!(frame(b"abc"), [0, 0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(message(&frame(b"abc")), Some(b"abc".as_slice()));
        for damaged in [&[][..], &[0, 0, 0], &[1, 0, 0, 0, 1, 7], &[0, 0, 0, 0, 9, 7]] {
            assert_eq!(message(damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn a_result_says_whether_a_repeat_may_help() {
        for (code, expected) in [("0", false), ("3", false), ("7", false), ("14", true), ("16", false), ("8", true)] {
            let headers = HeaderMap::from_iter([(
                reqwest::header::HeaderName::from_static("grpc-status"),
                HeaderValue::from_str(code).unwrap(),
            )]);
            assert_eq!(GrpcStatus::read(&headers).unwrap().is_transient(), expected, "{code}");
        }
        assert_eq!(GrpcStatus::read(&HeaderMap::new()), None);
    }
}

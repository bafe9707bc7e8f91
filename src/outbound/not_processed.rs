//! Failures that prove that the other side has not processed a request.

use std::error::Error;

use h2::Reason;

/// Whether a request that failed without an answer was provably not processed: sending it again can't double its effect.
///
/// HTTP/2 (RFC 9113 §8.7) proves it by a stream above the last one that a GOAWAY names, and by REFUSED_STREAM. hyper proves
/// it for a request that it returns unsent, because the connection was closed before. Nothing else counts: a stream that a
/// GOAWAY covers, another reason of a reset, or a connection that breaks may all follow the request's effect.
pub fn is_not_processed(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(current) = cause {
        if is_unsent(current) || is_left_alone(current) {
            return true;
        }
        cause = current.source();
    }
    false
}

/// hyper's "canceled": it still had the whole request when the connection was found closed.
fn is_unsent(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
}

/// The other side says that it has left the stream alone.
///
/// h2 gives the error of a received GOAWAY to streams above its last one, and to new ones. Streams up to the last one go on,
/// and get the connection's own error when it ends. Only hyper may give the error to such a stream, if the GOAWAY arrives
/// while it opens it: then it has not begun with the body, and an order without its body is none.
fn is_left_alone(cause: &(dyn Error + 'static)) -> bool {
    cause.downcast_ref::<h2::Error>().is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        error.is_remote() && (error.is_go_away() || is_refused)
    })
}

#[cfg(test)]
mod tests {
    //! What HTTP/2 proves is tested against a server that writes its frames by hand (`tests/api/http2_failures.rs`).

    use hyper::Request;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

    use super::*;

    /// How a request fails whose connection ends after `before_the_end`.
    async fn failure(before_the_end: impl AsyncFnOnce(&mut DuplexStream)) -> hyper::Error {
        let (client, mut server) = duplex(4096);
        let (mut sender, connection) = http1::handshake(TokioIo::new(client)).await.unwrap();
        let sent = sender.send_request(Request::post("/").body("order".to_owned()).unwrap());
        let end = async {
            before_the_end(&mut server).await;
            drop(server);
        };
        // The end comes first, if nothing has to happen before it.
        let ((), _, sent) = tokio::join!(biased; end, connection, sent);
        sent.unwrap_err()
    }

    #[tokio::test]
    async fn only_a_request_that_was_never_written_is_unsent() {
        let error = failure(async |_| {}).await;
        assert!(is_unsent(&error), "{error:?}");
        let error = failure(async |server| {
            server.read_u8().await.unwrap();
        })
        .await;
        assert!(!is_unsent(&error), "{error:?}");
    }
}

//! Problem bodies for requests that hyper's HTTP/1 parser refuses.
//!
//! hyper answers such a request itself, with a status line and no body, before any service sees it. The stream around
//! the socket recognises that answer by its empty body and by the missing request id, which every answer of the service
//! has, and replaces it.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::early_answer::refusal;
use crate::problem::{Problem, ProblemKind, Refusals};

/// A stream whose outgoing parser errors have problem bodies.
#[derive(Debug)]
pub struct ExplainParserErrors<S> {
    stream: S,
    client: IpAddr,
    refusals: Arc<Refusals>,
    /// What is left to write of a replacement, and how many bytes of hyper's it stands for.
    replacement: Option<(Vec<u8>, usize)>,
}

impl<S> ExplainParserErrors<S> {
    /// Wraps a client's stream.
    pub const fn new(stream: S, client: IpAddr, refusals: Arc<Refusals>) -> Self {
        Self { stream, client, refusals, replacement: None }
    }
}

/// The problem for an answer that the parser wrote; `None` for every other answer.
fn explanation(answer: &[u8]) -> Option<Problem> {
    let status = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    if !status.starts_with(b"4") {
        return None;
    }
    let head = std::str::from_utf8(answer).ok()?.to_ascii_lowercase();
    if !head.ends_with("\r\n\r\n") || !head.contains("\r\ncontent-length: 0\r\n") || head.contains("\r\nx-request-id:")
    {
        return None;
    }
    let kind = ProblemKind::of_status(StatusCode::from_bytes(status).ok()?);
    let detail = match kind {
        ProblemKind::MALFORMED_REQUEST => "the request can't be read as HTTP",
        ProblemKind::HEADERS_TOO_LARGE => "the headers are larger than the service reads",
        ProblemKind::URI_TOO_LONG => "the request's target is too long",
        _ => return None,
    };
    Some(Problem::new(kind, detail))
}

impl<S: AsyncWrite + Unpin> ExplainParserErrors<S> {
    /// Writes the rest of a replacement, then reports the bytes that it stands for as written.
    fn poll_replacement(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some((rest, replaced)) = &mut self.replacement {
            if rest.is_empty() {
                let replaced = *replaced;
                self.replacement = None;
                return Poll::Ready(Ok(replaced));
            }
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            rest.drain(..written);
        }
        Poll::Ready(Ok(0))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ExplainParserErrors<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ExplainParserErrors<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.replacement.is_none() {
            let Some(problem) = explanation(bytes) else {
                return Pin::new(&mut self.stream).poll_write(context, bytes);
            };
            self.replacement = Some((refusal(&problem, self.client, &self.refusals), bytes.len()));
        }
        self.poll_replacement(context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match parts {
            // A parser error is one part; with more, there is a body.
            [only] => self.poll_write(context, only),
            several => Pin::new(&mut self.stream).poll_write_vectored(context, several),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_the_parser_are_explained() {
        let kind = |answer: &str| explanation(answer.as_bytes()).map(|problem| problem.kind());
        let empty = |status: &str| format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\ndate: x\r\n\r\n");
        assert_eq!(kind(&empty("400 Bad Request")), Some(ProblemKind::MALFORMED_REQUEST));
        assert_eq!(kind(&empty("431 Request Header Fields Too Large")), Some(ProblemKind::HEADERS_TOO_LARGE));
        assert_eq!(kind(&empty("414 URI Too Long")), Some(ProblemKind::URI_TOO_LONG));
        for other in [
            empty("200 OK"),
            empty("404 Not Found"),
            "HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}".to_owned(),
            "HTTP/1.1 4".to_owned(),
            String::new(),
        ] {
            assert_eq!(kind(&other), None, "{other}");
        }
    }
}

//! Requests that break the rules of HTTP: each gets a problem body, whoever refuses it, the parser or the service.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Service, json_body};

/// Sends bytes and returns everything that is answered until the service closes the connection.
async fn exchange(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset after the answer has been read is closed, too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_request_that_the_parser_refuses_gets_a_problem_body() {
    let service = Service::start().await;
    let long = |size: usize| "a".repeat(size);
    let cases = [
        ("GARBAGE\r\n\r\n".to_owned(), 400, "malformed-request"),
        ("GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n".to_owned(), 400, "malformed-request"),
        ("GET /livez HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n".to_owned(), 400, "malformed-request"),
        ("\x16\x03\x01\x02\x00\x01".to_owned() + &long(600), 400, "malformed-request"),
        (format!("GET /livez HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", long(300_000)), 431, "headers-too-large"),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", long(65_600)), 414, "uri-too-long"),
    ];
    for (request, status, problem) in cases {
        let answer = exchange(&service, request.as_bytes()).await;
        let shown = &request[..request.len().min(40)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}");
        let body = json_body(&answer);
        assert_eq!((&body["type"], &body["status"]), (&format!("/problems/{problem}").into(), &status.into()));
        let id = body["requestId"].as_str().unwrap();
        for header in [&format!("x-request-id: {id}"), "content-type: application/problem+json", "api-version: 2"] {
            assert!(answer.contains(header), "{shown:?} lacks {header}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_refused_request_spoils_no_answer_before_it() {
    let service = Service::start().await;
    let answers = exchange(&service, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n").await;
    assert!(
        answers.starts_with("HTTP/1.1 200 OK") && answers.contains("{\"status\":\"alive\"}HTTP/1.1 400 "),
        "{answers}"
    );
    assert!(answers.contains("/problems/malformed-request"), "{answers}");
}

#[tokio::test]
async fn http_1_0_demands_no_host() {
    let service = Service::start().await;
    let answer = exchange(&service, b"GET /livez HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
}

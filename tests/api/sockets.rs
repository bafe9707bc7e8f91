//! Raw connections: HTTP/1.0, HTTP/2 with prior knowledge, slow and silent clients, bytes that are no HTTP.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Answer, ORDERS, Service, cart};

async fn read_until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes))
        .await
        .expect("the connection stays open")
        .unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn http_1_0_is_served() {
    let service = Service::start().await;
    let body = cart(1).to_string();
    let request = format!(
        "POST {ORDERS} HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        service.issuer.token(),
        body.len()
    );
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.0 201") && answer.contains("4500000001"), "{answer}");
}

#[tokio::test]
async fn http_2_with_prior_knowledge_is_served() {
    let service = Service::start().await;
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let answer = client.get(service.url("/livez")).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (reqwest::Version::HTTP_2, 200));
}

#[tokio::test]
async fn an_answer_to_head_has_the_length_of_the_content_and_no_content() {
    let service = Service::start().await;
    let http_2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    for (client, path, status) in [&service.client, &http_2].into_iter().flat_map(|client| {
        [("/livez", 200), ("/nope", 404), (ORDERS, 401)].map(|(path, status)| (client, path, status))
    }) {
        let (get, head) = (client.get(service.url(path)).send(), client.head(service.url(path)).send());
        let (get, head) = (get.await.unwrap(), head.await.unwrap());
        assert_eq!((get.status().as_u16(), head.status().as_u16()), (status, status), "{path}");
        assert_eq!(head.headers()["content-length"].len(), get.headers()["content-length"].len(), "{path}");
        assert!(head.headers().contains_key("api-version"), "{path}");
        assert_eq!(head.bytes().await.unwrap().len(), 0, "{path}");
    }
}

#[tokio::test]
async fn a_silent_or_slow_connection_is_closed_while_others_are_served() {
    let times = "server.limits.first_byte = \"300ms\"\nserver.limits.header_time = \"300ms\"";
    let service = Service::start_with(times).await;
    let mut silent = TcpStream::connect(service.address).await.unwrap();
    let mut trickling = TcpStream::connect(service.address).await.unwrap();
    trickling.write_all(b"P").await.unwrap();
    let mut half = TcpStream::connect(service.address).await.unwrap();
    half.write_all(b"POST /v2/purchase-orders HTTP/1.1\r\nHost:").await.unwrap();
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let (silent, trickling, half) =
        tokio::join!(read_until_closed(&mut silent), read_until_closed(&mut trickling), read_until_closed(&mut half));
    assert!(silent.starts_with("HTTP/1.1 408"), "{silent}");
    assert!(trickling.is_empty() || trickling.starts_with("HTTP/1.1 4"), "{trickling}");
    assert!(half.is_empty() || half.starts_with("HTTP/1.1 4"), "{half}");
}

#[tokio::test]
async fn bytes_that_are_no_http_do_no_harm() {
    let service = Service::start().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream
        .write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, b'\r', b'\n', b'\r', b'\n'])
        .await
        .unwrap();
    let answer = read_until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400") || answer.is_empty(), "{answer}");
    assert_eq!(service.send(&cart(1)).await.status, 201);
}

#[tokio::test]
async fn headers_over_the_limit_are_refused() {
    let service = Service::start().await;
    let request = service.client.get(service.url("/livez")).header("x-large", "x".repeat(64 * 1024)).send().await;
    match request {
        Ok(answer) => assert_eq!(Answer::of(answer).await.status, 431),
        Err(error) => assert!(!error.is_timeout(), "{error}"),
    }
    assert_eq!(service.send(&cart(1)).await.status, 201);
}

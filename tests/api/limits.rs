//! Every input has a limit with a setting, and a caller over it gets a clear answer. Memory under attack has
//! `tests/chaos/siege.rs`.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Answer, ORDERS, Service, cart};

async fn batch(service: &Service, carts: &[Value]) -> Answer {
    let request = service.client.post(service.url(&format!("{ORDERS}/batch"))).bearer_auth(service.issuer.token());
    Answer::of(request.json(carts).send().await.unwrap()).await
}

/// Everything until the other side closes the connection.
async fn read_until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "the connection stays open");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn head(service: &Service, length: usize) -> String {
    let token = service.issuer.token();
    format!(
        "POST {ORDERS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_body_has_one_limit_as_sent_and_another_unpacked() {
    let limits = "server.max_body = \"2KiB\"\nserver.limits.unpacked_body = \"4KiB\"";
    let service = Service::start_with(limits).await;
    let packed = |size: usize| {
        let mut padded = cart(1);
        padded["HEADER"]["ZZ_PADDING"] = json!("x".repeat(size));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(padded.to_string().as_bytes()).unwrap();
        service.post(encoder.finish().unwrap()).header("content-encoding", "gzip").send()
    };
    assert_eq!(packed(3_000).await.unwrap().status(), 201);
    Answer::of(packed(5_000).await.unwrap()).await.is_problem(413, "too-large");
    let plain = service.post(" ".repeat(3_000)).send().await.unwrap();
    Answer::of(plain).await.is_problem(413, "too-large");
}

#[tokio::test]
async fn a_batch_has_a_limit_on_its_bytes_and_on_its_carts() {
    let service = Service::start_with("server.limits.batch_carts = 2\nserver.limits.batch_body = \"4KiB\"").await;
    assert_eq!(batch(&service, &[cart(1), cart(2)]).await.status, 200);
    let many = batch(&service, &[cart(1), cart(2), cart(3)]).await;
    many.is_problem(413, "too-large");
    assert_eq!(many.body["detail"], "the batch has more than 2 carts");
    let mut large = cart(4);
    large["HEADER"]["ZZ_PADDING"] = json!("x".repeat(5_000));
    batch(&service, &[large]).await.is_problem(413, "too-large");
}

#[tokio::test]
async fn a_batch_beyond_the_limit_waits_to_be_read() {
    let service = Service::start_with("server.limits.batches = 1\nserver.limits.body_time = \"1s\"").await;
    let token = service.issuer.token();
    let mut slow = TcpStream::connect(service.address).await.unwrap();
    let begun = format!(
        "POST {ORDERS}/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n["
    );
    slow.write_all(begun.as_bytes()).await.unwrap();
    // Until the slow batch has its permit, and long before its body times out.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let carts = [cart(1)];
    let mut other = std::pin::pin!(batch(&service, &carts));
    assert!(
        tokio::time::timeout(Duration::from_millis(200), &mut other).await.is_err(),
        "two batches were read at a time"
    );
    assert_eq!(service.send(&cart(2)).await.status, 201, "single carts do not wait");
    assert!(read_some(&mut slow).await.starts_with("HTTP/1.1 408"));
    assert_eq!(other.await.status, 200);
}

/// The first bytes of an answer.
async fn read_some(stream: &mut TcpStream) -> String {
    let mut begin = vec![0; 64];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut begin)).await;
    String::from_utf8_lossy(&begin[..read.expect("it is answered").unwrap()]).into_owned()
}

#[tokio::test]
async fn the_http_2_settings_announce_the_limit_on_streams() {
    let service = Service::start_with("server.limits.streams = 7").await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await.unwrap();
    let mut settings = vec![0; 256];
    let read = stream.read(&mut settings).await.unwrap();
    // SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 §6.5.2)
    assert!(settings[..read].windows(6).any(|setting| setting == [0, 3, 0, 0, 0, 7]), "{:?}", &settings[..read]);
}

#[tokio::test]
async fn json_has_a_limit_on_its_depth_and_a_cart_on_its_rows() {
    let service = Service::start_with("server.limits.json_depth = 4\nserver.limits.items = 2").await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    let mut deep = cart(2);
    deep["HEADER"]["ZZ_DEEP"] = json!([[[1]]]);
    let answer = service.send(&deep).await;
    answer.is_problem(400, "malformed-json");
    assert!(answer.body["detail"].as_str().unwrap().contains("nested too deep"), "{}", answer.text);
    let mut long = cart(3);
    long["ITEM"] = json!([long["ITEM"][0], long["ITEM"][0], long["ITEM"][0]]);
    let answer = service.send(&long).await;
    answer.is_problem(422, "invalid-cart");
    assert!(answer.text.contains("ITEM has 3 rows; at most 2 are taken"), "{}", answer.text);
    let in_a_batch = batch(&service, &[deep, long, cart(4)]).await;
    let statuses: Vec<_> = (0..3).map(|at| in_a_batch.body["results"][at]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [400, 422, 201]);
}

#[tokio::test]
async fn headers_have_a_limit() {
    let service = Service::start_with("server.limits.headers = \"8KiB\"").await;
    let with = |bytes: usize| service.client.get(service.url("/livez")).header("x-long", "x".repeat(bytes)).send();
    assert_eq!(with(8_000).await.unwrap().status(), 200);
    // Far over the limit, the parser refuses the request before it has a problem body.
    assert!(with(20_000).await.is_ok_and(|answer| answer.status() == 431));
}

/// An HTTP/2 client that holds one connection.
fn http_2() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().http2_prior_knowledge().pool_max_idle_per_host(1).build().unwrap()
}

#[tokio::test]
async fn headers_of_http_2_have_the_same_limit() {
    let service = Service::start_with("server.limits.headers = \"8KiB\"").await;
    let client = http_2();
    let with = |bytes: usize| client.get(service.url("/livez")).header("x-long", "x".repeat(bytes)).send();
    assert_eq!(with(8_000).await.unwrap().status(), 200);
    Answer::of(with(8_200).await.unwrap()).await.is_problem(431, "headers-too-large");
}

#[tokio::test]
async fn an_idle_http_2_connection_is_closed() {
    let times = "server.limits.idle_time = \"200ms\"\nserver.limits.header_time = \"100ms\"";
    let service = Service::start_with(times).await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    // The preface, empty SETTINGS, and HEADERS of GET http /livez: indexed fields of the static table and a literal path.
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".to_vec();
    bytes.extend(b"\x00\x00\x0d\x01\x05\x00\x00\x00\x01\x82\x86\x04\x06/livez\x41\x01x");
    stream.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection stays open");
    assert!(answer.windows(2).any(|bytes| bytes == b"ok" || bytes == b"OK") || answer.len() > 100, "it was served");
}

#[tokio::test]
async fn a_client_that_reads_no_answer_loses_its_connection() {
    let times =
        "server.limits.idle_time = \"300ms\"\nserver.limits.header_time = \"100ms\"\nserver.limits.connections = 1";
    let service = Service::start_with(times).await;
    let mut slow = TcpStream::connect(service.address).await.unwrap();
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(8);
    slow.write_all(request.as_bytes()).await.unwrap();
    for _ in 0..200 {
        if service.client.get(service.url("/livez")).send().await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the connection is held for ever");
}

#[tokio::test]
async fn callers_without_a_valid_token_hold_no_permit() {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let settings = format!(
        "server.max_in_flight = 1\nserver.limits.queries = 1\nauth.introspection.url = {:?}\n\
         auth.introspection.client_id = \"purchase-order-webhook\"\nauth.introspection.client_secret = \"webhook-secret\"",
        issuer.introspection_url().as_str()
    );
    let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.issuer.set_latency(Duration::from_secs(2));
    let forged =
        |number: usize| service.client.post(service.url(ORDERS)).bearer_auth(format!("forged-{number}")).send();
    let forged: Vec<_> = (0..20).map(|number| tokio::spawn(forged(number))).collect();
    for number in 2..10 {
        assert_eq!(service.send(&cart(number)).await.status, 201, "callers with remembered tokens are served");
        assert_eq!(service.get(ORDERS).await.status, 200);
    }
    for call in forged {
        assert_eq!(call.await.unwrap().unwrap().status(), 401);
    }
}

#[tokio::test]
async fn a_token_has_a_limit() {
    let service = Service::start_with("auth.max_token = \"1KiB\"").await;
    assert_eq!(service.get(ORDERS).await.status, 200);
    let mut claims = service.issuer.claims();
    claims["padding"] = json!("x".repeat(1_000));
    let token = service.issuer.sign(&json!({ "alg": "RS256", "kid": service.issuer.kid() }), &claims);
    let answer = Answer::of(service.client.get(service.url(ORDERS)).bearer_auth(token).send().await.unwrap()).await;
    assert_eq!((answer.status, answer.body["detail"].as_str()), (401, Some("the token is too long")));
}

#[tokio::test]
async fn headers_and_bodies_that_trickle_are_cut_off() {
    let times = "server.limits.header_time = \"300ms\"\nserver.limits.body_time = \"300ms\"";
    let service = Service::start_with(times).await;
    let trickle = |mut stream: TcpStream, begun: String| async move {
        stream.write_all(begun.as_bytes()).await.unwrap();
        let (mut read, mut write) = stream.into_split();
        let more = tokio::spawn(async move {
            // Until the other side has enough of it.
            while write.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), read.read_to_end(&mut bytes)).await;
        more.abort();
        assert!(read.is_ok(), "the connection stays open");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let connect = || TcpStream::connect(service.address);
    let of_headers = trickle(connect().await.unwrap(), "GET /livez HTTP/1.1\r\nHost: ".to_owned()).await;
    assert!(of_headers.is_empty() || of_headers.starts_with("HTTP/1.1 4"), "{of_headers}");
    let of_body = trickle(connect().await.unwrap(), head(&service, 100_000)).await;
    assert!(of_body.starts_with("HTTP/1.1 408") && of_body.contains("did not arrive within"), "{of_body}");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let times = "server.limits.idle_time = \"300ms\"\nserver.limits.header_time = \"100ms\"";
    let service = Service::start_with(times).await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = read_until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_connection_beyond_the_limit_gets_503() {
    let service = Service::start_with("server.limits.connections = 3").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).await.unwrap();
        held.push(stream);
    }
    let mut beyond = TcpStream::connect(service.address).await.unwrap();
    let answer = read_until_closed(&mut beyond).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("/problems/overloaded"), "{answer}");
    assert!(answer.contains("retry-after: "), "{answer}");
    let probe = service.client.get(format!("http://{}/readyz", service.management)).send().await.unwrap();
    assert_eq!(probe.status(), 200, "probes have connections of their own");
    held.pop();
    for _ in 0..200 {
        if service.client.get(service.url("/livez")).send().await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a closed connection does not make room");
}

#[tokio::test]
async fn queries_have_a_limit_of_their_own() {
    let service = Service::start_with("server.limits.queries = 1\nserver.limits.body_time = \"2s\"").await;
    let token = service.issuer.token();
    assert_eq!(service.send(&cart(1)).await.status, 201);
    // A body that does not arrive holds the only permit.
    let mut holding = TcpStream::connect(service.address).await.unwrap();
    let begun = format!(
        "POST {ORDERS}/1/resolve HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    );
    holding.write_all(begun.as_bytes()).await.unwrap();
    for _ in 0..100 {
        let answer = service.get(ORDERS).await;
        if answer.status == 503 {
            answer.is_problem(503, "overloaded");
            assert_eq!(service.send(&cart(2)).await.status, 201, "carts have permits of their own");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the second query had a permit");
}

//! A rolling stop, as callers and the platform see it: between SIGTERM and the drain nobody is refused.

use reqwest::{Client, Version};

use crate::process::Process;
use crate::support::{ORDERS, cart};

/// Longer than any test runs: a second signal ends it.
const LONG_DELAY: &str = "server.stop_delay = \"1h\"";

async fn ready(process: &Process, address: &str) -> u16 {
    process.client.get(format!("http://{address}/readyz")).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn between_sigterm_and_the_drain_callers_are_served_and_the_service_is_not_ready() {
    let process = Process::start(LONG_DELAY).await;
    let kept = Client::builder().no_proxy().build().unwrap();
    let multiplexed = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let post = async |client: &Client, number: u32| {
        let request = client.post(format!("http://{}{ORDERS}", process.address)).bearer_auth(process.issuer.token());
        request.header("content-type", "application/json").body(cart(number).to_string()).send().await
    };
    for client in [&kept, &multiplexed] {
        assert!(post(client, 1).await.unwrap().status().is_success());
    }
    assert_eq!(ready(&process, &process.management).await, 200);

    process.terminate();
    while ready(&process, &process.management).await != 503 {}
    assert_eq!(ready(&process, &process.address).await, 503, "on the API's address as well");
    let alive = process.client.get(format!("http://{}/livez", process.management)).send().await.unwrap();
    assert_eq!(alive.status(), 200);
    for number in 10..30 {
        let fresh = Client::builder().no_proxy().build().unwrap();
        for (client, number) in [(&fresh, number), (&kept, number + 100), (&multiplexed, number + 200)] {
            let answer = post(client, number).await.expect("nobody is refused");
            assert_eq!(answer.status(), 201);
            let is_closed = answer.headers().get("connection").is_some_and(|value| value == "close");
            assert_eq!(is_closed, answer.version() == Version::HTTP_11, "clients of HTTP/1 are asked to connect anew");
        }
    }

    process.terminate();
    let lines = process.stop_of_itself().await;
    let messages: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert!(messages.contains(&"a second signal ends server.stop_delay: the drain begins"), "{messages:?}");
    assert_eq!(messages.last(), Some(&"the service has stopped; open orders continue at its next start"));
}

#[tokio::test]
async fn a_connection_of_http_2_that_was_there_before_the_stop_is_told_to_go() {
    let process = Process::start(LONG_DELAY).await;
    let client = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/livez", process.address);
    let before = client.get(&url).send().await.unwrap().remote_addr();
    let mut raw = tokio::net::TcpStream::connect(&process.address).await.unwrap();
    // The preface and an empty SETTINGS frame (RFC 9113 §3.4).
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    tokio::io::AsyncWriteExt::write_all(&mut raw, &preface).await.unwrap();
    assert!(next_frame(&mut raw, SETTINGS).await, "the server has taken the connection");
    process.terminate();
    assert!(next_frame(&mut raw, GOAWAY).await, "an idle connection gets GOAWAY");
    assert_eq!(client.get(&url).send().await.unwrap().remote_addr(), before, "and a new one is accepted");
    process.terminate();
    process.stop_of_itself().await;
}

/// The types of frames (RFC 9113 §6.5 and §6.8).
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// Reads frames until one of a type; `false` if the connection ends before.
async fn next_frame(stream: &mut tokio::net::TcpStream, kind: u8) -> bool {
    use tokio::io::AsyncReadExt as _;
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).await.is_err() {
            return false;
        }
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == kind {
            return true;
        }
    }
}

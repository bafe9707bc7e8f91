//! Request bodies are read or refused before the cart matters: compressed, with a byte order mark, too large, too deep, not
//! UTF-8, not JSON. The contents of carts have tests in `src/cart` and `src/mapping`.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::support::{Answer, Service, cart};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn compressed_bodies_and_bodies_with_a_byte_order_mark_are_read() {
    let service = Service::start().await;
    let text = |number| cart(number).to_string();
    let zlib = |text: String| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(answer(service.post(format!("\u{feff}{}", text(1)))).await.status, 201);
    assert_eq!(answer(service.post(gzip(text(2).as_bytes())).header("content-encoding", "gzip")).await.status, 201);
    assert_eq!(answer(service.post(gzip(text(4).as_bytes())).header("content-encoding", "X-GZIP")).await.status, 201);
    assert_eq!(answer(service.post(zlib(text(3))).header("content-encoding", "deflate")).await.status, 201);
}

#[tokio::test]
async fn a_body_that_contradicts_its_content_encoding_is_refused() {
    let service = Service::start().await;
    let mut broken = gzip(cart(1).to_string().as_bytes());
    broken.truncate(20);
    answer(service.post(broken).header("content-encoding", "gzip")).await.is_problem(400, "malformed-json");
    answer(service.post("plain").header("content-encoding", "gzip")).await.is_problem(400, "malformed-json");
    answer(service.post("x").header("content-encoding", "br")).await.is_problem(415, "unsupported-media-type");
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
    raw.write_all(b"{}").unwrap();
    assert!(answer(service.post(raw.finish().unwrap()).header("content-encoding", "deflate")).await.status < 500);
}

#[tokio::test]
async fn a_gzip_bomb_is_refused_by_its_unpacked_size() {
    let service = Service::start().await;
    let bomb = gzip(&vec![b' '; 50 * 1024 * 1024]);
    assert!(bomb.len() < 1024 * 1024, "the bomb itself is below the limit");
    answer(service.post(bomb).header("content-encoding", "gzip")).await.is_problem(413, "too-large");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_a_length() {
    let service = Service::start_with("server.max_body = \"10KiB\"").await;
    answer(service.post(vec![b' '; 10 * 1024 + 1])).await.is_problem(413, "too-large");
    let chunks = body_in_chunks(vec![vec![b' '; 6 * 1024]; 2]);
    answer(service.post(reqwest::Body::wrap(chunks))).await.is_problem(413, "too-large");
    assert_eq!(answer(service.post(cart(1).to_string())).await.status, 201);
}

/// A body in chunks, so without Content-Length.
fn body_in_chunks(
    chunks: Vec<Vec<u8>>,
) -> impl hyper::body::Body<Data = axum::body::Bytes, Error = std::convert::Infallible> + Send + Sync + Unpin {
    struct Chunks(std::collections::VecDeque<Vec<u8>>);
    impl hyper::body::Body for Chunks {
        type Data = axum::body::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            std::task::Poll::Ready(self.0.pop_front().map(|chunk| Ok(hyper::body::Frame::data(chunk.into()))))
        }
    }
    Chunks(chunks.into())
}

#[tokio::test]
async fn a_hundred_thousand_brackets_are_refused() {
    let service = Service::start().await;
    let brackets = "[".repeat(100_000);
    for body in [
        brackets.clone(),
        format!("{{\"CART\":{{\"HEADER\":{brackets}"),
        format!("{{\"HEADER\":{{\"X\":{brackets}{}}}}}", "]".repeat(100_000)),
    ] {
        answer(service.post(body)).await.is_problem(400, "malformed-json");
    }
}

#[tokio::test]
async fn text_that_is_no_json_is_refused() {
    let service = Service::start().await;
    for body in ["", "{", "nonsense", "{} {}"] {
        answer(service.post(body)).await.is_problem(400, "malformed-json");
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused() {
    let service = Service::start().await;
    let utf16: Vec<u8> = cart(1).to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    answer(service.post([b"\xFF\xFE".as_slice(), &utf16].concat())).await.is_problem(415, "unsupported-media-type");
    answer(service.post(utf16)).await.is_problem(415, "unsupported-media-type");
    answer(service.post(b"{\"HEADER\":{\"DESCRIPTION\":\"M\xFCller\"}}".to_vec()))
        .await
        .is_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let service = Service::start().await;
    let post = |content_type: Option<&str>| {
        let request =
            service.client.post(service.url("/v2/purchase-orders")).bearer_auth(service.issuer.token()).body("{}");
        content_type.map_or(request.try_clone().unwrap(), |value| request.header("content-type", value))
    };
    for content_type in [None, Some("application/x-www-form-urlencoded"), Some("application/json; charset=utf-16")] {
        answer(post(content_type)).await.is_problem(415, "unsupported-media-type");
    }
}

#[tokio::test]
async fn json_that_is_no_cart_is_an_invalid_cart() {
    let service = Service::start().await;
    for body in ["[]", "null", "1", "{}", "{\"HEADER\":[]}", "{\"HEADER\":{},\"ITEM\":\"x\"}"] {
        answer(service.post(body)).await.is_problem(422, "invalid-cart");
    }
}

//! A key that is replaced while a fetch is under way, at an issuer whose every answer is given by hand.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::*;
use crate::clock::ManualClock;
use crate::config::{ForwardProxy, Settings};
use crate::outbound::{CertificateSettings, ClientSettings};

/// A key set of one key, which has no name.
fn key_set(octet: u8) -> String {
    let modulus = [vec![octet | 0x80], vec![octet; 254], vec![1]].concat();
    json!({ "keys": [{ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" }] }).to_string()
}

/// The keys of an issuer that answers each request as soon as there is an answer.
async fn keys() -> (Arc<KeySet>, Arc<ManualClock>, UnboundedSender<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let (answers, mut given) = unbounded_channel::<String>();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let Some(body) = given.recv().await else { return };
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    let settings = format!(
        "[auth]\nissuer = \"x\"\naudience = \"x\"\njwks_url = {url:?}\n[target]\nbase_url = \"https://x.example\"\n\
         [target.oauth2]\ntoken_url = \"https://x.example\"\nclient_id = \"x\"\nclient_secret = \"x\"\n"
    );
    let auth = Settings::parse("test", &settings, &BTreeMap::new()).unwrap().auth;
    let clock = Arc::new(ManualClock::default());
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let client = ClientSettings {
        certificates: CertificateSettings { setting_names: "auth.ca".into(), ca: None, identity: None },
        connect_timeout: auth.timeout,
        timeout: auth.timeout,
        max_connection_age: auth.timeout,
        forward_proxy: ForwardProxy::default(),
    };
    let http = Arc::new(Outbound::try_new(client, Arc::clone(&shared)).unwrap());
    (Arc::new(KeySet::new(&auth, http, shared, Conditions::default())), clock, answers)
}

#[tokio::test]
async fn a_fetch_that_began_before_a_key_was_replaced_decides_nothing() {
    let (keys, _clock, answers) = keys().await;
    let (before, after) = (key_set(1), key_set(2));
    answers.send(before.clone()).unwrap();
    keys.warm().await;
    let generation = keys.generation();
    assert!(keys.start_fetch(FetchReason::Age).is_some());
    let mut changed = pin!(keys.changed_on_refresh(generation));
    // It has joined the fetch under way, which gets the keys of before.
    assert_eq!(changed.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
    answers.send(before).unwrap();
    answers.send(after).unwrap();
    assert_eq!(changed.await, Ok(true));
    assert_eq!(keys.changed_on_refresh(generation).await, Ok(true), "what has changed meanwhile is no reason to fetch");
    assert_eq!(keys.changed_on_refresh(generation + 1).await, Ok(false), "it is too early for a fetch");
}

#[tokio::test]
async fn whether_a_key_was_replaced_is_not_known_if_the_keys_can_not_be_fetched() {
    let (keys, clock, answers) = keys().await;
    answers.send(key_set(1)).unwrap();
    keys.warm().await;
    answers.send("down".to_owned()).unwrap();
    for _ in 0..2 {
        let changed = keys.changed_on_refresh(keys.generation()).await;
        assert!(matches!(changed, Err(KeyError::Unavailable(_))), "{changed:?}");
    }
    clock.advance(Duration::from_secs(11));
    answers.send(key_set(2)).unwrap();
    assert_eq!(keys.changed_on_refresh(keys.generation()).await, Ok(true));
}

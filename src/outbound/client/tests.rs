//! When connections and certificates are exchanged.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::dns::{Addrs, Name, Resolving};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::*;
use crate::clock::ManualClock;

const AGE: Duration = Duration::from_mins(5);

/// A name whose address moves.
struct MovingName {
    address: Mutex<SocketAddr>,
    lookups: AtomicUsize,
}

impl Resolve for MovingName {
    fn resolve(&self, _: Name) -> Resolving {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let address = *lock(&self.address);
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}

/// When a slow request has arrived, and when it is answered.
#[derive(Default)]
struct Slow {
    arrived: Notify,
    word: Notify,
}

/// A server that keeps its connections and answers with its name, to `/slow` after a word.
async fn start(name: &'static str, slow: Arc<Slow>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let slow = Arc::clone(&slow);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut request).await {
                    if request[..length].starts_with(b"GET /slow") {
                        slow.arrived.notify_one();
                        slow.word.notified().await;
                    }
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

fn settings() -> ClientSettings {
    ClientSettings {
        certificates: CertificateSettings { setting_names: "target.ca".into(), ca: None, identity: None },
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        max_connection_age: AGE,
        forward_proxy: ForwardProxy::default(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the test plays the caller")]
async fn get(client: Client, path: &str) -> String {
    client.get(format!("http://vms.test{path}")).send().await.unwrap().text().await.unwrap()
}

fn outbound(name: &Arc<MovingName>) -> (Outbound, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at("2025-01-31T09:30:00Z".parse().unwrap()));
    let resolver = NameResolver(Arc::clone(name) as Arc<dyn Resolve>);
    let outbound = Outbound::with_resolver(
        settings(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Some(resolver),
        HttpVersions::Negotiated,
    );
    (outbound.unwrap(), clock)
}

#[tokio::test]
async fn a_name_that_moves_is_followed_under_steady_traffic_and_no_request_is_lost() {
    let word = Arc::new(Slow::default());
    let (old, new) = (start("old", Arc::clone(&word)).await, start("new", Arc::clone(&word)).await);
    let name = Arc::new(MovingName { address: Mutex::new(old), lookups: AtomicUsize::new(0) });
    let (outbound, clock) = outbound(&name);
    for _ in 0..3 {
        assert_eq!(get(outbound.client(), "/").await, "old");
    }
    assert_eq!(name.lookups.load(Ordering::SeqCst), 1, "connections are kept");
    let slow = tokio::spawn(get(outbound.client(), "/slow"));
    word.arrived.notified().await;
    // The slow request has the only connection.
    assert_eq!(get(outbound.client(), "/").await, "old");
    *lock(&name.address) = new;
    clock.advance(AGE / 2);
    assert_eq!(get(outbound.client(), "/").await, "old");
    clock.advance(AGE / 2);
    assert_eq!(get(outbound.client(), "/").await, "new");
    assert_eq!(get(outbound.client(), "/").await, "new");
    // `notify_one` keeps the word until somebody waits for it.
    word.word.notify_one();
    assert_eq!(slow.await.unwrap(), "old", "a request under way goes on");
}

#[tokio::test]
async fn clients_that_are_asked_for_at_the_same_time_share_the_exchanged_connections() {
    let address = start("one", Arc::default()).await;
    let name = Arc::new(MovingName { address: Mutex::new(address), lookups: AtomicUsize::new(0) });
    let (outbound, clock) = outbound(&name);
    get(outbound.client(), "/").await;
    clock.advance(AGE);
    for _ in 0..3 {
        get(outbound.client(), "/").await;
    }
    assert_eq!(name.lookups.load(Ordering::SeqCst), 2);
}

//! A service under siege: ten thousand silent connections, headers and bodies that trickle, inputs that are too large. Its
//! callers are served as before, and its memory stays bounded.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use purchase_order_webhook::system::raise_open_file_limit;
use reqwest::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{ORDERS, cart};
use crate::victim::Victims;

/// Silent connections.
const IDLE: usize = 10_000;

/// Connections that send headers or bodies without end.
const TRICKLING: usize = 400;

/// Carts that are sent during each part of the siege.
const CARTS: u32 = 100;

/// Open files that the test needs, and the service besides its connections.
const BESIDE: u64 = 3_000;

/// No time-out ends the siege early: each is longer than the siege, for callers too.
const PATIENT: &str = "server.deadline = \"50s\"\nserver.limits.first_byte = \"10m\"\n\
    server.limits.header_time = \"10m\"\nserver.limits.body_time = \"10m\"\nserver.limits.idle_time = \"10m\"\n\
    target.timeout = \"10s\"\n";

/// Memory of a process that is in use, and the most that ever was, in MiB.
fn memory(process: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

struct Siege {
    victims: Victims,
    client: Client,
    address: String,
    next_cart: u32,
}

impl Siege {
    fn head(&self, more: &str) -> String {
        let token = self.victims.issuer.token();
        format!(
            "POST {ORDERS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n{more}\r\n\r\n"
        )
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address.trim_start_matches("http://")).await.unwrap()
    }

    async fn begin(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Sends carts, which must all be created, and prints the memory that the service uses meanwhile.
    async fn assert_serves(&mut self, during: &str) {
        let token = self.victims.issuer.token();
        let request = |number: u32| {
            let request = self.client.post(format!("{}{ORDERS}", self.address)).bearer_auth(&token);
            request.header("content-type", "application/json").body(cart(number).to_string()).send()
        };
        let numbers = self.next_cart..self.next_cart + CARTS;
        let calls: Vec<_> = numbers.map(|number| tokio::spawn(request(number))).collect();
        for call in calls {
            let answer = call.await.unwrap().unwrap();
            let status = answer.status();
            assert_eq!(status, 201, "{during}: {}", answer.text().await.unwrap());
        }
        self.next_cart += CARTS;
        let (now, most) = memory(self.victims.process(0));
        println!("{during}: {CARTS} carts, {CARTS} orders; memory {now} MiB, at most {most} MiB");
    }

    /// Sends something that is too large, and returns the status line, if there is one.
    async fn send_too_large(&self, head: &str, body: &[u8]) -> String {
        let mut stream = self.begin(head).await;
        // The other side may have enough of it before the end.
        for chunk in body.chunks(64 * 1024) {
            if stream.write_all(chunk).await.is_err() {
                break;
            }
        }
        let mut status_line = vec![0; 12];
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut status_line)).await;
        let read = read.expect("it is answered").unwrap_or(0);
        String::from_utf8_lossy(&status_line[..read]).into_owned()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_under_siege_serves_its_callers() {
    let needed = IDLE as u64 + BESIDE;
    let files = raise_open_file_limit(needed);
    if files < needed {
        let text = format!("NOT RUN: {files} files may be open; the siege needs {needed} (ulimit -Hn)");
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        return eprintln!("{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = format!("sqlite:{}", folder.path().join("orders.db").display());
    let mut victims = Victims::with_settings(1, &ledger, PATIENT).await;
    victims.start_all().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let address = victims.addresses[0].clone();
    let mut siege = Siege { victims, client, address, next_cart: 1 };
    siege.assert_serves("in peace").await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", siege.victims.process(0))).unwrap();
    let of = |name: &str| limits.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert_eq!(of("Max core file size").split_whitespace().nth(4), Some("0"), "no secret goes into a core dump");
    assert!(of("Max open files").split_whitespace().nth(3).unwrap().parse::<u64>().unwrap() >= needed, "{limits}");

    let mut held = Vec::new();
    for _ in 0..IDLE {
        held.push(siege.connect().await);
    }
    siege.assert_serves(&format!("with {IDLE} silent connections")).await;

    for at in 0..TRICKLING {
        let text = if at % 2 == 0 {
            "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned()
        } else {
            siege.head("Content-Length: 1000")
        };
        held.push(siege.begin(&text).await);
    }
    siege.assert_serves(&format!("and {TRICKLING} that trickle")).await;

    // Clients that ask for the largest files and read none of them.
    for _ in 0..TRICKLING {
        let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10);
        held.push(siege.begin(&request).await);
    }
    siege.assert_serves(&format!("and {TRICKLING} that take no answer")).await;

    let bomb = gzip(&vec![b' '; 50 * 1024 * 1024]);
    let large = vec![b' '; 4 * 1024 * 1024];
    for _ in 0..10 {
        let bombed = siege.head(&format!("Content-Encoding: gzip\r\nContent-Length: {}", bomb.len()));
        assert_eq!(siege.send_too_large(&bombed, &bomb).await, "HTTP/1.1 413");
        let declared = siege.head("Content-Length: 99999999999");
        assert_eq!(siege.send_too_large(&declared, b"").await, "HTTP/1.1 413");
        let chunked = format!("{}{:x}\r\n", siege.head("Transfer-Encoding: chunked"), large.len());
        assert!(matches!(siege.send_too_large(&chunked, &large).await.as_str(), "HTTP/1.1 413" | ""));
        let status_line = siege.send_too_large("GET /livez HTTP/1.1\r\nX-Large: ", &large).await;
        assert!(matches!(status_line.as_str(), "HTTP/1.1 431" | ""), "{status_line}");
    }
    siege.assert_serves("after bombs, and bodies and headers that are too large").await;

    drop(held);
    siege.assert_serves("in peace again").await;
    let (_, most) = memory(siege.victims.process(0));
    // A plain connection needs some KiB; one that held its largest headers and body would need two orders more.
    assert!(most < 400, "{most} MiB");
    assert_eq!(siege.victims.vms.orders().len(), usize::try_from(siege.next_cart - 1).unwrap());
}

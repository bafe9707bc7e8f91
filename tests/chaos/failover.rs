//! Failovers of PostgreSQL under load: a standby is promoted, the former primary comes back read-only, and the services
//! reach the database by one address, whose target changes late.
//!
//! `CHAOS_FAILOVERS=3 cargo test --test chaos failovers -- --nocapture` is a longer run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Client;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::block_in_place;

use crate::callers::Callers;
use crate::postgres::Postgres;
use crate::victim::Victims;
use crate::{number_of, random};

/// Failovers of an ordinary run.
const USUAL_FAILOVERS: u32 = 1;

/// Carts of each round of callers: more than 11VMS takes at once, so that some wait when the primary goes.
const CARTS_A_ROUND: u32 = 150;

/// Time in which every accepted cart is settled once there is a primary again.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);

/// Time in which every replica says that it is ready, or is not.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

/// Time for one poll: a kubelet waits for less.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// An address whose target changes for new connections; open ones stay where they are.
struct Forwarder {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Forwarder {
    async fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, target) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU16::new(target)));
        let current = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let port = current.load(Ordering::Relaxed);
                tokio::spawn(async move {
                    // A refused connection is closed at once.
                    if let Ok(mut to) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                    }
                });
            }
        });
        Self { port, target }
    }

    fn lead_to(&self, server: &Postgres) {
        self.target.store(server.port, Ordering::Relaxed);
    }
}

/// The replicas as their probes see them.
struct Probes {
    client: Client,
    addresses: Vec<String>,
}

impl Probes {
    async fn until_all_answer(&self, status: u16) {
        let all = async {
            for address in &self.addresses {
                while self.status(address).await != Some(status) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        };
        let answered = tokio::time::timeout(NOTICED_WITHIN, all).await;
        assert!(answered.is_ok(), "/readyz was not {status} everywhere within {NOTICED_WITHIN:?}");
    }

    async fn status(&self, address: &str) -> Option<u16> {
        Some(self.client.get(format!("{address}/readyz")).send().await.ok()?.status().as_u16())
    }
}

/// How the former primary ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It crashes, and comes back as a standby that follows nobody.
    Crash,
    /// It is made read-only with all of its sessions, which stay open.
    Fence,
}

/// One failover: the former primary becomes read-only, the standby is promoted, and the address follows late.
async fn fail_over(
    end: End,
    servers: (&Postgres, &Postgres),
    forwarder: &Forwarder,
    probes: &Probes,
    random: &mut StdRng,
) {
    let (primary, standby) = servers;
    match end {
        End::Crash => block_in_place(|| {
            primary.crash();
            primary.restart_read_only();
        }),
        End::Fence => block_in_place(|| primary.set("default_transaction_read_only", "on")),
    }
    // Readiness means that orders can be written.
    probes.until_all_answer(503).await;
    block_in_place(|| standby.promote());
    tokio::time::sleep(Duration::from_millis(random.random_range(0..2_000))).await;
    forwarder.lead_to(standby);
    probes.until_all_answer(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failovers_of_postgresql_under_load_lose_and_double_no_order() {
    let Some(mut primary) = Postgres::start() else { return };
    let (seed, mut random) = random();
    let failovers = number_of("CHAOS_FAILOVERS").unwrap_or(USUAL_FAILOVERS);
    primary.database("orders");
    let forwarder = Forwarder::start(primary.port).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/orders?sslmode=disable", forwarder.port);
    let mut standby = block_in_place(|| primary.standby());
    let mut victims = Victims::new(3, &url).await;
    victims.start_all().await;
    let mut callers = Callers::new(&victims);
    let probes = Probes {
        client: Client::builder().no_proxy().timeout(PROBE_TIMEOUT).build().unwrap(),
        addresses: victims.addresses.clone(),
    };
    for round in 0..failovers {
        let end = if round % 2 == 0 { End::Crash } else { End::Fence };
        let over = AtomicBool::new(false);
        let (mut faults, mut chance) = (StdRng::seed_from_u64(random.random()), StdRng::seed_from_u64(random.random()));
        let load = async {
            while !over.load(Ordering::Relaxed) {
                victims.misbehave(&mut faults);
                callers.add(CARTS_A_ROUND);
                callers.send_open().await;
            }
        };
        let failover = async {
            tokio::time::sleep(Duration::from_millis(chance.random_range(10..700))).await;
            fail_over(end, (&primary, &standby), &forwarder, &probes, &mut chance).await;
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(load, failover);
        let recorded = callers.recorded();
        let settled = tokio::time::timeout(SETTLED_WITHIN, callers.await_recorded()).await;
        assert!(
            settled.is_ok(),
            "{recorded} carts that were answered with 202 are not settled within {SETTLED_WITHIN:?}"
        );
        println!("failover {}, {end:?}: {recorded} carts were answered with 202, and settled", round + 1);
        primary = standby;
        standby = block_in_place(|| primary.standby());
    }
    callers.send_until_answered().await;
    callers.check_orders(&format!("PostgreSQL, three replicas, seed {seed}, {failovers} failovers")).await;
}

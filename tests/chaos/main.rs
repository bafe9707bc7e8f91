//! The real binary, killed without warning under load, beside an 11VMS that misbehaves and would double any order
//! that is sent twice. Whatever happens: one cart, one order, and no answer that was not true.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test plays the caller")]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use purchase_order_webhook::sandbox::vms::{Effect, Fault, SandboxVms};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use reqwest::Client;
use serde_json::Value;
use tokio::process::{Child, Command};

use support::{Answer, ORDERS, cart};

/// New carts in each life of the service; those that were not answered in one life come again in the next.
const CARTS_A_LIFE: u32 = 20;

/// How often the service is killed; more in a longer run: `CHAOS_KILLS=100`. `CHAOS_SEED` repeats a run's faults.
fn kills() -> u32 {
    number_of("CHAOS_KILLS").unwrap_or(6)
}

fn number_of(variable: &str) -> Option<u32> {
    std::env::vars().find(|(name, _)| name == variable).map(|(_, value)| value.parse().unwrap())
}

struct Victim {
    child: Child,
    address: String,
}

impl Victim {
    async fn start(folder: &Path, port: u16) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
            .args(["serve", "--config"])
            .arg(folder.join("config.toml"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let client = Client::builder().no_proxy().build().unwrap();
        for _ in 0..1_000 {
            if client.get(format!("{address}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200) {
                return Self { child, address };
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the service does not start");
    }
}

fn write_config(folder: &Path, issuer: &Issuer, vms: &SandboxVms, port: u16) {
    let text = format!(
        "server.listen = \"127.0.0.1:{port}\"\nserver.management_listen = \"127.0.0.1:0\"\nserver.deadline = \"2s\"\n\
         auth.issuer = {:?}\nauth.audience = {AUDIENCE:?}\n\
         target.base_url = {:?}\ntarget.timeout = \"500ms\"\ntarget.unknown_grace = \"700ms\"\n\
         target.oauth2.token_url = {:?}\ntarget.oauth2.client_id = \"purchase-order-webhook\"\ntarget.oauth2.client_secret = \"webhook-secret\"\n\
         retry.initial_delay = \"50ms\"\nretry.attempts = 50\nretry.max_delay = \"200ms\"\n\
         ledger.url = {:?}\ntelemetry.log_level = \"error\"\n",
        issuer.url(),
        vms.url().as_str(),
        issuer.token_url().as_str(),
        format!("sqlite:{}", folder.join("orders.db").display()),
    );
    std::fs::write(folder.join("config.toml"), text).unwrap();
}

fn misbehave(vms: &SandboxVms, random: &mut StdRng) {
    for _ in 0..10 {
        let effect = match random.random_range(0..8) {
            0 => Effect::HangUpBefore,
            1 => Effect::HangUpAfter,
            2 => Effect::Garbage,
            3 => Effect::CreatedButStatus(500),
            4 => Effect::status(503),
            5 => Effect::status(429),
            _ => Effect::Normal,
        };
        vms.queue(Fault { delay_ms: random.random_range(0..30), effect });
    }
}

/// Sends every cart that has no number yet; answers that name one are promises.
async fn send_open(client: &Client, address: &str, token: &str, carts: u32, promised: &mut BTreeMap<u32, String>) {
    let open: Vec<u32> = (1..=carts).filter(|number| !promised.contains_key(number)).collect();
    let calls: Vec<_> = open
        .into_iter()
        .map(|number| {
            let request = client.post(format!("{address}{ORDERS}")).bearer_auth(token);
            let request = request.header("content-type", "application/json").body(cart(number).to_string());
            (number, tokio::spawn(request.send()))
        })
        .collect();
    for (number, call) in calls {
        // A call that breaks off with the service promises nothing.
        let Ok(Ok(answer)) = call.await else { continue };
        let status = answer.status().as_u16();
        let Ok(body) = answer.json::<Value>().await else { continue };
        assert!(matches!(status, 200..=202 | 502 | 503), "{status} {body}");
        if let Some(order) = body["purchaseOrderNumber"].as_str() {
            promised.insert(number, order.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_at_random_loses_and_doubles_no_order() {
    let seed = number_of("CHAOS_SEED").map_or(u64::from(std::process::id()), u64::from);
    let mut random = StdRng::seed_from_u64(seed);
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    write_config(folder.path(), &issuer, &vms, port);
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let token = issuer.token();
    let mut promised = BTreeMap::new();

    for life in 1..=kills() {
        let mut victim = Victim::start(folder.path(), port).await;
        misbehave(&vms, &mut random);
        let lifetime = Duration::from_millis(random.random_range(5..400));
        let address = victim.address.clone();
        let kill = async {
            tokio::time::sleep(lifetime).await;
            victim.child.kill().await.unwrap();
        };
        tokio::join!(send_open(&client, &address, &token, life * CARTS_A_LIFE, &mut promised), kill);
    }

    let survivor = Victim::start(folder.path(), port).await;
    let carts = kills() * CARTS_A_LIFE;
    for _ in 0..100 {
        send_open(&client, &survivor.address, &token, carts, &mut promised).await;
        if promised.len() == carts as usize {
            break;
        }
    }
    let orders = vms.orders();
    let mut created: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for order in &orders {
        created.entry(order.body["externalId"].as_str().unwrap()).or_default().push(&order.number);
    }
    println!(
        "seed {seed}: {} kills, {carts} carts, {} orders, {} requests to 11VMS",
        kills(),
        orders.len(),
        vms.received().len()
    );
    let doubled: Vec<_> = created.iter().filter(|(_, numbers)| numbers.len() > 1).collect();
    assert!(doubled.is_empty(), "doubled: {doubled:?}");
    for number in 1..=carts {
        let numbers = created.get(number.to_string().as_str()).unwrap_or_else(|| panic!("cart {number} was lost"));
        assert_eq!(
            promised.get(&number).map(String::as_str),
            numbers.first().copied(),
            "cart {number}: what was told is not true"
        );
        let shown =
            client.get(format!("{}{ORDERS}/{number}", survivor.address)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(Answer::of(shown).await.body["purchaseOrderNumber"], numbers[0]);
    }
}

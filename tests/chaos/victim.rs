//! The service as a process that is started, killed and started again.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use purchase_order_webhook::sandbox::vms::{Effect, Fault, SandboxVms};
use rand::Rng as _;
use rand::rngs::StdRng;
use reqwest::Client;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Replicas of one service, with one issuer and one 11VMS.
pub struct Victims {
    pub issuer: Issuer,
    pub vms: SandboxVms,
    pub addresses: Vec<String>,
    folders: Vec<TempDir>,
    children: Vec<Option<Child>>,
}

impl Victims {
    pub async fn new(count: usize, ledger: &str) -> Self {
        Self::with_settings(count, ledger, "").await
    }

    /// The same, with further settings (TOML lines).
    pub async fn with_settings(count: usize, ledger: &str, more: &str) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        // All at once, so that no two get the same.
        let ports: Vec<_> = (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = ports.iter().map(|port| port.local_addr().unwrap().port()).collect();
        let folders: Vec<TempDir> = ports.iter().map(|_| tempfile::tempdir().unwrap()).collect();
        for (folder, port) in folders.iter().zip(&ports) {
            let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
            let own: Vec<String> = more.lines().map(key).collect();
            let usual = config(&issuer, &vms, *port, ledger);
            let usual: Vec<&str> = usual.lines().filter(|line| !own.contains(&key(line))).collect();
            let text = format!("{}\n{more}", usual.join("\n"));
            std::fs::write(folder.path().join("config.toml"), text).unwrap();
        }
        let addresses = ports.iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
        let children = ports.iter().map(|_| None).collect();
        Self { issuer, vms, addresses, folders, children }
    }

    /// The process id of one that runs.
    pub fn process(&self, at: usize) -> u32 {
        self.children[at].as_ref().and_then(Child::id).unwrap()
    }

    /// Starts every replica that does not run.
    pub async fn start_all(&mut self) {
        for (at, child) in self.children.iter_mut().enumerate() {
            if child.is_none() {
                *child = Some(start(self.folders[at].path()));
            }
        }
        let client = Client::builder().no_proxy().build().unwrap();
        for address in &self.addresses {
            wait_until_ready(&client, address).await;
        }
    }

    pub async fn kill(&mut self, at: usize) {
        if let Some(mut child) = self.children[at].take() {
            child.kill().await.unwrap();
        }
    }

    /// The next requests to 11VMS meet faults of every kind.
    pub fn misbehave(&self, random: &mut StdRng) {
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
            self.vms.queue(Fault { delay_ms: random.random_range(0..30), effect });
        }
    }
}

fn start(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
        .args(["serve", "--config"])
        .arg(folder.join("config.toml"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn wait_until_ready(client: &Client, address: &str) {
    for _ in 0..2_000 {
        if client.get(format!("{address}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the service does not start");
}

fn config(issuer: &Issuer, vms: &SandboxVms, port: u16, ledger: &str) -> String {
    format!(
        "server.listen = \"127.0.0.1:{port}\"\nserver.management_listen = \"127.0.0.1:0\"\nserver.deadline = \"2s\"\n\
         auth.issuer = {:?}\nauth.audience = {AUDIENCE:?}\n\
         target.base_url = {:?}\ntarget.timeout = \"500ms\"\ntarget.unknown_grace = \"700ms\"\n\
         target.oauth2.token_url = {:?}\ntarget.oauth2.client_id = \"purchase-order-webhook\"\ntarget.oauth2.client_secret = \"webhook-secret\"\n\
         retry.initial_delay = \"50ms\"\nretry.attempts = 50\nretry.max_delay = \"200ms\"\n\
         ledger.url = {ledger:?}\ntelemetry.log_level = \"error\"\n",
        issuer.url(),
        vms.url().as_str(),
        issuer.token_url().as_str(),
    )
}

//! The real binary as a child, with a sandbox issuer and an 11VMS of the caller's.
#![allow(dead_code, reason = "each bench uses a part of this")]

use std::process::Stdio;
use std::time::Duration;

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use reqwest::{Client, RequestBuilder};
use tokio::process::{Child, Command};

/// A service that runs; it is killed with this handle.
pub struct Service {
    child: Child,
    address: String,
    pub client: Client,
    token: String,
    _issuer: Issuer,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Starts a service in front of the 11VMS at `vms`, with further settings (TOML lines).
    pub async fn start(issuer: Issuer, vms: &str, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.path().join("config.toml");
        let text = format!(
            "server.listen = \"127.0.0.1:{port}\"\nserver.management_listen = \"127.0.0.1:0\"\n\
             auth.issuer = {:?}\nauth.audience = {AUDIENCE:?}\ntarget.base_url = {vms:?}\n\
             target.oauth2.token_url = {:?}\ntarget.oauth2.client_id = \"purchase-order-webhook\"\n\
             target.oauth2.client_secret = \"webhook-secret\"\nledger.url = {:?}\n{settings}",
            issuer.url(),
            issuer.token_url().as_str(),
            format!("sqlite:{}", folder.path().join("orders.db").display()),
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = format!("http://127.0.0.1:{port}");
        // Callers wait without a time-out.
        let client = Client::builder().no_proxy().tcp_keepalive(None).tcp_user_timeout(None).build().unwrap();
        while client.get(format!("{address}/readyz")).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let token = issuer.token();
        Self { child, address, client, token, _issuer: issuer, _folder: folder }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Peak of the resident memory, in MiB.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// A GET without a token.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.address))
    }

    /// A POST of JSON with a good token.
    pub fn post(&self, path: &str, body: String) -> RequestBuilder {
        self.client
            .post(format!("{}{path}", self.address))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(body)
    }
}

//! The real binary as a process, with an issuer and an 11VMS in the test, and the lines that it logs.

use std::path::PathBuf;
use std::process::Stdio;

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use reqwest::{Client, RequestBuilder};
use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::ORDERS;

/// A running service.
pub struct Process {
    pub issuer: Issuer,
    pub vms: SandboxVms,
    pub client: Client,
    pub address: String,
    pub management: String,
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    lines: Vec<Value>,
    /// The file of its settings.
    pub settings: PathBuf,
    _folder: TempDir,
}

impl Process {
    /// Starts a service, with further settings (TOML lines).
    pub async fn start(settings: &str) -> Self {
        Self::start_in(&[], settings).await
    }

    /// The same, with further environment variables.
    pub async fn start_in(environment: &[(&'static str, PathBuf)], settings: &str) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        let settings_file = config.clone();
        std::fs::write(&config, format!("{}{settings}", usual_settings(&issuer, &vms, &folder, settings))).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_purchase-order-webhook"))
            .args(["serve", "--config"])
            .arg(config)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let client = Client::builder().no_proxy().build().unwrap();
        let mut process = Self {
            issuer,
            vms,
            client,
            address: String::new(),
            management: String::new(),
            child,
            stdout,
            lines: Vec::new(),
            settings: settings_file,
            _folder: folder,
        };
        let line = process.read_until("the service listens: carts are accepted").await;
        let address = &line["server.address"];
        address.as_str().unwrap().clone_into(&mut process.address);
        // In ECS, it is a label.
        let management = ["server.management.address", "labels.server_management_address"];
        let management = management.iter().find_map(|name| line[*name].as_str()).unwrap();
        management.clone_into(&mut process.management);
        process
    }

    /// Reads lines until one has this message.
    pub async fn read_until(&mut self, message: &str) -> Value {
        while let Some(line) = self.stdout.next_line().await.unwrap() {
            let line: Value = serde_json::from_str(&line).unwrap();
            self.lines.push(line.clone());
            if line["message"] == message {
                return line;
            }
        }
        panic!("no line {message:?} among {:?}", self.lines);
    }

    /// A POST with a good token; `path` continues that of the orders.
    pub fn post(&self, path: &str, request_id: &str, body: String) -> RequestBuilder {
        let request =
            self.client.post(format!("http://{}{ORDERS}{path}", self.address)).bearer_auth(self.issuer.token());
        request.header("x-request-id", request_id).header("content-type", "application/json").body(body)
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        rustix::process::kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Stops the service, and returns every line that it has logged.
    pub async fn stop(self) -> Vec<Value> {
        self.terminate();
        self.stop_of_itself().await
    }

    /// Waits for the end of a service that was told to stop, and returns every line that it has logged.
    pub async fn stop_of_itself(mut self) -> Vec<Value> {
        while let Some(line) = self.stdout.next_line().await.unwrap() {
            self.lines.push(serde_json::from_str(&line).unwrap());
        }
        assert!(self.child.wait().await.unwrap().success());
        self.lines
    }
}

/// Few connections: with them, a usual limit on open files is no reason for a warning.
fn usual_settings(issuer: &Issuer, vms: &SandboxVms, folder: &TempDir, own: &str) -> String {
    let url = format!("ledger.url = {:?}\n", format!("sqlite:{}", folder.path().join("orders.db").display()));
    let ledger = if own.contains("ledger.url") { String::new() } else { url };
    let format = if own.contains("log_format") { "" } else { "telemetry.log_format = \"json\"\n" };
    format!(
        "server.listen = \"127.0.0.1:0\"\nserver.management_listen = \"127.0.0.1:0\"\n\
         server.limits.connections = 64\nauth.issuer = {:?}\nauth.audience = {AUDIENCE:?}\ntarget.base_url = {:?}\ntarget.oauth2.token_url = {:?}\n\
         target.oauth2.client_id = \"purchase-order-webhook\"\ntarget.oauth2.client_secret = \"webhook-secret\"\n\
         {ledger}mapping.directory = \"mapping\"\n{format}",
        issuer.url(),
        vms.url().as_str(),
        issuer.token_url().as_str(),
    )
}

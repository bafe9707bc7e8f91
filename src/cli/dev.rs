//! `dev`: the whole stack on 127.0.0.1, and the steps of one cart through it.

mod next_steps;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use include_dir::{Dir, include_dir};
use serde_json::Value;
use tempfile::TempDir;

use super::failure::Failure;
use super::process::{print, runtime, stop_on_signal};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::{DemoClient, ForwardProxy, Settings};
use crate::mapping::SHEET;
use crate::outbound::{AnswerBody, CertificateSettings, ClientSettings, Outbound, error_chain};
use crate::sandbox::issuer::{AUDIENCE, CALLER, Issuer};
use crate::sandbox::vms::SandboxVms;
use crate::settings_file;
use crate::shutdown::Shutdown;
use crate::telemetry::{self, escape};

/// The repository's mapping, for a binary that runs elsewhere.
static MAPPING: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/mapping");

const SAMPLE: &str = include_str!("../../mapping/examples/asjson-sample.cart.json");

/// The API's port, where it is free: the commands that `dev` prints are then the same at each start.
const PREFERRED_PORT: u16 = 8080;

/// For the cart: longer than `server.deadline`.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Largest answer to the cart; it has some KiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The end of the command, once the cart was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// The command ends at once.
    Stop,
    /// The service runs until it is interrupted.
    KeepRunning,
}

/// Whether the cart became an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Created {
    Yes,
    No,
}

/// The parts; each server ends when its handle is dropped.
struct DevStack {
    address: SocketAddr,
    issuer: Issuer,
    vms: SandboxVms,
    folder: TempDir,
    app: App,
}

/// Starts the stack, sends a cart, or else the sample, and prints each step and the answer. A cart that becomes no order is a
/// failure if the command ends with it; otherwise its author corrects it, or the mapping, and sends it again.
pub fn run(afterwards: Afterwards, cart: Option<&Path>) -> Result<(), Failure> {
    let text = match cart {
        None => SAMPLE.to_owned(),
        Some(file) => {
            settings_file::read_text(file).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?
        }
    };
    telemetry::start_steps();
    runtime()?.block_on(async {
        let stack = Box::pin(build(afterwards)).await?;
        let shutdown = Shutdown::default();
        stop_on_signal(shutdown.clone())?;
        let DevStack { address, issuer, vms, folder, app } = stack;
        let running = tokio::spawn(app.run(shutdown.clone()));
        let answered = match send(address, &issuer, text).await {
            Ok((status, body)) => print_answer(status, &body),
            Err(failure) => Err(failure),
        };
        let result = match afterwards {
            Afterwards::Stop => answered.and_then(|created| match created {
                Created::Yes => Ok(()),
                Created::No => Err(Failure::new("the cart did not become an order")),
            }),
            Afterwards::KeepRunning => {
                answered.and_then(|_| next_steps::print_all(address, &issuer, &vms, folder.path()))
            }
        };
        if afterwards == Afterwards::Stop || result.is_err() {
            shutdown.announce();
        }
        running.await.map_err(|error| Failure::new(format!("the service failed: {error}")))?;
        result
    })
}

async fn build(afterwards: Afterwards) -> Result<DevStack, Failure> {
    let failed = |error: io::Error| Failure::new(format!("the sandbox can't start: {error}"));
    let folder = tempfile::tempdir().map_err(failed)?;
    let mapping = mapping_folder(folder.path()).map_err(failed)?;
    let issuer = Issuer::start().await.map_err(failed)?;
    let vms = SandboxVms::start(issuer.clone()).await.map_err(failed)?;
    let port = match afterwards {
        Afterwards::Stop => 0,
        Afterwards::KeepRunning => preferred_port_if_free().await,
    };
    let text = settings(&issuer, &vms, folder.path(), &mapping, port);
    let mut settings = Settings::parse("dev", &text, &std::collections::BTreeMap::new())
        .map_err(|mistakes| Failure::new(mistakes.to_string()))?;
    // The docs page gets tokens of the sandbox's issuer, whose secrets are none.
    settings.pages.token_url = Some(issuer.token_url());
    settings.pages.demo_client = Some(DemoClient { id: CALLER.0, secret: CALLER.1 });
    let app = App::build(settings, Arc::new(SystemClock)).await?;
    let address = app.address().map_err(failed)?;
    let management = app.management_address().map_err(failed)?;
    print(&format!(
        "issuer   {}\n11VMS    {}\nservice  http://{address}\nmetrics  http://{management}/metrics\nmapping  {}, version {}\n\n",
        issuer.url(),
        vms.url(),
        mapping.display(),
        app.mapping_state().version
    ))?;
    Ok(DevStack { address, issuer, vms, folder, app })
}

/// The mapping of the working directory, so that changes to it take effect; else the built-in one.
fn mapping_folder(folder: &Path) -> io::Result<PathBuf> {
    let here = Path::new("mapping");
    if here.join(SHEET).is_file() {
        return Ok(here.to_owned());
    }
    let unpacked = folder.join("mapping");
    std::fs::create_dir(&unpacked)?;
    MAPPING.extract(&unpacked)?;
    Ok(unpacked)
}

async fn preferred_port_if_free() -> u16 {
    let is_free = tokio::net::TcpListener::bind(("127.0.0.1", PREFERRED_PORT)).await.is_ok();
    if is_free { PREFERRED_PORT } else { 0 }
}

fn settings(issuer: &Issuer, vms: &SandboxVms, folder: &Path, mapping: &Path, port: u16) -> String {
    let text = |path: &Path| Value::from(path.display().to_string());
    format!(
        r#"
        server.listen = "127.0.0.1:{port}"
        server.management_listen = "127.0.0.1:0"
        auth.issuer = "{issuer_url}"
        auth.audience = "{AUDIENCE}"
        target.base_url = "{vms_url}"
        target.oauth2.token_url = "{token_url}"
        target.oauth2.client_id = "purchase-order-webhook"
        target.oauth2.client_secret = "webhook-secret"
        ledger.url = {ledger}
        mapping.directory = {mapping}
        pages.public_mapping = true
        pages.public_preview = true
        "#,
        issuer_url = issuer.url(),
        vms_url = vms.url(),
        token_url = issuer.token_url(),
        ledger = Value::from(format!("sqlite:{}", folder.join("orders.db").display())),
        mapping = text(mapping),
    )
}

/// Sends a cart as SRM does; returns the status and the body of the answer.
#[expect(clippy::disallowed_methods, reason = "dev is the caller here")]
async fn send(address: SocketAddr, issuer: &Issuer, cart: String) -> Result<(u16, Value), Failure> {
    let failed = |error: reqwest::Error| Failure::new(format!("the cart can't be sent: {}", error_chain(&error)));
    let client = ClientSettings {
        certificates: CertificateSettings { setting_names: "dev".into(), ca: None, identity: None },
        connect_timeout: TIMEOUT,
        timeout: TIMEOUT,
        max_connection_age: TIMEOUT,
        // It is this host itself.
        forward_proxy: ForwardProxy::default(),
    };
    let outbound = Outbound::try_new(client, Arc::new(SystemClock)).map_err(|error| Failure::new(error.to_string()))?;
    let answer = outbound
        .client()
        .post(format!("http://{address}/v2/purchase-orders"))
        .bearer_auth(issuer.token())
        .header("content-type", "application/json")
        .header("x-request-id", "dev-sample")
        .body(cart)
        .send()
        .await
        .map_err(failed)?;
    let status = answer.status().as_u16();
    let body = AnswerBody::read(answer, MAX_ANSWER_BYTES).await;
    Ok((status, body.json("an answer of the service").map_err(Failure::new)?))
}

/// Prints the answer, a problem in plain words.
fn print_answer(status: u16, body: &Value) -> Result<Created, Failure> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if status >= 400 {
        print(&format!("\n{status} {}: {}\n", text("title"), escape(text("detail"))))?;
        let messages = body.get("messages").and_then(Value::as_array);
        for message in messages.into_iter().flatten() {
            let text = |name: &str| escape(message.get(name).and_then(Value::as_str).unwrap_or_default());
            print(&format!("  {} {}  {}\n", text("type"), text("number"), text("message")))?;
        }
        print("\nThe cart did not become an order.\n")?;
        return Ok(Created::No);
    }
    print(&format!("\n{status} {}\n\n", serde_json::to_string_pretty(body).unwrap_or_default()))?;
    let (cart, number) = (text("cartNumber"), text("purchaseOrderNumber"));
    if number.is_empty() {
        print(&format!("The cart {cart} did not become an order in time; its state is {}.\n", text("state")))?;
        return Ok(Created::No);
    }
    print(&format!("The cart {cart} became the purchase order {number}.\n"))?;
    Ok(Created::Yes)
}

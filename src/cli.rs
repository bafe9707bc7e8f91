//! The commands.

#[cfg(feature = "sandbox")]
mod dev;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::api::description::{self, Spec};
use crate::api::views::PreviewView;
use crate::app::{App, StartError, check_files, shown};
use crate::cart::{Cart, CartError};
use crate::clock::SystemClock;
use crate::config::{self, Settings, environment};
use crate::mapping::{Defect, Folder, Mapping};
use crate::{system, telemetry};

/// Something failed.
const FAILED: u8 = 1;

/// The settings, or the mapping, are wrong (`EX_CONFIG` of sysexits.h).
const WRONG_SETTINGS: u8 = 78;

/// Turns approved SAP SRM 7 shopping carts into purchase orders in 11VMS: exactly one order a cart.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(Config),
    /// Report every mistake in settings and mapping at once
    Check(Config),
    /// Preview one cart offline: what would be sent, and where every field comes from
    Map {
        #[command(flatten)]
        config: Config,
        /// The cart as SRM sends it; '-' reads standard input
        #[arg(value_name = "CART.json")]
        cart: PathBuf,
    },
    /// Print the API description
    Openapi {
        /// Version of the OpenAPI specification
        #[arg(long, value_enum, default_value_t = Version::V3_1)]
        spec: Version,
    },
    /// Run everything on 127.0.0.1: service, token issuer, 11VMS, ledger; send the sample cart and show what happened
    #[cfg(feature = "sandbox")]
    Dev {
        /// Stop when the order is created
        #[arg(long)]
        once: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Config {
    /// The settings; else PO_WEBHOOK_CONFIG, else /etc/purchase-order-webhook/config.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Version {
    /// OpenAPI 3.1
    #[value(name = "3.1")]
    V3_1,
    /// OpenAPI 3.0.3, for SAP API Management
    #[value(name = "3.0")]
    V3_0,
}

/// Runs the command that the arguments name. Wrong usage exits with 2 and says how it is meant.
pub fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(Config { config }) => serve(config.as_deref()),
        Command::Check(Config { config }) => check(config.as_deref()),
        Command::Map { config, cart } => map(config.config.as_deref(), &cart),
        Command::Openapi { spec: Version::V3_1 } => print(&description::text(Spec::V3_1)),
        Command::Openapi { spec: Version::V3_0 } => print(&description::text(Spec::V3_0)),
        #[cfg(feature = "sandbox")]
        Command::Dev { once } => dev::run(if once { dev::Afterwards::Stop } else { dev::Afterwards::KeepRunning }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, text }) => {
            eprintln!("{text}");
            ExitCode::from(code)
        }
    }
}

/// Why a command failed, for people, and its exit code.
#[derive(Debug)]
struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    fn new(text: impl Into<String>) -> Self {
        Self { code: FAILED, text: text.into() }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let is_wrong = matches!(error, StartError::Mapping { .. } | StartError::Tls(_) | StartError::Client(_));
        let code = if is_wrong { WRONG_SETTINGS } else { FAILED };
        Self { code, text: error.to_string() }
    }
}

fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(format!("the runtime can't start: {error}")))
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(format!("standard output: {error}")))
}

fn serve(file: Option<&Path>) -> Result<(), Failure> {
    let settings = Settings::load(file, &environment())
        .map_err(|mistakes| Failure { code: WRONG_SETTINGS, text: mistakes.to_string() })?;
    telemetry::start(&settings.telemetry);
    system::prepare(settings.server.limits.connections);
    runtime()?.block_on(async {
        let app = App::build(settings, Arc::new(SystemClock)).await?;
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
        if let (Ok(address), Ok(management)) = (app.address(), app.management_address()) {
            info!(%address, %management, "listening");
        }
        app.run(stop).await;
        Ok(())
    })
}

/// SIGTERM (Kubernetes) and SIGINT (a terminal) both stop the service.
fn stop_on_signal(stop: CancellationToken) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("signals can't be received: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        stop.cancel();
        // Who asks twice does not want to wait for the drain; what is open is in the ledger.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(i32::from(FAILED));
    });
    Ok(())
}

fn check(file: Option<&Path>) -> Result<(), Failure> {
    let environment = environment();
    let mut mistakes = match Settings::load(file, &environment) {
        Ok(settings) => check_files(&settings),
        Err(mistakes) => mistakes.0,
    };
    // The folder is checked even if other settings are wrong: every mistake at once.
    let checked = config::Mapping::load(file, &environment)
        .ok()
        .map(|mapping| (mapping.directory.display().to_string(), check_mapping(&mapping)));
    if let Some((directory, Err(defects))) = &checked {
        mistakes.push(shown(directory, defects));
    }
    match (mistakes.as_slice(), checked) {
        ([], Some((directory, Ok(version)))) => {
            print(&format!("settings: no mistakes\n{directory}: no mistakes, version {version}\n"))
        }
        _ => Err(Failure::new(mistakes.join("\n"))),
    }
}

/// The mapping's version, or every defect of the folder, its examples included.
fn check_mapping(settings: &config::Mapping) -> Result<String, Vec<Defect>> {
    let folder = Folder::read(&settings.directory)?;
    let mapping = Mapping::compile(&folder, settings.amounts)?;
    let defects = mapping.check_examples(&folder);
    if defects.is_empty() { Ok(mapping.version().to_owned()) } else { Err(defects) }
}

fn map(file: Option<&Path>, cart: &Path) -> Result<(), Failure> {
    let settings =
        config::Mapping::load(file, &environment()).map_err(|mistakes| Failure::new(mistakes.to_string()))?;
    let directory = settings.directory.display().to_string();
    let folder = Folder::read(&settings.directory).map_err(|defects| Failure::new(shown(&directory, &defects)))?;
    let mapping =
        Mapping::compile(&folder, settings.amounts).map_err(|defects| Failure::new(shown(&directory, &defects)))?;
    let label = cart.display();
    let text = read_cart(cart).map_err(|problem| Failure::new(format!("{label}: {problem}")))?;
    let cart = Cart::parse(text.trim_start_matches('\u{feff}')).map_err(|error| match error {
        CartError::Malformed { .. } => Failure::new(format!("{label}: {error}")),
        CartError::Invalid(mistakes) => {
            Failure::new(mistakes.iter().map(|m| format!("{label}: {}", m.message)).collect::<Vec<_>>().join("\n"))
        }
    })?;
    let preview = mapping.preview(&cart);
    let mistakes = preview.messages.len();
    let shown =
        serde_json::to_string_pretty(&PreviewView::from(preview)).map_err(|error| Failure::new(error.to_string()))?;
    print(&format!("{shown}\n"))?;
    if mistakes == 0 { Ok(()) } else { Err(Failure::new(format!("{label}: {mistakes} mistakes, see messages"))) }
}

fn read_cart(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

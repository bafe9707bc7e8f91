//! The commands: their arguments and exit codes.

mod backup;
mod check;
mod compare;
#[cfg(feature = "sandbox")]
mod dev;
mod doctor;
mod failure;
mod map;
mod process;
mod serve;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::api::description::{self, Spec};
use failure::Failure;

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
    Serve(ConfigFile),
    /// Report every mistake in settings and mapping at once
    Check {
        #[command(flatten)]
        config: ConfigFile,
        /// Also ask 11VMS for a token and for an order that can't exist; nothing is created
        #[arg(long)]
        target: bool,
    },
    /// Ask issuer, token endpoint, 11VMS, ledger, clocks and certificates for real, write nothing, and say what to do
    Doctor(ConfigFile),
    /// Preview one cart offline: what would be sent, and where every field comes from; or compare two mappings on many
    Map(MapArguments),
    /// Copy a SQLite ledger whole, while the service uses it
    Backup {
        #[command(flatten)]
        config: ConfigFile,
        /// The new file; nothing is overwritten
        #[arg(value_name = "DEST", value_parser = file_path())]
        destination: PathBuf,
    },
    /// Print the API description
    Openapi {
        /// Version of the OpenAPI specification
        #[arg(long, value_enum, default_value_t = SpecVersion::V3_1)]
        spec: SpecVersion,
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
struct MapArguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Compare two mapping folders: which orders would differ, and how. Exit code 0: none, 1: some, 2: it can't be told
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"])]
    compare: Option<Vec<PathBuf>>,
    /// With --compare: the carts that a ledger has kept (ledger.keep_carts); without a URL, the ledger of the settings. It
    /// is only read, also while the service uses it
    #[arg(
        long, value_name = "URL", num_args = 0..=1, default_missing_value = "", requires = "compare",
        conflicts_with = "carts"
    )]
    ledger: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The cart as SRM sends it; '-' reads standard input. With --compare also several, folders, and batches
    #[arg(value_name = "CART.json", required_unless_present = "ledger")]
    carts: Vec<PathBuf>,
}

impl MapArguments {
    fn run(&self) -> Result<(), Failure> {
        let settings = self.config.config.as_deref();
        let form = if self.json { compare::Form::Json } else { compare::Form::Text };
        match (self.compare.as_deref(), self.carts.as_slice()) {
            (Some([old, new]), carts) => {
                let carts = self.ledger.as_deref().map_or(compare::Carts::Files(carts), compare::Carts::Ledger);
                compare::compare(&compare::Rehearsal { settings, old, new, form }, &carts)
            }
            (_, [cart]) => map::map(settings, cart),
            _ => Arguments::command()
                .error(ErrorKind::TooManyValues, "expected one cart; several are compared with --compare OLD NEW")
                .exit(),
        }
    }
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The settings; else PO_WEBHOOK_CONFIG, else /etc/purchase-order-webhook/config.toml
    #[arg(long, value_name = "FILE", value_parser = file_path())]
    config: Option<PathBuf>,
}

/// The path of a file, where `-` would be taken for a standard stream; a file of this name is `./-`.
fn file_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some("-") => Err("expected the path of a file; standard input and output are not supported here"),
        _ => Ok(path),
    })
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SpecVersion {
    /// OpenAPI 3.1
    #[value(name = "3.1")]
    V3_1,
    /// OpenAPI 3.0.3, for SAP API Management
    #[value(name = "3.0")]
    V3_0,
}

/// Runs the command that the arguments name. Wrong usage exits with 2 and prints the right one.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(ConfigFile { config }) => return serve::serve(config.as_deref()),
        Command::Check { config, target } => {
            let scope = if target { check::Scope::FilesAndTarget } else { check::Scope::Files };
            check::check(config.config.as_deref(), scope)
        }
        Command::Doctor(ConfigFile { config }) => doctor::doctor(config.as_deref()),
        Command::Map(arguments) => arguments.run(),
        Command::Backup { config, destination } => backup::backup(config.config.as_deref(), &destination),
        Command::Openapi { spec: SpecVersion::V3_1 } => process::print(&description::text(Spec::V3_1)),
        Command::Openapi { spec: SpecVersion::V3_0 } => process::print(&description::text(Spec::V3_0)),
        #[cfg(feature = "sandbox")]
        Command::Dev { once } => dev::run(if once { dev::Afterwards::Stop } else { dev::Afterwards::KeepRunning }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, lines }) => {
            if !lines.is_empty() {
                // Without a reader, the exit code remains.
                let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
            }
            ExitCode::from(code)
        }
    }
}

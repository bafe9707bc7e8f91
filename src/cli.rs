//! The commands: their arguments and exit codes.

mod alert;
mod arguments;
mod backup;
mod check;
mod compare;
#[cfg(feature = "sandbox")]
mod dev;
mod doctor;
mod failure;
mod healthcheck;
mod map;
mod process;
mod serve;
mod settings;
mod unpack;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::api::description::{self, Spec};
use arguments::{ConfigFile, file_path};
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
    Check(check::CheckArguments),
    /// Ask issuer, token endpoint, 11VMS, ledger, clocks and certificates for real, write nothing, and say what to do
    Doctor(ConfigFile),
    /// Test the channels of alerts
    Alert(alert::AlertArguments),
    /// Ask a running service whether it is alive, for a container's health check: 0 if it is, 1 if not
    Healthcheck(healthcheck::HealthcheckArguments),
    /// Preview one cart offline: what would be sent, and where every field comes from; or compare two mappings on many
    Map(map::MapArguments),
    /// Copy a SQLite ledger whole, while the service uses it
    Backup {
        #[command(flatten)]
        config: ConfigFile,
        /// The new file; nothing is overwritten
        #[arg(value_name = "DEST", value_parser = file_path())]
        destination: PathBuf,
    },
    /// Write the orders of a SQLite ledger as plain text, for an earlier version or sqlite3; no service may use it meanwhile
    Unpack(ConfigFile),
    /// Print the API description
    Openapi {
        /// Version of the OpenAPI specification
        #[arg(long, value_enum, default_value_t = SpecVersion::V3_1)]
        spec: SpecVersion,
    },
    /// Print every setting with its meaning, its form and its default
    Settings {
        /// What to print
        #[arg(long, value_enum, default_value_t = settings::Format::Toml)]
        format: settings::Format,
    },
    /// Run everything on 127.0.0.1: service, token issuer, 11VMS, ledger; send a cart and show what happened
    #[cfg(feature = "sandbox")]
    Dev {
        /// Stop after the cart: 0 if its order is created
        #[arg(long)]
        once: bool,
        /// Send this cart instead of the sample
        #[arg(long, value_name = "FILE", value_parser = file_path())]
        cart: Option<PathBuf>,
    },
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
        Command::Check(arguments) => check::check(&arguments),
        Command::Doctor(ConfigFile { config }) => doctor::doctor(config.as_deref()),
        Command::Alert(arguments) => alert::alert(&arguments),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments),
        Command::Map(arguments) => map::run(&arguments),
        Command::Backup { config, destination } => backup::backup(config.config.as_deref(), &destination),
        Command::Unpack(ConfigFile { config }) => unpack::unpack(config.as_deref()),
        Command::Openapi { spec: SpecVersion::V3_1 } => process::print(&description::text(Spec::V3_1)),
        Command::Openapi { spec: SpecVersion::V3_0 } => process::print(&description::text(Spec::V3_0)),
        Command::Settings { format } => settings::print(format),
        #[cfg(feature = "sandbox")]
        Command::Dev { once, cart } => {
            let afterwards = if once { dev::Afterwards::Stop } else { dev::Afterwards::KeepRunning };
            dev::run(afterwards, cart.as_deref())
        }
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

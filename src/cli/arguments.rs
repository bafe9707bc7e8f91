//! Arguments of several commands.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};

/// The file with the settings.
#[derive(Debug, clap::Args)]
pub struct ConfigFile {
    /// The settings; else PO_WEBHOOK_CONFIG, else /etc/purchase-order-webhook/config.toml
    #[arg(long, value_name = "FILE", value_parser = file_path())]
    pub config: Option<PathBuf>,
}

/// The path of a file, where `-` would be taken for a standard stream; a file of this name is `./-`.
pub fn file_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some("-") => Err("expected the path of a file; standard input and output are not supported here"),
        _ => Ok(path),
    })
}

//! `settings`: every setting, as a commented file, a page, or a JSON schema.

use clap::ValueEnum;

use super::failure::Failure;
use super::process;
use crate::config::Catalogue;

/// What is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    /// The commented file with every key and its default
    Toml,
    /// A page for people
    Markdown,
    /// A JSON schema for editors and pipelines
    Schema,
}

/// Prints every setting.
///
/// # Errors
/// If the reader of standard output has gone.
pub fn print(format: Format) -> Result<(), Failure> {
    let catalogue = || Catalogue::collect().map_err(|mistakes| Failure::of_lines(mistakes.0));
    match format {
        Format::Toml => process::print(Catalogue::toml()),
        Format::Markdown => process::print(&catalogue()?.markdown()),
        Format::Schema => process::print(&format!("{:#}\n", catalogue()?.schema())),
    }
}

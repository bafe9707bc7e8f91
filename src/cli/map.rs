//! `map`: the preview of one cart, offline; or the comparison of two mappings.

mod table;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use super::arguments::ConfigFile;
use super::compare;
use super::failure::Failure;
use super::process::print;
use crate::api::views::PreviewView;
use crate::app::defect_lines;
use crate::cart::{Cart, CartError};
use crate::config::{self, environment};
use crate::mapping::{DifferingExamples, Folder, Mapping};

/// Wrong usage, as of the other commands.
const EXIT_USAGE: u8 = 2;

/// The arguments of `map`.
#[derive(Debug, clap::Args)]
pub struct MapArguments {
    #[command(flatten)]
    config: ConfigFile,
    /// The mapping folder, instead of the one of the settings
    #[arg(long, value_name = "FOLDER")]
    mapping: Option<PathBuf>,
    /// Compare two mapping folders: which orders would differ, and how. Exit code 0: none, 1: some, 2: it can't be told
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "mapping")]
    compare: Option<Vec<PathBuf>>,
    /// With --compare: the carts that a ledger has kept (ledger.keep_carts); without a URL, the ledger of the settings. It
    /// is only read, also while the service uses it
    #[arg(
        long, value_name = "URL", num_args = 0..=1, default_missing_value = "", requires = "compare",
        conflicts_with = "carts"
    )]
    ledger: Option<String>,
    /// Print JSON: a preview on a terminal too (a pipe gets it anyway), a comparison anywhere
    #[arg(long)]
    json: bool,
    /// The cart as SRM sends it; '-' reads standard input. With --compare also several, folders, and batches
    #[arg(value_name = "CART.json", required_unless_present = "ledger")]
    carts: Vec<PathBuf>,
}

/// Previews one cart, or compares two mappings on many.
pub fn run(arguments: &MapArguments) -> Result<(), Failure> {
    let settings = arguments.config.config.as_deref();
    let form = if arguments.json { compare::Form::Json } else { compare::Form::Text };
    match (arguments.compare.as_deref(), arguments.carts.as_slice()) {
        (Some([old, new]), carts) => {
            let carts = arguments.ledger.as_deref().map_or(compare::Carts::Files(carts), compare::Carts::Ledger);
            compare::compare(&compare::Rehearsal { settings, old, new, form }, &carts)
        }
        (_, [cart]) => preview(arguments, cart),
        _ => Err(Failure {
            code: EXIT_USAGE,
            lines: vec!["expected one cart; several are compared with --compare OLD NEW".to_owned()],
        }),
    }
}

/// Prints the order that a cart becomes, as a table on a terminal, else as JSON; fails if the cart has mistakes.
fn preview(arguments: &MapArguments, path: &Path) -> Result<(), Failure> {
    let mapping = load_mapping(arguments)?;
    let label = path.display().to_string();
    let text = read_cart(path).map_err(|error| Failure::new(format!("{label}: {error}")))?;
    let cart = parse_cart(&label, &text)?;
    let preview = mapping.preview(&cart);
    let mistakes = preview.count_mistakes();
    if std::io::stdout().is_terminal() && !arguments.json {
        print(&table::text(cart.number(), &preview))?;
    } else {
        let json = serde_json::to_string_pretty(&PreviewView::from(preview));
        print(&format!("{}\n", json.map_err(|error| Failure::new(error.to_string()))?))?;
    }
    match mistakes {
        0 => Ok(()),
        1 => Err(Failure::new(format!("{label}: 1 mistake, see messages"))),
        several => Err(Failure::new(format!("{label}: {several} mistakes, see messages"))),
    }
}

/// The mapping, whatever its examples are: they are the matter of `check`. Where the settings accept that they differ, the
/// preview has the warning that every order has.
fn load_mapping(arguments: &MapArguments) -> Result<Mapping, Failure> {
    let settings = config::Mapping::load(arguments.config.config.as_deref(), &environment())
        .map_err(|mistakes| Failure::of_lines(mistakes.0))?;
    let directory = arguments.mapping.as_ref().unwrap_or(&settings.directory);
    Folder::read(directory)
        .and_then(|folder| match settings.options.examples {
            DifferingExamples::Refuse => Mapping::compile_with(&folder, &settings.options),
            DifferingExamples::Warn => Mapping::accept(&folder, &settings.options).map_err(|refused| refused.defects),
        })
        .map_err(|defects| Failure::of_lines(defect_lines(&directory.display().to_string(), &defects)))
}

fn parse_cart<'a>(label: &str, text: &'a str) -> Result<Cart<'a>, Failure> {
    // Editors on Windows begin a file with a byte order mark.
    Cart::parse(text.trim_start_matches('\u{feff}')).map_err(|error| match error {
        CartError::Malformed { .. } => Failure::new(format!("{label}: {error}")),
        CartError::Invalid(mistakes) => {
            Failure::of_lines(mistakes.iter().map(|mistake| format!("{label}: {}", mistake.message)).collect())
        }
    })
}

/// The text of a file; `-` is standard input.
fn read_cart(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

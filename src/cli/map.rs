//! `map`: the preview of one cart, offline; or the comparison of two mappings.

mod table;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::arguments::ConfigFile;
use super::compare::{self, Form, cart_files};
use super::failure::Failure;
use super::process::print;
use crate::api::views::PreviewView;
use crate::app::defect_lines;
use crate::cart::{Bounds, Cart, CartError};
use crate::config::{self, environment};
use crate::intake::{OneCartError, read_one};
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
    /// The cart as SRM sends it, or a batch, whose carts are all shown; '-' reads standard input. With --compare also several
    /// files and folders
    #[arg(value_name = "CART.json", required_unless_present = "ledger")]
    carts: Vec<PathBuf>,
}

/// Previews one cart, or compares two mappings on many.
pub fn run(arguments: &MapArguments) -> Result<(), Failure> {
    let settings = arguments.config.config.as_deref();
    let form = if arguments.json { Form::Json } else { Form::Text };
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

/// Prints the order that a cart becomes, as a table on a terminal, else as JSON; fails if the cart has mistakes. Of a file
/// with several carts, each becomes one: as JSON, a list.
fn preview(arguments: &MapArguments, path: &Path) -> Result<(), Failure> {
    let mapping = load_mapping(arguments)?;
    let (label, text) = cart_files::read(path).map_err(Failure::new)?;
    let form = if std::io::stdout().is_terminal() && !arguments.json { Form::Text } else { Form::Json };
    if cart_files::is_line_by_line(&label, &text) {
        return preview_all(&mapping, &label, &text, form);
    }
    let cart = match read_one(&text, Bounds::default()) {
        Ok(cart) => cart,
        Err(OneCartError::Several) => return preview_all(&mapping, &label, &text, form),
        Err(OneCartError::Cart(error)) => return Err(no_cart(&label, &error)),
        Err(other) => return Err(Failure::new(format!("{label}: {other}"))),
    };
    let preview = mapping.preview(&cart);
    let mistakes = counted_mistakes(&label, preview.count_mistakes());
    if form == Form::Text {
        print(&table::text(cart.number(), &preview))?;
    } else {
        print_json(&PreviewView::from(preview))?;
    }
    mistakes.map_or(Ok(()), |line| Err(Failure::new(line)))
}

/// Prints the order of each cart of a batch. A text that is no cart is no preview, and one of the failures.
fn preview_all(mapping: &Mapping, label: &str, text: &str, form: Form) -> Result<(), Failure> {
    let carts = cart_files::carts_in(label, text).map_err(|error| Failure::new(format!("{label}: {error}")))?;
    let (mut previews, mut failures) = (Vec::new(), Vec::new());
    for (position, raw) in (1..).zip(carts) {
        let label = format!("{label} cart {position}");
        match Cart::parse(raw.text).map_err(|error| no_cart(&label, &raw.place_in_text(error))) {
            Ok(cart) => {
                let preview = mapping.preview(&cart);
                failures.extend(counted_mistakes(&label, preview.count_mistakes()));
                if form == Form::Text {
                    print(&format!("{label}\n{}\n", table::text(cart.number(), &preview)))?;
                } else {
                    previews.push(PreviewView::from(preview));
                }
            }
            Err(failure) => failures.extend(failure.lines),
        }
    }
    if form == Form::Json {
        print_json(&previews)?;
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::of_lines(failures)) }
}

fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?;
    print(&format!("{json}\n"))
}

/// What is said of a cart with mistakes.
fn counted_mistakes(label: &str, mistakes: usize) -> Option<String> {
    match mistakes {
        0 => None,
        1 => Some(format!("{label}: 1 mistake, see messages")),
        several => Some(format!("{label}: {several} mistakes, see messages")),
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
            DifferingExamples::Warn => {
                let accepted = Mapping::accept(&folder, &settings.options);
                accepted.map(|(mapping, _)| mapping).map_err(|refused| refused.defects)
            }
        })
        .map_err(|defects| Failure::of_lines(defect_lines(&directory.display().to_string(), &defects)))
}

fn no_cart(label: &str, error: &CartError) -> Failure {
    match error {
        CartError::Malformed { .. } => Failure::new(format!("{label}: {error}")),
        CartError::Invalid(mistakes) => {
            Failure::of_lines(mistakes.iter().map(|mistake| format!("{label}: {}", mistake.message)).collect())
        }
    }
}

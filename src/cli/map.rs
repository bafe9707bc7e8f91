//! `map`: the preview of one cart, offline.

use std::io::Read as _;
use std::path::Path;

use super::failure::Failure;
use super::process::print;
use crate::api::views::PreviewView;
use crate::app::defect_lines;
use crate::cart::{Cart, CartError};
use crate::config::{self, environment};
use crate::mapping::{Folder, Mapping};

/// Prints the order that a cart becomes; fails if the cart has mistakes.
pub fn map(file: Option<&Path>, cart: &Path) -> Result<(), Failure> {
    let mapping = load_mapping(file)?;
    let label = cart.display().to_string();
    let text = read_cart(cart).map_err(|error| Failure::new(format!("{label}: {error}")))?;
    let cart = parse_cart(&label, &text)?;
    let preview = mapping.preview(&cart);
    let mistakes = preview.count_mistakes();
    let json =
        serde_json::to_string_pretty(&PreviewView::from(preview)).map_err(|error| Failure::new(error.to_string()))?;
    print(&format!("{json}\n"))?;
    match mistakes {
        0 => Ok(()),
        1 => Err(Failure::new(format!("{label}: 1 mistake, see messages"))),
        several => Err(Failure::new(format!("{label}: {several} mistakes, see messages"))),
    }
}

fn load_mapping(file: Option<&Path>) -> Result<Mapping, Failure> {
    let settings = config::Mapping::load(file, &environment()).map_err(|mistakes| Failure::of_lines(mistakes.0))?;
    let directory = settings.directory.display().to_string();
    Folder::read(&settings.directory)
        .and_then(|folder| Mapping::compile_for(&folder, settings.amounts, &settings.id_field))
        .map(|mapping| mapping.with_plausibility(settings.plausibility).with_system_field(settings.system_field))
        .map_err(|defects| Failure::of_lines(defect_lines(&directory, &defects)))
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

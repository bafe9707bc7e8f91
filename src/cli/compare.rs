//! `map --compare`: the rehearsal of a mapping, on files or on the carts that a ledger has kept.
//!
//! Exit codes as those of diff: 0 nothing differs, 1 something does, 2 it can't be told.

pub mod cart_files;
mod progress;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::failure::Failure;
use super::process::{print, runtime};
use crate::app::defect_lines;
use crate::cart::{Bounds, Cart, CartError};
use crate::config::{self, Storage, environment};
use crate::ledger::kept_carts::{CartCount, KeptCarts};
use crate::mapping::{Comparison, Folder, Mapping, Report};
use cart_files::{CartFiles, carts_in};
use progress::Progress;

/// Something differs.
const EXIT_DIFFERENT: u8 = 1;

/// It can't be told whether anything differs.
const EXIT_TROUBLE: u8 = 2;

/// The bounds of a cart here: the deepest that `server.limits.json_depth` allows; rows were counted when the cart was taken.
const BOUNDS: Bounds = Bounds { depth: 100, rows: usize::MAX };

/// The two mappings, and how the result is shown.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    /// The settings' file, if one is named: how amounts are read and figures are judged is a matter of the settings.
    pub settings: Option<&'a Path>,
    /// The folder of the mapping before.
    pub old: &'a Path,
    /// The folder of the mapping now.
    pub new: &'a Path,
    /// How the result is shown.
    pub form: Form,
}

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The carts that both mappings get.
#[derive(Debug)]
pub enum Carts<'a> {
    /// Files and folders; `-` is standard input.
    Files(&'a [PathBuf]),
    /// A ledger by its URL; the one of the settings, if it is empty.
    Ledger(&'a str),
}

/// What programs get.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    old: MappingName,
    new: MappingName,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerOutput>,
    #[serde(flatten)]
    report: Report,
}

#[derive(Serialize)]
struct MappingName {
    folder: String,
    version: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LedgerOutput {
    orders: u64,
    carts_kept: u64,
}

/// Maps carts by two mappings, and shows what differs.
pub fn compare(rehearsal: &Rehearsal<'_>, carts: &Carts<'_>) -> Result<(), Failure> {
    run(rehearsal, carts)
        .map_err(|failure| if failure.lines.is_empty() { failure } else { Failure { code: EXIT_TROUBLE, ..failure } })
}

fn run(rehearsal: &Rehearsal<'_>, carts: &Carts<'_>) -> Result<(), Failure> {
    let (old, new) = load_both(rehearsal)?;
    let mut comparison = Comparison::new(&old, &new);
    let kept = match carts {
        Carts::Files(paths) => {
            compare_files(&mut comparison, paths)?;
            None
        }
        Carts::Ledger(url) => {
            let storage = storage(rehearsal.settings, url)?;
            Some(runtime()?.block_on(compare_kept(&mut comparison, storage))?)
        }
    };
    match rehearsal.form {
        Form::Text => print(&text(rehearsal, &comparison, (&old, &new), kept))?,
        Form::Json => print(&json(rehearsal, &comparison, (&old, &new), kept)?)?,
    }
    if comparison.unreadable() > 0 {
        let count = comparison.unreadable();
        return Err(Failure::new(format!("{count} of {} texts are no carts", comparison.carts())));
    }
    if comparison.is_without_difference() {
        return Ok(());
    }
    // The result says it all.
    Err(Failure { code: EXIT_DIFFERENT, lines: Vec::new() })
}

/// Compiles both folders by the same settings; the mistakes of both are reported together.
fn load_both(rehearsal: &Rehearsal<'_>) -> Result<(Mapping, Mapping), Failure> {
    let settings =
        config::Mapping::load(rehearsal.settings, &environment()).map_err(|mistakes| Failure::of_lines(mistakes.0))?;
    let load = |directory: &Path| {
        Folder::read(directory)
            .and_then(|folder| Mapping::compile_with(&folder, &settings.options))
            .map_err(|defects| defect_lines(&directory.display().to_string(), &defects))
    };
    match (load(rehearsal.old), load(rehearsal.new)) {
        (Ok(old), Ok(new)) => Ok((old, new)),
        (old, new) => Err(Failure::of_lines([old.err(), new.err()].into_iter().flatten().flatten().collect())),
    }
}

fn compare_files(comparison: &mut Comparison<'_>, paths: &[PathBuf]) -> Result<(), Failure> {
    let mut progress = Progress::new(None);
    for file in CartFiles::find(paths).map_err(Failure::new)?.0 {
        let (name, text) = cart_files::read(&file).map_err(Failure::new)?;
        match carts_in(&name, &text) {
            Err(error) => comparison.add_unreadable(&name, &error.to_string()),
            Ok(carts) => {
                let several = carts.len() > 1;
                for (position, cart) in (1..).zip(&carts) {
                    let label = if several { format!("{name} cart {position}") } else { name.clone() };
                    add(comparison, &label, cart.text, |error| cart.place_in_text(error));
                    progress.report(comparison.carts());
                }
            }
        }
    }
    if comparison.carts() == 0 {
        return Err(Failure::new("there are no carts; expected files such as CART.json, or folders with some"));
    }
    Ok(())
}

fn add(comparison: &mut Comparison<'_>, name: &str, text: &str, placed: impl Fn(CartError) -> CartError) {
    match Cart::parse_within(text, BOUNDS) {
        Ok(cart) => comparison.add(&cart, name),
        Err(error) => comparison.add_unreadable(name, &why(&placed(error))),
    }
}

/// Why a text is no cart.
fn why(error: &CartError) -> String {
    match error {
        CartError::Malformed { .. } => error.to_string(),
        CartError::Invalid(mistakes) => {
            mistakes.iter().map(|mistake| mistake.message.as_str()).collect::<Vec<_>>().join("; ")
        }
    }
}

/// The storage of a URL, or of the settings.
fn storage(settings: Option<&Path>, url: &str) -> Result<Storage, Failure> {
    if url.is_empty() {
        let ledger = config::Ledger::load(settings, &environment());
        return ledger.map(|ledger| ledger.storage).map_err(|mistakes| Failure::of_lines(mistakes.0));
    }
    Storage::parse(url, &environment()).map_err(|mistakes| {
        Failure::of_lines(mistakes.into_iter().map(|mistake| format!("--ledger: {mistake}")).collect())
    })
}

/// Compares on every cart that a ledger has kept, a page at a time.
async fn compare_kept(comparison: &mut Comparison<'_>, storage: Storage) -> Result<CartCount, Failure> {
    let failed =
        |error: crate::ledger::LedgerError| Failure::new(format!("the ledger can't be read: {}", error.reason()));
    let mut carts = match storage {
        Storage::Sqlite(path) => KeptCarts::in_file(&path),
        Storage::Postgres(database) => KeptCarts::in_database(Arc::new(move || database.read())).await,
    }
    .map_err(failed)?;
    let count = carts.count().await.map_err(failed)?;
    if count.carts == 0 {
        return Err(Failure::new(format!(
            "{}; nothing can be compared. Carts are kept from now on with ledger.keep_carts = \"on\"",
            kept_text(count)
        )));
    }
    let mut progress = Progress::new(Some(count.carts));
    loop {
        let page = carts.next_page().await.map_err(failed)?;
        if page.is_empty() {
            return Ok(count);
        }
        for cart in page {
            add(comparison, cart.id.as_str(), &cart.text, |error| error);
        }
        progress.report(comparison.carts());
    }
}

fn kept_text(count: CartCount) -> String {
    format!("{} of {} orders have their cart kept", count.carts, count.orders)
}

fn text(
    rehearsal: &Rehearsal<'_>,
    comparison: &Comparison<'_>,
    (old, new): (&Mapping, &Mapping),
    kept: Option<CartCount>,
) -> String {
    let kept = kept.map(|count| format!("{}\n", kept_text(count))).unwrap_or_default();
    format!(
        "{} (version {}) → {} (version {})\n{kept}{comparison}",
        rehearsal.old.display(),
        old.version(),
        rehearsal.new.display(),
        new.version()
    )
}

fn json(
    rehearsal: &Rehearsal<'_>,
    comparison: &Comparison<'_>,
    (old, new): (&Mapping, &Mapping),
    kept: Option<CartCount>,
) -> Result<String, Failure> {
    let name = |folder: &Path, mapping: &Mapping| MappingName {
        folder: folder.display().to_string(),
        version: mapping.version().to_owned(),
    };
    let output = Output {
        old: name(rehearsal.old, old),
        new: name(rehearsal.new, new),
        ledger: kept.map(|count| LedgerOutput { orders: count.orders, carts_kept: count.carts }),
        report: comparison.report(),
    };
    let text = serde_json::to_string_pretty(&output).map_err(|error| Failure::new(error.to_string()))?;
    Ok(format!("{text}\n"))
}

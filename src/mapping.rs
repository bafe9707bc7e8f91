//! The mapping sheet: which field of a cart becomes which field of the order, by which conversion and which table.
//!
//! Pure but for [`Folder::read`]. The sheet **is** the program: it is checked whole and compiled when loaded, and a
//! mapping that exists has no defects. Knows nothing of HTTP, the ledger or 11VMS.

mod conversion;
mod evaluation;
mod examples;
mod live;
mod sheet;
mod table;
mod target;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

pub use evaluation::FieldTrace;
pub use live::LiveMapping;

use crate::cart::{Cart, CartId};
use crate::digest;
use crate::message::Message;
use evaluation::Evaluation;
use sheet::Sheet;
use table::Table;

/// The sheet's file name in the folder.
pub const SHEET: &str = "purchase-order.csv";

/// The table of currencies without two decimals (ISO 4217), needed by `mapping.shifted_amounts`.
const CURRENCY_DECIMALS: &str = "currency-decimals";

/// No currency of ISO 4217 has more.
const MOST_DECIMALS: u32 = 4;

/// Decimals of a currency that the table does not list.
const USUAL_DECIMALS: u32 = 2;

/// Most bytes of one file of the folder: a table of all regions of the world has some 100 KiB.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Hex digits of the folder's hash that make a version: enough to tell any two sheets apart, short enough to read out.
const VERSION_DIGITS: usize = 16;

/// How the sender stores currency amounts (TCURX).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// 100 JPY is 100.
    AsTheyAre,
    /// 100 JPY is 1.00: every amount as if its currency had two decimals.
    Shifted,
}

/// A mistake in a file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    file: String,
    line: Option<u64>,
    message: String,
}

impl Defect {
    fn new(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, message: message.into() }
    }

    fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// The files of a mapping folder, by their path inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    files: BTreeMap<String, String>,
}

impl Folder {
    /// Reads `purchase-order.csv`, `tables/*.csv` and `examples/*.json`.
    ///
    /// # Errors
    /// A defect for each file or folder that can't be read as UTF-8 text of at most 8 MiB.
    pub fn read(directory: &Path) -> Result<Self, Vec<Defect>> {
        let mut paths = vec![PathBuf::from(SHEET)];
        let mut defects = Vec::new();
        for (folder, ending) in [("tables", "csv"), ("examples", "json")] {
            match names(&directory.join(folder), ending) {
                Ok(names) => paths.extend(names.into_iter().map(|name| Path::new(folder).join(name))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => defects.push(Defect::new(folder, error.to_string())),
            }
        }
        let mut files = BTreeMap::new();
        for path in paths {
            match read(&directory.join(&path)) {
                Ok(text) => drop(files.insert(path.display().to_string(), text)),
                Err(problem) => defects.push(Defect::new(&path.display().to_string(), problem)),
            }
        }
        if defects.is_empty() { Ok(Self { files }) } else { Err(defects) }
    }

    /// Hash of everything that decides what a cart becomes: the sheet, the tables and the setting for amounts.
    fn version(&self, amounts: Amounts) -> String {
        let mut content = format!("{amounts:?}\n");
        for (file, text) in self.files.iter().filter(|(file, _)| !file.starts_with("examples")) {
            // Writing to a String can't fail.
            let _ = writeln!(content, "{file} {}\n{text}", text.len());
        }
        digest::sha256_hex(content.as_bytes()).chars().take(VERSION_DIGITS).collect()
    }
}

fn names(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = PathBuf::from(entry?.file_name());
        if name.extension().is_some_and(|extension| extension == ending) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("{size} bytes; expected at most {MAX_FILE_BYTES}"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| format!("expected UTF-8 text: {error}"))
}

/// A cart without mistakes.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// The cart's identity.
    pub id: CartId,
    /// The body that 11VMS gets.
    pub order: Value,
}

type Trace = Option<Vec<FieldTrace>>;

/// A cart's preview: what would be sent, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The body, unless the cart has mistakes.
    pub order: Option<Value>,
    /// Version of the mapping.
    pub mapping_version: String,
    /// Every target field.
    pub fields: Vec<FieldTrace>,
    /// Every mistake.
    pub messages: Vec<Message>,
}

/// A sheet with its tables, free of defects.
#[derive(Debug, Clone)]
pub struct Mapping {
    sheet: Arc<Sheet>,
    tables: Arc<BTreeMap<String, Table>>,
    amounts: Amounts,
    version: String,
}

impl Mapping {
    /// Compiles a folder.
    ///
    /// # Errors
    /// Every defect of the sheet and the tables, with file and line.
    pub fn compile(folder: &Folder, amounts: Amounts) -> Result<Self, Vec<Defect>> {
        let (tables, mut defects) = tables(folder);
        if amounts == Amounts::Shifted && defects.is_empty() {
            defects.extend(currency_defect(&tables));
        }
        let sheet = match folder.files.get(SHEET) {
            Some(text) => Sheet::parse(SHEET, text, &tables),
            None => Err(vec![Defect::new(SHEET, "missing")]),
        };
        match sheet {
            Ok(sheet) if defects.is_empty() => {
                Ok(Self { sheet: Arc::new(sheet), tables: Arc::new(tables), amounts, version: folder.version(amounts) })
            }
            Ok(_) => Err(defects),
            Err(more) => Err([defects, more].concat()),
        }
    }

    /// Maps the folder's examples and compares; a defect for each that differs.
    pub fn check_examples(&self, folder: &Folder) -> Vec<Defect> {
        examples::check(self, &folder.files)
    }

    /// The content hash that names this mapping, 16 hex digits.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The order that a cart becomes.
    ///
    /// # Errors
    /// Every mistake in the cart.
    pub fn map(&self, cart: &Cart) -> Result<Mapped, Vec<Message>> {
        let (id, order, messages, _) = self.evaluate(cart, None);
        match id {
            Some(id) if messages.is_empty() => Ok(Mapped { id, order }),
            _ => Err(messages),
        }
    }

    /// The same, with the way of every field.
    pub fn preview(&self, cart: &Cart) -> Preview {
        let (_, order, messages, trace) = self.evaluate(cart, Some(Vec::new()));
        Preview {
            order: messages.is_empty().then_some(order),
            mapping_version: self.version.clone(),
            fields: trace.unwrap_or_default(),
            messages,
        }
    }

    /// A cart that can't be identified is mapped all the same, so that all mistakes are reported together.
    fn evaluate(&self, cart: &Cart, trace: Trace) -> (Option<CartId>, Value, Vec<Message>, Trace) {
        let (id, mistake) = match cart.identity() {
            Ok(id) => (Some(id), None),
            Err(mistake) => (None, Some(mistake)),
        };
        let mut evaluation = Evaluation::new(self, cart, id.as_ref().map(CartId::as_str), trace);
        let order = evaluation.run();
        let (found, trace) = (evaluation.messages, evaluation.trace);
        (id, order, mistake.into_iter().chain(found).collect(), trace)
    }

    fn with_amounts(&self, amounts: Amounts) -> Self {
        Self { amounts, ..self.clone() }
    }

    fn shifts_amounts(&self) -> bool {
        self.amounts == Amounts::Shifted
    }

    fn currency_decimals(&self, currency: &str) -> u32 {
        let listed = self.tables.get(CURRENCY_DECIMALS).and_then(|table| table.get(&[currency.to_owned()]));
        listed.and_then(|decimals| decimals.parse().ok()).unwrap_or(USUAL_DECIMALS)
    }
}

/// A wrong number of decimals would move every amount of a currency by powers of ten.
fn currency_defect(tables: &BTreeMap<String, Table>) -> Option<Defect> {
    let fits = |value: &str| value.parse().is_ok_and(|decimals: u32| decimals <= MOST_DECIMALS);
    let expected = "mapping.shifted_amounts needs it with the columns currency,decimals, and decimals from 0 to 4";
    let problem = match tables.get(CURRENCY_DECIMALS) {
        None => "missing",
        Some(table) if table.key_columns.len() != 1 || !table.values().all(fits) => "can't be used",
        Some(_) => return None,
    };
    Some(Defect::new(&format!("tables/{CURRENCY_DECIMALS}.csv"), format!("{problem}; {expected}")))
}

fn tables(folder: &Folder) -> (BTreeMap<String, Table>, Vec<Defect>) {
    let mut tables = BTreeMap::new();
    let mut defects = Vec::new();
    for (file, text) in &folder.files {
        let Some(name) = file.strip_prefix("tables/").and_then(|file| file.strip_suffix(".csv")) else { continue };
        match Table::parse(file, text) {
            Ok(table) => drop(tables.insert(name.to_owned(), table)),
            Err(found) => defects.extend(found),
        }
    }
    (tables, defects)
}

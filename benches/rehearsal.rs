//! What a rehearsal costs: 10,000 carts of 5 items in a ledger's file, each mapped by two mappings that differ in a region's
//! code, as `map --compare OLD NEW --ledger URL` does it.
//!
//! `cargo bench --bench rehearsal` prints the seconds. The bar is 3 s; with `-- FOLDER` the ledger (`orders.db`) and the changed
//! mapping (`new`) stay in that folder, to run the command itself on them.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench fails by panicking, and prints what it measured")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use purchase_order_webhook::cart::Cart;
use purchase_order_webhook::intake::{self, Origin};
use purchase_order_webhook::ledger::Ledger as _;
use purchase_order_webhook::ledger::kept_carts::KeptCarts;
use purchase_order_webhook::ledger::sqlite::SqliteLedger;
use purchase_order_webhook::mapping::{Amounts, Comparison, Folder, Mapping};
use purchase_order_webhook::order::{KeepCarts, Terms};
use serde_json::{Value, json};
use tikv_jemallocator::Jemalloc;
use tokio::task::JoinSet;

/// As in the service.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

const CARTS: usize = 10_000;
const ITEMS: usize = 5;

#[tokio::main]
async fn main() {
    let temporary = tempfile::tempdir().unwrap();
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let folder = named.unwrap_or_else(|| temporary.path().to_owned());
    let (old, new) = mappings(&folder.join("new"));
    let file = folder.join("orders.db");
    fill(&file, &old).await;
    for (label, new) in [("a region differs", &new), ("nothing differs", &old)] {
        let start = Instant::now();
        let mut comparison = Comparison::new(&old, new);
        let mut carts = KeptCarts::in_file(&file).unwrap();
        loop {
            let page = carts.next_page().await.unwrap();
            if page.is_empty() {
                break;
            }
            for cart in page {
                comparison.add(&Cart::parse(&cart.text).unwrap(), cart.id.as_str());
            }
        }
        println!("{label}: {:.2} s, {}", start.elapsed().as_secs_f64(), comparison.summary());
    }
}

/// The mapping that the repository ships, and the same with another code for a region.
fn mappings(changed: &Path) -> (Mapping, Mapping) {
    fs::create_dir_all(changed.join("tables")).unwrap();
    for file in fs::read_dir("mapping/tables").unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, changed.join("tables").join(file.file_name().unwrap())).unwrap();
    }
    fs::copy("mapping/purchase-order.csv", changed.join("purchase-order.csv")).unwrap();
    let regions = fs::read_to_string("mapping/tables/regions.csv").unwrap();
    fs::write(changed.join("tables/regions.csv"), regions.replace("EMEA-DACH", "EMEA-CENTRAL")).unwrap();
    let compile = |folder: &Path| Mapping::compile(&Folder::read(folder).unwrap(), Amounts::Unshifted).unwrap();
    (compile(Path::new("mapping")), compile(changed))
}

/// Has a ledger admit the carts, as the service does.
async fn fill(file: &Path, mapping: &Mapping) {
    let ledger = SqliteLedger::open(file).unwrap();
    let mut admissions = JoinSet::new();
    for number in 1..=CARTS {
        let text = cart(number);
        let cart = Cart::parse(&text).unwrap();
        let candidate = intake::candidate(&cart, mapping, Origin::default(), KeepCarts::On).unwrap();
        let ledger = ledger.clone();
        admissions
            .spawn(async move { ledger.admit(candidate, Terms::new(Timestamp::UNIX_EPOCH, Duration::ZERO)).await });
    }
    while let Some(admitted) = admissions.join_next().await {
        admitted.unwrap().unwrap();
    }
}

/// A cart of five items with GUIDs of its own.
fn cart(number: usize) -> String {
    let sample = fs::read_to_string("mapping/examples/asjson-sample.cart.json").unwrap();
    let sample: Value = serde_json::from_str(&sample).unwrap();
    let guid = |row: usize| format!("{number:016X}{row:016X}");
    let cart = sample.get("CART").unwrap_or(&sample);
    let rows = |section: &str, owner: &str| -> Vec<Value> {
        let of_item = |item: usize| {
            let rows = cart.get(section).and_then(Value::as_array).into_iter().flatten();
            rows.cloned().map(move |mut row| {
                let fields = row.as_object_mut().unwrap();
                fields.insert(owner.to_owned(), json!(guid(item)));
                if section == "ITEM" {
                    fields.insert("NUMBER_INT".to_owned(), json!(format!("{item:010}")));
                }
                row
            })
        };
        (1..=ITEMS).flat_map(of_item).collect()
    };
    let mut header = cart.get("HEADER").cloned().unwrap();
    let fields = header.as_object_mut().unwrap();
    fields.insert("GUID".to_owned(), json!(guid(0)));
    // Five times the sample's one item.
    fields.insert("TOTAL_VALUE".to_owned(), json!("62402.40"));
    fields.insert("OBJECT_ID".to_owned(), json!(format!("{number:010}")));
    json!({ "CART": {
        "HEADER": header, "ITEM": rows("ITEM", "GUID"), "ACCOUNT": rows("ACCOUNT", "P_GUID"),
        "PARTNER": rows("PARTNER", "P_GUID"), "ORGDATA": cart.get("ORGDATA"),
    } })
    .to_string()
}

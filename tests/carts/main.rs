//! Carts as SAP's serializers and the middleware between really send them, from text to order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/snapshot_files.rs"]
mod snapshot_files;

mod as_sent;
mod guide;
mod inputs;
mod libreoffice;
mod spellings;
mod unreadable_files;

use std::fs;
use std::path::Path;

use purchase_order_webhook::cart::Cart;
use purchase_order_webhook::mapping::{Amounts, Folder, IdField, Mapped, Mapping, MappingOptions, Preview};

/// The mapping that the repository ships.
fn shipped() -> Mapping {
    Mapping::compile(&Folder::read(Path::new("mapping")).unwrap(), Amounts::Unshifted).unwrap()
}

/// The shipped tables with other rows of a sheet.
fn sheet(rows: &str) -> Mapping {
    sheet_with(rows, &options())
}

fn options() -> MappingOptions {
    MappingOptions { id_field: IdField::Nowhere, ..MappingOptions::default() }
}

fn sheet_with(rows: &str, options: &MappingOptions) -> Mapping {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tables")).unwrap();
    fs::write(folder.path().join("tables/kinds.csv"), "kind,value\n0,none\n00,two\n7,seven\n").unwrap();
    fs::write(folder.path().join("purchase-order.csv"), format!("target,source,as,absent\n{rows}")).unwrap();
    let folder = Folder::read(folder.path()).unwrap();
    Mapping::compile_with(&folder, options).unwrap()
}

/// An input of this folder.
fn case(name: &str) -> String {
    fs::read_to_string(Path::new("tests/carts").join(name)).unwrap()
}

fn mapped(mapping: &Mapping, cart: &str) -> Mapped {
    mapping.map(&Cart::parse(cart).unwrap()).unwrap()
}

fn mistakes(mapping: &Mapping, cart: &str) -> Vec<String> {
    mapping.map(&Cart::parse(cart).unwrap()).unwrap_err().into_iter().map(|mistake| mistake.message).collect()
}

fn preview(mapping: &Mapping, cart: &str) -> Preview {
    mapping.preview(&Cart::parse(cart).unwrap())
}

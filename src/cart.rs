//! The approved shopping cart (SRM 7, BUS2121): JSON of any of SAP's serializers, read into one form.
//!
//! Owns SAP's JSON: names, initial values, GUIDs, sections, joins. Knows nothing of orders, tables or HTTP.
//! The text is scanned once, into positions of its values: names and values are borrowed from it, every serializer's
//! spelling of a name is the same [`Name`], and a decimal never passes through a float.

mod columns;
mod fingerprint;
mod guid;
mod identity;
mod item_label;
mod join;
mod json;
mod name;
mod parse;
mod sections;
mod selection;
mod shape;
mod standard;
mod value;
mod vocabulary;

pub use columns::Columns;
pub use guid::{guid, hex_guid};
pub use identity::CartId;
pub use item_label::{item_in_brackets, item_label};
pub use join::{Findings, Item, JoinedCart};
pub use json::REPLACEMENT;
pub use name::Name;
pub use parse::{Bounds, CartError};
pub use sections::{Cart, Row};
pub use selection::{Scope, Selection};
pub use shape::{annotated, counted, is_count, is_metadata_name, is_next_page};
pub use standard::STANDARD;
pub use value::{Scalar, is_initial, trimmed, without_leading_zeros};
pub use vocabulary::Vocabulary;

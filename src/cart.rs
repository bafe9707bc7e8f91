//! The approved shopping cart (SRM 7, BUS2121): JSON of any of SAP's serializers, read into one form.
//!
//! Owns SAP's JSON: names, initial values, GUIDs, sections, joins. Knows nothing of orders, tables or HTTP.
//! Every serializer's spelling of a name is the same [`Name`], and every value keeps the text in which it was sent: a
//! decimal never passes through a float.

mod fingerprint;
mod guid;
mod identity;
mod join;
mod name;
mod parse;
mod sections;
mod selection;
mod value;

pub use guid::{guid, hex_guid};
pub use identity::CartId;
pub use join::{Item, JoinedCart};
pub use name::Name;
pub use parse::{Bounds, CartError};
pub use sections::{Cart, Row};
pub use selection::{Scope, Selection};
pub use value::{Scalar, is_initial, without_leading_zeros};

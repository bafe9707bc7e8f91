//! The order in which the fields of a row are written. Rows of one section mostly have the same fields in the same order,
//! so that it is worked out once for all of them.

use std::borrow::Cow;
use std::ops::Range;

use super::content::FieldKind;
use super::frame::{LENGTH_BYTES, framed};
use crate::cart::json::Value;
use crate::cart::name::folded;
use crate::cart::shape::is_metadata_name;

/// Layouts that are remembered: a section's rows have few (suppliers and ship-tos have other fields).
const REMEMBERED: usize = 8;

/// Bytes that are reserved for a name and its length.
const BYTES_PER_NAME: usize = 16;

/// A field of a layout.
#[derive(Debug)]
pub struct Field {
    /// Among the members of the row.
    pub position: usize,
    /// Where the layout has its name as it is written.
    name: Range<usize>,
    /// How its content is written.
    pub kind: FieldKind,
}

/// The fields of rows with these names, in the order in which they are written.
#[derive(Debug)]
pub struct Layout<'c> {
    /// Of its rows' objects ([`Value::alike`]).
    alike: usize,
    names: Vec<(u32, Cow<'c, str>)>,
    written_names: Vec<u8>,
    /// The fields.
    pub fields: Vec<Field>,
    /// Where the GUID of the row's owner is among the members.
    pub owner: Option<usize>,
}

/// The layouts of the last rows.
#[derive(Debug, Default)]
pub struct Layouts<'c> {
    known: Vec<Layout<'c>>,
}

impl<'c> Layouts<'c> {
    /// The fields of a row that has these members.
    pub fn of(&mut self, row: Value<'c>, members: &[Value<'c>]) -> Option<&Layout<'c>> {
        let known = self.known.iter().position(|layout| layout.alike == row.alike());
        let known = known.or_else(|| self.known.iter().position(|layout| layout.fits(members)));
        let index = known.unwrap_or_else(|| {
            if self.known.len() >= REMEMBERED {
                self.known.remove(0);
            }
            self.known.push(Layout::of(row, members));
            self.known.len() - 1
        });
        self.known.get(index)
    }
}

impl<'c> Layout<'c> {
    fn of(row: Value<'c>, members: &[Value<'c>]) -> Self {
        let names: Vec<_> = members.iter().map(|member| (member.name_hash(), member.name())).collect();
        let mut order: Vec<(u32, &str, usize)> = Vec::with_capacity(names.len());
        let data = names.iter().zip(0..).filter(|((_, name), _)| !is_metadata_name(name));
        order.extend(data.map(|((hash, name), position)| (*hash, name.as_ref(), position)));
        order.sort_unstable();
        let same = |left: &str, right: &str| folded(left).eq(folded(right));
        let mut written_names = Vec::with_capacity(order.len() * BYTES_PER_NAME);
        let fields =
            order.iter().enumerate().map(|(index, (hash, name, position))| {
                let beside = |other: Option<usize>| {
                    let other = other.and_then(|other| order.get(other));
                    other.is_some_and(|(other_hash, other, _)| hash == other_hash && same(name, other))
                };
                // Of two spellings of one name, each is a field of its own.
                let is_shared = beside(index.checked_sub(1)) || beside(Some(index + 1));
                let start = written_names.len();
                framed(&mut written_names, |bytes| {
                    if is_shared { bytes.extend(name.bytes()) } else { bytes.extend(folded(name)) }
                });
                written_names.extend_from_slice(&[0; LENGTH_BYTES]);
                Field { position: *position, name: start..written_names.len(), kind: FieldKind::of(name, *hash) }
            });
        let fields: Vec<Field> = fields.collect();
        let owner = fields.iter().find(|field| field.kind == FieldKind::Owner).map(|field| field.position);
        Self { alike: row.alike(), names, written_names, fields, owner }
    }

    /// The name of a field as it is written, with a place for the length of its content.
    pub fn name(&self, field: &Field) -> &[u8] {
        self.written_names.get(field.name.clone()).unwrap_or_default()
    }

    fn fits(&self, members: &[Value<'c>]) -> bool {
        self.names.len() == members.len()
            && self
                .names
                .iter()
                .zip(members)
                .all(|((hash, name), member)| *hash == member.name_hash() && *name == member.name())
    }
}

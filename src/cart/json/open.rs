//! A list or an object that is being read: the names in it so far, and an earlier object that has had the same ones.
//!
//! The rows of a section mostly have the same names in the same order. A name that stands where the row before has it need
//! neither be hashed nor compared with the others of its row.

use std::borrow::Cow;
use std::collections::HashSet;

use super::node::{NameSpan, Node};
use super::text::decode;

/// Members up to which an object's names are compared one by one, after a filter; rows of SRM have 30 to 200.
const COMPARED_NAMES: u32 = 256;

/// A list or an object that is not closed yet.
pub struct Open<'j> {
    pub node: usize,
    pub is_list: bool,
    /// Members or entries so far.
    pub members: u32,
    /// A bit for the hash of each name so far: most new names are seen to be new by it.
    filter: u128,
    /// The names so far, once there are too many to compare.
    names: Option<HashSet<Cow<'j, str>>>,
    precedent: Option<Precedent>,
    /// The last two objects of a list, the later one first.
    objects: [Option<usize>; 2],
}

/// An earlier object that has all names of this one so far, in the same order.
#[derive(Debug, Clone, Copy)]
struct Precedent {
    alike: u32,
    /// Its member in the place of the next one; `end` if it has no more.
    member: u32,
    end: u32,
}

impl<'j> Open<'j> {
    /// A list or an object inside of `outer`.
    pub fn new(node: usize, is_list: bool, outer: Option<&Self>, nodes: &[Node]) -> Self {
        let precedent = outer.filter(|_| !is_list).and_then(|outer| outer.precedent_of_next(nodes));
        Self { node, is_list, members: 0, filter: 0, names: None, precedent, objects: [None; 2] }
    }

    /// The entry with which the next object of the list is compared: the last one if it is like the one before it, else the one
    /// before it. So two kinds of rows that take turns, as suppliers and ship-tos do, are compared with their own kind.
    fn precedent_of_next(&self, nodes: &[Node]) -> Option<Precedent> {
        let [last, before] = self.objects;
        let alike = |object: usize| nodes.get(object).map(|node| node.alike);
        let object = last.filter(|last| before.is_none_or(|before| alike(*last) == alike(before))).or(before)?;
        let Node { alike, next: end, .. } = *nodes.get(object)?;
        let member = u32::try_from(object + 1).ok()?;
        Some(Precedent { alike, member, end })
    }

    /// The member that the earlier object has in the place of the next one.
    pub fn expected<'n>(&self, nodes: &'n [Node]) -> Option<&'n Node> {
        let Precedent { member, end, .. } = self.precedent?;
        nodes.get(member as usize).filter(|_| member < end)
    }

    /// Counts the member that was expected.
    pub fn count_expected(&mut self, expected: &Node) {
        if let Some(precedent) = &mut self.precedent {
            precedent.member = expected.next;
        }
        self.filter |= bit(expected.name_hash);
        self.members += 1;
    }

    /// Counts any other member; false if the object has one of this name, spelled alike.
    pub fn count(&mut self, span: NameSpan, text: &'j str, nodes: &[Node]) -> bool {
        self.precedent = None;
        let name = |(start, end): (usize, usize), is_escaped: bool| {
            let raw = text.get(start..end).unwrap_or_default();
            if is_escaped { decode(raw) } else { Cow::Borrowed(raw) }
        };
        let of_node = |node: &Node| name(node.name(), node.name_escaped);
        let new = || name(span.range(), span.escaped);
        let is_new = match &mut self.names {
            Some(names) => names.insert(new()),
            None if self.members >= COMPARED_NAMES => {
                let mut names: HashSet<_> = members(self.node, nodes).map(of_node).collect();
                let is_new = names.insert(new());
                self.names = Some(names);
                is_new
            }
            None => {
                self.filter & bit(span.hash) == 0
                    || members(self.node, nodes).all(|node| node.name_hash != span.hash || of_node(node) != new())
            }
        };
        self.filter |= bit(span.hash);
        self.members += 1;
        is_new
    }

    /// Counts an entry of the list.
    pub const fn count_entry(&mut self) {
        self.members += 1;
    }

    /// Takes note of an object that was closed in the list.
    pub const fn closed(&mut self, object: usize) {
        self.objects = [Some(object), self.objects[0]];
    }

    /// The first object with all names of this one, if the names are the ones of its precedent to the end.
    pub fn alike(&self) -> Option<u32> {
        self.precedent.filter(|precedent| precedent.member == precedent.end).map(|precedent| precedent.alike)
    }
}

const fn bit(hash: u32) -> u128 {
    1 << (hash % u128::BITS)
}

/// The members so far of the object at an index.
fn members(object: usize, nodes: &[Node]) -> impl Iterator<Item = &Node> {
    let first = nodes.get(object + 1);
    std::iter::successors(first, |node| nodes.get(node.next as usize))
}

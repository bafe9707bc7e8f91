//! The column `target`: paths such as `lines[].allocations[].percent`, grown into the tree of the order's body.

use std::fmt;

/// Lists inside lists: items, and their account assignments.
pub const MAX_LISTS: usize = 2;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    list: bool,
}

/// A target's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// Reads `a.b`, `lines[].x`, `lines[].allocations[].y`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let steps: Vec<Step> = text
            .trim()
            .split('.')
            .map(|part| match part.strip_suffix("[]") {
                Some(name) => Step { name: name.to_owned(), list: true },
                None => Step { name: part.to_owned(), list: false },
            })
            .collect();
        let fine = |step: &Step| {
            !step.name.is_empty()
                && step.name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '$'))
        };
        let ends_in_a_field = steps.last().is_some_and(|step| !step.list);
        if steps.iter().all(fine) && ends_in_a_field {
            return Ok(Self { steps });
        }
        Err(format!("target {text:?}: expected a path such as supplier.externalId or lines[].unitPrice"))
    }

    /// How many lists the path goes through.
    pub fn depth(&self) -> usize {
        self.steps.iter().filter(|step| step.list).count()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            let list = if step.list { "[]" } else { "" };
            write!(f, "{dot}{}{list}", step.name)?;
        }
        Ok(())
    }
}

/// An object of the order's body: its members in the order in which the sheet first names them.
#[derive(Debug, Clone)]
pub struct Object<L> {
    /// Name and content of each member.
    pub members: Vec<(String, Member<L>)>,
}

/// What a member of the body is.
#[derive(Debug, Clone)]
pub enum Member<L> {
    /// A value.
    Leaf(L),
    /// A nested object.
    Object(Object<L>),
    /// A list with one object for each item, or for each account of an item.
    List(Object<L>),
}

impl<L> Default for Object<L> {
    fn default() -> Self {
        Self { members: Vec::new() }
    }
}

impl<L> Object<L> {
    /// Puts a leaf where the path says; refuses a place that is taken, or that is something else already.
    pub fn place(&mut self, path: Path, leaf: L) -> Result<(), String> {
        let shown = path.to_string();
        let mut steps = path.steps;
        let Some(last) = steps.pop() else { return Err(format!("target {shown}: empty")) };
        let mut object = self;
        for step in steps {
            object = object
                .inside(step)
                .ok_or_else(|| format!("target {shown}: an earlier row makes a part of it something else"))?;
        }
        if object.members.iter().any(|(name, _)| *name == last.name) {
            return Err(format!("target {shown}: already set by an earlier row"));
        }
        object.members.push((last.name, Member::Leaf(leaf)));
        Ok(())
    }

    fn inside(&mut self, step: Step) -> Option<&mut Self> {
        let index = if let Some(index) = self.members.iter().position(|(name, _)| *name == step.name) {
            index
        } else {
            let new = if step.list { Member::List(Self::default()) } else { Member::Object(Self::default()) };
            self.members.push((step.name, new));
            self.members.len() - 1
        };
        match (&mut self.members.get_mut(index)?.1, step.list) {
            (Member::Object(object), false) | (Member::List(object), true) => Some(object),
            _ => None,
        }
    }
}

//! The column `target`: paths such as `lines[].allocations[].percent`, and the tree of the order's body that they make.

use std::collections::HashMap;
use std::fmt;

/// Lists inside lists: items, and their account assignments.
pub const MAX_LISTS: usize = 2;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    is_list: bool,
}

/// A target's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPath {
    steps: Vec<Step>,
}

impl TargetPath {
    /// Reads `a.b`, `lines[].x`, `lines[].allocations[].y`, or a list itself: `lines[].allocations[]`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let steps: Vec<Step> = text
            .trim()
            .split('.')
            .map(|part| match part.strip_suffix("[]") {
                Some(name) => Step { name: name.to_owned(), is_list: true },
                None => Step { name: part.to_owned(), is_list: false },
            })
            .collect();
        let is_valid = |step: &Step| {
            !step.name.is_empty()
                && step.name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '$'))
        };
        if steps.iter().all(is_valid) {
            return Ok(Self { steps });
        }
        Err(format!("target {text:?}: expected a path such as supplier.externalId or lines[].unitPrice"))
    }

    /// True for a path that ends in a list.
    pub fn is_list(&self) -> bool {
        self.steps.last().is_some_and(|step| step.is_list)
    }

    /// The number of lists on the path.
    pub fn depth(&self) -> usize {
        self.steps.iter().filter(|step| step.is_list).count()
    }
}

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            let list = if step.is_list { "[]" } else { "" };
            write!(f, "{dot}{}{list}", step.name)?;
        }
        Ok(())
    }
}

/// An object of the order's body: its members in the order in which the sheet first names them.
#[derive(Debug, Clone)]
pub struct Object<F> {
    /// Name and content of each member.
    pub members: Vec<(String, Member<F>)>,
    /// Rules about the list of which this object is an entry.
    pub entry_rules: Vec<F>,
    /// The place of each member by its name.
    places: HashMap<String, usize>,
}

/// The content of a member of the body.
#[derive(Debug, Clone)]
pub enum Member<F> {
    /// A field with a value.
    Field(F),
    /// A nested object.
    Object(Object<F>),
    /// A list with one object for each item, or for each account of an item.
    List(Object<F>),
}

impl<F> Default for Object<F> {
    fn default() -> Self {
        Self { members: Vec::new(), entry_rules: Vec::new(), places: HashMap::new() }
    }
}

impl<F> Object<F> {
    /// Inserts a field at its path, or a rule about the entries of a list at the list's path. A field that is there already
    /// may take the new one in.
    ///
    /// # Errors
    /// If the path, or a part of it, is something else already.
    pub fn insert(
        &mut self,
        path: TargetPath,
        field: F,
        take_in: impl FnOnce(&mut F, F) -> Result<(), String>,
    ) -> Result<(), String> {
        let target = path.to_string();
        let mut steps = path.steps;
        let last = steps.pop_if(|step| !step.is_list);
        let mut object = self;
        for step in steps {
            object = object
                .descend(step)
                .ok_or_else(|| format!("target {target}: an earlier row makes a part of it something else"))?;
        }
        let Some(last) = last else {
            object.entry_rules.push(field);
            return Ok(());
        };
        let place = object.places.get(&last.name).copied();
        match place.and_then(|place| object.members.get_mut(place)) {
            None => {
                object.push(last.name, Member::Field(field));
            }
            Some((_, Member::Field(earlier))) => {
                take_in(earlier, field).map_err(|problem| format!("target {target}: {problem}"))?;
            }
            Some(_) => return Err(format!("target {target}: already set by an earlier row")),
        }
        Ok(())
    }

    /// The object one step below; `None` if the member is something else.
    fn descend(&mut self, step: Step) -> Option<&mut Self> {
        let place = if let Some(place) = self.places.get(&step.name) {
            *place
        } else {
            self.push(
                step.name,
                if step.is_list { Member::List(Self::default()) } else { Member::Object(Self::default()) },
            )
        };
        match (&mut self.members.get_mut(place)?.1, step.is_list) {
            (Member::Object(object), false) | (Member::List(object), true) => Some(object),
            _ => None,
        }
    }

    /// Adds a member, and returns its place.
    fn push(&mut self, name: String, member: Member<F>) -> usize {
        let place = self.members.len();
        self.places.insert(name.clone(), place);
        self.members.push((name, member));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many that looking for each among all before it would take hours.
    #[test]
    fn a_member_is_found_by_its_name_among_any_number() {
        const MEMBERS: u32 = 400_000;
        let mut root: Object<u32> = Object::default();
        let insert = |root: &mut Object<u32>, path: String, field| {
            root.insert(TargetPath::parse(&path).unwrap(), field, |_, _| Err("taken".to_owned()))
        };
        for n in 0..MEMBERS {
            let path = match n % 3 {
                0 => format!("m{n}"),
                1 => format!("m{n}.a"),
                _ => format!("m{n}[].a"),
            };
            insert(&mut root, path, n).unwrap();
        }
        assert_eq!(insert(&mut root, "m0".to_owned(), 0), Err("target m0: taken".to_owned()));
        assert!(insert(&mut root, "m2.b".to_owned(), 0).is_err() && insert(&mut root, "m2[].b".to_owned(), 0).is_ok());
        assert_eq!(root.members.len(), MEMBERS as usize);
        assert!(root.members.iter().enumerate().all(|(n, (name, _))| *name == format!("m{n}")), "in their order");
    }
}

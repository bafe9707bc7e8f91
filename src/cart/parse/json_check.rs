//! The check of a body's JSON: bounded nesting, and no name twice in one object.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::cart::name::Name;

/// Checks a whole text, before anything is read from it.
///
/// # Errors
/// If the text is no JSON (RFC 8259), opens more than `max_depth` lists and objects inside of each other, or has an
/// object with two members of one name, in any spelling: two readers could read such a field differently.
pub fn check_json(json: &str, max_depth: usize) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    JsonCheck { max_depth, depth_left: max_depth }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// The check of one value, which keeps nothing of it.
#[derive(Clone, Copy)]
struct JsonCheck {
    max_depth: usize,
    /// How many more lists and objects may open inside of this value.
    depth_left: usize,
}

impl JsonCheck {
    /// The check of a value inside of this one.
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        let too_deep =
            || E::custom(format!("nested too deep; at most {} lists and objects inside of each other", self.max_depth));
        Ok(Self { depth_left: self.depth_left.checked_sub(1).ok_or_else(too_deep)?, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for JsonCheck {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonCheck {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inside()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.inside()?;
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if !seen.insert(Name::of(&name)) {
                return Err(A::Error::custom(format!("the name {name:?} appears twice in one object")));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}

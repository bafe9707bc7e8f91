//! Names that occur more than once in one object of a JSON text. Of such members every reader takes another one (RFC 8259
//! §4), so that they say nothing.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The names, at any depth, each once, in order; empty if all members are unique.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RepeatedNames(pub BTreeSet<String>);

impl<'de> Deserialize<'de> for RepeatedNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut found = Self::default();
        Search(&mut found).deserialize(deserializer)?;
        Ok(found)
    }
}

/// The search of one value, which keeps nothing else of it.
struct Search<'f>(&'f mut RepeatedNames);

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
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
        while list.next_element_seed(Search(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = object.next_key::<Cow<'de, str>>()? {
            if seen.contains(&name) {
                self.0.0.insert(name.into_owned());
            } else {
                seen.insert(name);
            }
            object.next_value_seed(Search(&mut *self.0))?;
        }
        Ok(())
    }
}

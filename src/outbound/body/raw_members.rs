//! The members of one JSON object as they are written: one that can't be read, or that occurs twice, takes no other away.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object, each unread.
#[derive(Debug, Default)]
pub struct RawMembers {
    members: BTreeMap<String, Box<RawValue>>,
    repeated: BTreeSet<String>,
}

impl RawMembers {
    /// The only member of a name. Of several, every reader takes another one (RFC 8259 §4), so that none counts.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.members.get(name).filter(|_| !self.is_repeated(name)).map(AsRef::as_ref)
    }

    /// Whether a name occurs more than once.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.contains(name)
    }

    /// Whether any name does.
    pub fn has_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// Each name with its last member.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }
}

impl<'de> Deserialize<'de> for RawMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collection(Self::default()))
    }
}

struct Collection(RawMembers);

impl<'de> Visitor<'de> for Collection {
    type Value = RawMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<RawMembers, A::Error> {
        let Self(mut found) = self;
        while let Some((name, value)) = object.next_entry::<String, Box<RawValue>>()? {
            if found.members.insert(name.clone(), value).is_some() {
                found.repeated.insert(name);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_repeated_or_unreadable_takes_no_other_away() {
        let text = r#"{"a":1,"b":1e400,"c":"x","c":"x","d":{"e":1,"e":2},"\u0061":2,"f":"\ud800"}"#;
        let members: RawMembers = serde_json::from_str(text).unwrap();
        assert_eq!(members.get("b").map(RawValue::get), Some("1e400"));
        assert_eq!(members.get("d").map(RawValue::get), Some(r#"{"e":1,"e":2}"#));
        assert!(members.get("a").is_none() && members.get("c").is_none() && members.has_repeated());
        assert_eq!(members.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b", "c", "d", "f"]);
        assert!(serde_json::from_str::<RawMembers>("[]").is_err());
    }
}

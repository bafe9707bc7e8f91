//! Names of sections and fields.

use std::borrow::Borrow;
use std::fmt;

/// A section's or field's name in the one form that all spellings share: `OBJECT_ID`, `objectId`, `ObjectId` and
/// `objectid` are all `OBJECTID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Normalises a spelling: drops underscores, turns letters into upper case.
    pub fn of(spelling: &str) -> Self {
        Self(spelling.chars().filter(|c| *c != '_').map(|c| c.to_ascii_uppercase()).collect())
    }

    /// The normalised form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_the_same_name() {
        for spelling in ["G_L_ACCT", "gLAcct", "GLAcct", "glacct", "g_l_acct"] {
            assert_eq!(Name::of(spelling), Name::of("G_L_ACCT"));
        }
    }
}

//! Names of sections and fields.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The place of a field among the fields that a sheet reads of one section, or of a section among the sections.
pub type Column = u16;

/// A section's or field's name as the sheet spells it, and in the one form that all spellings share: `OBJECT_ID`,
/// `objectId`, `ObjectId` and `objectid` are all `OBJECTID`. Two names are equal if their shared forms are.
#[derive(Debug, Clone)]
pub struct Name {
    spelling: Arc<str>,
    /// Shared with the vocabulary that has the name, so that most comparisons are of addresses.
    folded: Arc<str>,
    hash: u32,
    /// Where the vocabulary of the sheet has it.
    column: Option<Column>,
}

impl Name {
    /// Takes a spelling: the shared form has no underscores, and ASCII letters in upper case.
    pub fn of(spelling: &str) -> Self {
        let folded: String = spelling.chars().filter(|c| *c != '_').map(|c| c.to_ascii_uppercase()).collect();
        let hash = FoldedHash::of(spelling.as_bytes());
        Self { spelling: spelling.into(), folded: folded.into(), hash, column: None }
    }

    /// The shared form.
    pub fn as_str(&self) -> &str {
        &self.folded
    }

    /// As the sheet spells it.
    pub fn spelling(&self) -> &str {
        &self.spelling
    }

    /// The column that a vocabulary gave it.
    pub(super) const fn column(&self) -> Option<Column> {
        self.column
    }

    pub(super) const fn set_column(&mut self, column: Option<Column>) {
        self.column = column;
    }

    /// Takes the place that a vocabulary has for an equal name.
    pub(super) fn locate(&mut self, known: &Self, column: Option<Column>) {
        self.folded = Arc::clone(&known.folded);
        self.column = column;
    }

    /// Of the shared form.
    pub(super) const fn hash(&self) -> u32 {
        self.hash
    }

    /// Whether another spelling has the same shared form.
    pub(super) fn matches(&self, spelling: &str) -> bool {
        *self.spelling == *spelling || self.folded.bytes().eq(folded(spelling))
    }
}

/// The bytes of the shared form of a spelling.
pub fn folded(spelling: &str) -> impl Iterator<Item = u8> + '_ {
    spelling.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_uppercase())
}

/// FNV-1a with 32 bits over the shared form of a name, byte by byte. It only finds candidates: names are compared.
#[derive(Debug, Clone, Copy)]
pub struct FoldedHash(u32);

impl FoldedHash {
    /// The hash of nothing (FNV's offset basis).
    pub const EMPTY: Self = Self(0x811c_9dc5);

    /// FNV's prime.
    const PRIME: u32 = 0x0100_0193;

    /// One more byte of the spelling.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "there is a step for every byte")]
    pub const fn with(self, byte: u8) -> Self {
        let (letter, factor) = Self::STEPS[byte as usize];
        Self((self.0 ^ letter).wrapping_mul(factor))
    }

    /// What each byte does: the letter that it stands for, and the factor; an underscore does nothing.
    #[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
    const STEPS: [(u32, u32); 256] = {
        let mut steps = [(0, Self::PRIME); 256];
        let mut byte = u8::MAX;
        loop {
            steps[byte as usize].0 = byte.to_ascii_uppercase() as u32;
            if byte == 0 {
                break;
            }
            byte -= 1;
        }
        steps[b'_' as usize] = (0, 1);
        steps
    };

    /// Of a whole spelling.
    pub const fn of(spelling: &[u8]) -> u32 {
        let (mut hash, mut rest) = (Self::EMPTY, spelling);
        while let [byte, after @ ..] = rest {
            (hash, rest) = (hash.with(*byte), after);
        }
        hash.finish()
    }

    /// The hash.
    pub const fn finish(self) -> u32 {
        self.0
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && (Arc::ptr_eq(&self.folded, &other.folded) || self.folded == other.folded)
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_the_same_name() {
        for spelling in ["G_L_ACCT", "gLAcct", "GLAcct", "glacct", "g_l_acct"] {
            assert_eq!(Name::of(spelling), Name::of("G_L_ACCT"));
            assert_eq!(Name::of(spelling).hash(), Name::of("G_L_ACCT").hash());
            assert!(Name::of("G_L_ACCT").matches(spelling));
        }
        assert!(!Name::of("G_L_ACCT").matches("G_L_ACC"));
    }
}

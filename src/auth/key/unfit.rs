//! Why a published key can't verify tokens.

use std::fmt;

/// Why a key can't verify tokens; for logs, without a part of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// It is for something else, as keys for encryption are.
    OtherPurpose(&'static str),
    /// Its issuer may have meant it for tokens.
    Defective(&'static str),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::OtherPurpose(reason) | Self::Defective(reason)) = self;
        f.write_str(reason)
    }
}

/// A key that was left out of a key set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOutKey {
    /// Its `kid`, without control characters and at most 100 characters; empty if it has none.
    pub kid: String,
    /// Why.
    pub reason: Unfit,
}

impl fmt::Display for LeftOutKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kid = if self.kid.is_empty() { "a key without kid" } else { &self.kid };
        write!(f, "{kid}: {}", self.reason)
    }
}

//! A key set (RFC 7517 §5) of which each member is read alone: an odd one takes no other away.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Key, LeftOutKey};

/// A key set as it was published. Its keys are not read yet: one that can't be is left out (RFC 7517 §4), and is no reason to
/// refuse the set.
#[derive(Debug, Deserialize)]
pub struct JwkSet {
    keys: Vec<Box<RawValue>>,
}

impl JwkSet {
    /// Reads the text of a key set. `None` if it is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// The keys that can verify tokens, and those that can't, in their order.
    pub fn read(&self) -> (Vec<Key>, Vec<LeftOutKey>) {
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for jwk in &self.keys {
            match Key::parse(jwk.get()) {
                Ok(key) => keys.push(key),
                Err(unfit) => left_out.push(unfit),
            }
        }
        (keys, left_out)
    }
}

//! The keys that were fetched last, and their age.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jsonwebtoken::Algorithm;

use crate::auth::key::Key;
use crate::clock::Moment;

/// Most keys that are tried for one token: an issuer has two of each kind while it rotates, and each costs a
/// verification.
const MAX_CANDIDATES: usize = 4;

/// One key set of the issuer.
#[derive(Debug)]
pub struct CachedKeys {
    keys: Vec<Key>,
    fetched_at: Moment,
}

impl CachedKeys {
    /// Whether a key has this name, whatever its algorithms.
    pub fn has(&self, kid: Option<&str>) -> bool {
        kid.is_some() && self.keys.iter().any(|key| key.kid.as_deref() == kid)
    }

    /// The keys for an algorithm: the one of this name, or the first four.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
        let is_named = |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let candidates = self.keys.iter().filter(is_named).filter(|key| key.algorithms.contains(&algorithm));
        candidates.take(MAX_CANDIDATES).cloned().collect()
    }
}

/// The current key set.
#[derive(Debug, Default)]
pub struct KeyCache {
    current: ArcSwapOption<CachedKeys>,
    generation: AtomicU64,
}

impl KeyCache {
    /// Changes whenever the keys do.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The key set, if its age is below `age`.
    pub fn younger_than(&self, age: Duration, now: Moment) -> Option<Arc<CachedKeys>> {
        self.current.load_full().filter(|known| now.since(known.fetched_at) < age)
    }

    /// Takes over a key set. The generation changes only if a key, or what it may verify, has changed.
    pub fn replace(&self, keys: Vec<Key>, fetched_at: Moment) {
        let identities = |keys: &[Key]| keys.iter().map(Key::identity).collect::<BTreeSet<_>>();
        let changed = self.current.load().as_ref().is_none_or(|known| identities(&known.keys) != identities(&keys));
        self.current.store(Some(Arc::new(CachedKeys { keys, fetched_at })));
        if changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }
}

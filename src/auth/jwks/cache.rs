//! The keys that were fetched last, and their age.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jsonwebtoken::Algorithm;

use crate::auth::key::{Key, KeyHint, Relation};
use crate::clock::Moment;

/// Most keys that are tried for one token that does not name its key: each costs a verification, and no issuer has nearly as
/// many.
const MAX_CANDIDATES: usize = 64;

/// One key set of the issuer.
#[derive(Debug)]
pub struct CachedKeys {
    keys: Vec<Arc<Key>>,
    fetched_at: Moment,
}

impl CachedKeys {
    /// Whether a key is the one that a token names, whatever its algorithms.
    pub fn has(&self, hint: KeyHint<'_>) -> bool {
        self.keys.iter().any(|key| key.relation(hint) == Relation::Named)
    }

    /// The keys for an algorithm: those that the token names, or else all that may have signed it, up to a bound.
    pub fn find(&self, hint: KeyHint<'_>, algorithm: Algorithm) -> Vec<Arc<Key>> {
        let wanted = if self.has(hint) { Relation::Named } else { Relation::Possible };
        let candidates = self.keys.iter().filter(|key| key.relation(hint) == wanted);
        candidates.filter(|key| key.algorithms.contains(&algorithm)).take(MAX_CANDIDATES).cloned().collect()
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
        let keys: Vec<Arc<Key>> = keys.into_iter().map(Arc::new).collect();
        let identities = |keys: &[Arc<Key>]| keys.iter().map(|key| key.identity()).collect::<BTreeSet<_>>();
        let changed = self.current.load().as_ref().is_none_or(|known| identities(&known.keys) != identities(&keys));
        self.current.store(Some(Arc::new(CachedKeys { keys, fetched_at })));
        if changed {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }
}

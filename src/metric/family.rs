//! Values of one kind, told apart by a key such as a status.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The values by key. Only keys that occurred have one, and none is ever removed: whoever counts takes care that there are few.
#[derive(Debug)]
pub struct Family<K, V>(RwLock<BTreeMap<K, Arc<V>>>);

impl<K, V> Default for Family<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Ord + Clone, V: Default> Family<K, V> {
    /// The value of a key. Allocates at the first time alone.
    pub fn get<Q>(&self, key: &Q) -> Arc<V>
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(value) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Arc::clone(value);
        }
        Arc::clone(self.0.write().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_default())
    }

    /// Every key with its value, sorted.
    pub fn all(&self) -> Vec<(K, Arc<V>)> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.iter().map(|(key, value)| (key.clone(), Arc::clone(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Counter;

    #[test]
    fn each_key_has_one_value() {
        let family: Family<String, Counter> = Family::default();
        for key in ["b", "a", "b"] {
            family.get(key).increment();
        }
        let all: Vec<_> = family.all().into_iter().map(|(key, counter)| (key, counter.get())).collect();
        assert_eq!(all, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    }
}

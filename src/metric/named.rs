//! Counters whose names are known from the start.

use super::Counter;

/// Counters by a name that is one of few.
#[derive(Debug)]
pub struct NamedCounters<const N: usize> {
    names: [&'static str; N],
    counters: [Counter; N],
}

impl<const N: usize> NamedCounters<N> {
    /// All of them at zero.
    pub fn new(names: [&'static str; N]) -> Self {
        Self { names, counters: std::array::from_fn(|_| Counter::default()) }
    }

    /// Counts an event.
    pub fn count(&self, name: &str) {
        for (known, counter) in self.names.iter().zip(&self.counters) {
            if *known == name {
                counter.increment();
            }
        }
    }

    /// Every name with its number.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.names.into_iter().zip(self.counters.iter().map(Counter::get))
    }
}

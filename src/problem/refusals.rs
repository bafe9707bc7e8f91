//! How often requests were refused, and why.

use super::kind::ProblemKind;
use crate::metric::{Counter, Family};

/// The refusals of one service, by the kind of problem. What became of an order is none.
#[derive(Debug, Default)]
pub struct Refusals(Family<&'static str, Counter>);

impl Refusals {
    /// Counts a request that was answered with a problem.
    pub fn count(&self, kind: ProblemKind) {
        if !kind.is_outcome() {
            self.0.get(&kind.name).increment();
        }
    }

    /// Every kind that occurred, with its number.
    pub fn all(&self) -> Vec<(&'static str, u64)> {
        self.0.all().into_iter().map(|(name, counter)| (name, counter.get())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_of_an_order_is_no_refusal() {
        let refusals = Refusals::default();
        for kind in ProblemKind::ALL {
            refusals.count(*kind);
        }
        let names: Vec<&str> = refusals.all().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), ProblemKind::ALL.len() - 3);
        assert!(["refused-by-11vms", "parked", "still-open"].iter().all(|name| !names.contains(name)), "{names:?}");
    }
}

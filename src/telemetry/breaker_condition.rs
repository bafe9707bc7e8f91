//! The circuit breaker as a condition: 11VMS does not work while the breaker is not closed.

use std::sync::Arc;

use crate::clock::Clock;
use crate::condition::{ConditionKind, Conditions};
use crate::relay::observer::{Event, Observer};

/// Records what the relay reports of the breaker.
#[derive(Debug)]
pub struct BreakerCondition {
    conditions: Conditions,
    clock: Arc<dyn Clock>,
}

impl BreakerCondition {
    /// Records it among these conditions.
    pub const fn new(conditions: Conditions, clock: Arc<dyn Clock>) -> Self {
        Self { conditions, clock }
    }
}

impl Observer for BreakerCondition {
    fn observe(&self, event: &Event<'_>) {
        let kind = ConditionKind::TargetUnavailable;
        match event {
            Event::BreakerOpened { failure, .. } => {
                self.conditions.raise(kind, "", failure.unwrap_or("it keeps failing"), self.clock.now());
            }
            Event::BreakerClosed => self.conditions.clear(kind, ""),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_breaker_that_opens_again_is_the_same_condition_until_it_closes() {
        let (conditions, clock) = (Conditions::default(), Arc::new(ManualClock::default()));
        let condition = BreakerCondition::new(conditions.clone(), Arc::clone(&clock) as Arc<dyn Clock>);
        let begin = clock.now();
        for failure in [Some("answered 503"), None] {
            condition.observe(&Event::BreakerOpened { pause: Duration::from_secs(5), failure });
            clock.advance(Duration::from_secs(5));
        }
        let current = conditions.current();
        let [open] = current.as_slice() else { panic!("{current:?}") };
        assert_eq!((open.kind, open.since), (ConditionKind::TargetUnavailable, begin));
        condition.observe(&Event::BreakerClosed);
        assert_eq!(conditions.current(), []);
    }
}

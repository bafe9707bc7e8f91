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

//! How long the calls to other services take, by what is asked and by the status of the answer.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::metric::{Family, HTTP_DURATIONS, Histogram};

/// What is asked of another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// 11VMS: to create an order.
    Create,
    /// 11VMS: whether it has an order.
    LookUp,
    /// The token endpoint: a token for 11VMS.
    Token,
    /// The issuer: its keys, and where they are.
    Jwks,
    /// The issuer: whether a token is active.
    Introspection,
}

impl Operation {
    /// The operation's name in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::LookUp => "look_up",
            Self::Token => "token",
            Self::Jwks => "jwks",
            Self::Introspection => "introspection",
        }
    }
}

/// The duration of calls with one outcome.
#[derive(Debug)]
pub struct CallDuration(pub Histogram);

impl Default for CallDuration {
    fn default() -> Self {
        Self(Histogram::new(HTTP_DURATIONS))
    }
}

/// The durations of all calls of a client, by operation and status; without a status, if there was no answer.
pub type CallDurations = Family<(Operation, Option<u16>), CallDuration>;

/// A call that is under way. It is counted when it is dropped, also if it is cut off: then without a status.
#[derive(Debug)]
pub struct Call<'a> {
    durations: &'a CallDurations,
    clock: &'a Arc<dyn Clock>,
    operation: Operation,
    began_at: Moment,
    status: Option<u16>,
}

impl<'a> Call<'a> {
    /// Begins now.
    pub fn begin(durations: &'a CallDurations, clock: &'a Arc<dyn Clock>, operation: Operation) -> Self {
        Self { durations, clock, operation, began_at: clock.moment(), status: None }
    }

    /// Notes the status of the answer; the call goes on until its body was read.
    pub const fn is_answered(&mut self, status: u16) {
        self.status = Some(status);
    }

    fn took(&self) -> Duration {
        self.clock.moment().since(self.began_at)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.durations.get(&(self.operation, self.status)).0.observe(self.took());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_call_is_counted_by_its_status_also_if_it_is_cut_off() {
        let (durations, clock) = (CallDurations::default(), Arc::new(ManualClock::default()));
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        for status in [Some(201), None, Some(201)] {
            let mut call = Call::begin(&durations, &shared, Operation::Create);
            clock.advance(Duration::from_secs(2));
            if let Some(status) = status {
                call.is_answered(status);
            }
        }
        let all = durations.all().into_iter().map(|(key, duration)| (key, duration.0.state()));
        let all: Vec<_> = all.map(|((_, status), state)| (status, state.count, state.sum)).collect();
        assert_eq!(all, [(None, 1, 2.0), (Some(201), 2, 4.0)]);
    }
}

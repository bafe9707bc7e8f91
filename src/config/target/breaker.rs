//! `target.breaker_failures` and `target.breaker_pause`: the circuit breaker in front of 11VMS.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::units;
use crate::order::breaker::BreakerPolicy;
use crate::order::retry::RetryPolicy;

/// Longer than most restarts of 11VMS take, short enough for orders that wait once it is back.
const DEFAULT_PAUSE: Duration = Duration::from_secs(5);

/// The longest pause, unless `breaker_pause` itself is longer: an outage of hours costs one probe a minute.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Reads the policy; its defaults follow `[retry]`, so that the breaker is no slower than a retry.
pub fn read_breaker_policy(reader: &mut Reader, retry: Option<&RetryPolicy>) -> Option<BreakerPolicy> {
    let expected = "a whole number from 1 to 1000000";
    let failures = reader.value_or("target.breaker_failures", "20", expected, |text| {
        text.parse().ok().filter(|failures| (1..=1_000_000).contains(failures))
    });
    let pause = reader.optional("target.breaker_pause", units::DURATION, units::duration);
    let retry = retry?;
    let pause = pause?.unwrap_or_else(|| retry.initial_delay.min(DEFAULT_PAUSE));
    let longest_pause = retry.max_delay.min(LONGEST_PAUSE).max(pause);
    Some(BreakerPolicy { failures: failures?, pause, longest_pause })
}

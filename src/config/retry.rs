//! `[retry]`: the waits between attempts. The policy itself is a part of `order`.

use super::reader::Reader;
use super::target::UnknownOutcomeRules;
use super::units;
use crate::order::retry::RetryPolicy;

/// Reads the section, and completes it by the rules for unknown outcomes.
pub fn read_retry_policy(reader: &mut Reader, unknown_outcomes: Option<UnknownOutcomeRules>) -> Option<RetryPolicy> {
    // With a max_delay of 10 minutes, an order is then open for most of a day.
    const MAX_RETRIES: u32 = 100;
    let retries = reader.value_or("retry.attempts", "3", "a whole number from 0 to 100", |text| {
        text.parse().ok().filter(|retries| *retries <= MAX_RETRIES)
    });
    let initial_delay = reader.duration("retry.initial_delay", "30s");
    let multiplier =
        reader.value_or("retry.multiplier", "2.0", "a number from 1 to 100", |text| units::number(text, 1.0..=100.0));
    let max_delay = reader.duration("retry.max_delay", "10m");
    let jitter = reader.value_or("retry.jitter", "0.1", "a number from 0 to 1", |text| units::number(text, 0.0..=1.0));
    let UnknownOutcomeRules { guard, grace } = unknown_outcomes?;
    let initial_delay = initial_delay?;
    Some(RetryPolicy {
        retries: retries?,
        initial_delay,
        multiplier: multiplier?,
        max_delay: max_delay?,
        jitter: jitter?,
        unknown_grace: grace.unwrap_or(initial_delay),
        guard,
    })
}

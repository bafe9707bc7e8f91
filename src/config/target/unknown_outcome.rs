//! `target.duplicate_guard` and `target.unknown_grace`: attempts whose outcome is unknown.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::units;
use crate::order::retry::DuplicateGuard;

/// The rules for an attempt whose outcome is unknown.
#[derive(Debug, Clone, Copy)]
pub struct UnknownOutcomeRules {
    /// What prevents a second order.
    pub guard: DuplicateGuard,
    /// The wait before the next attempt; by default the first delay of `[retry]`.
    pub grace: Option<Duration>,
}

impl UnknownOutcomeRules {
    /// Reads both keys.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let guards = [
            ("lookup", DuplicateGuard::LookUp),
            ("idempotency-key", DuplicateGuard::IdempotencyKey),
            ("none", DuplicateGuard::None),
        ];
        let guard = reader.choice("target.duplicate_guard", "lookup", &guards);
        let grace = reader.optional("target.unknown_grace", units::DURATION, units::duration);
        Some(Self { guard: guard?, grace: grace? })
    }
}

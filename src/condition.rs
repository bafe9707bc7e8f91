//! Conditions: what does not work at this moment, since when, and why.
//!
//! Owns the list that those who notice something share with those who tell people: readiness, metrics, alerts. Knows
//! neither how something is noticed nor who is told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Longest detail that is kept, in characters: an alert's summary has no room for more, and a log line has it all.
const MAX_DETAIL_CHARS: usize = 500;

/// Most conditions that are kept at the same time: each has a setting or a file of its own, so there are few.
const MAX_CONDITIONS: usize = 256;

/// What may not work. The names are those of the alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionKind {
    /// 11VMS keeps failing: the circuit breaker is open.
    TargetUnavailable,
    /// No token for 11VMS can be fetched.
    TargetTokenUnavailable,
    /// The issuer's keys, or its verdicts on tokens, can't be had.
    IssuerUnavailable,
    /// The content of the mapping's folder is refused; the mapping before it is in use.
    MappingRefused,
    /// The ledger can't be read or written.
    LedgerUnavailable,
    /// A certificate has expired, or is about to.
    CertificateExpiring,
}

impl ConditionKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::TargetUnavailable,
        Self::TargetTokenUnavailable,
        Self::IssuerUnavailable,
        Self::MappingRefused,
        Self::LedgerUnavailable,
        Self::CertificateExpiring,
    ];

    /// The name of the alert about it, and of the heading in the runbook.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TargetUnavailable => "target-unavailable",
            Self::TargetTokenUnavailable => "target-token-unavailable",
            Self::IssuerUnavailable => "issuer-unavailable",
            Self::MappingRefused => "mapping-refused",
            Self::LedgerUnavailable => "ledger-unavailable",
            Self::CertificateExpiring => "certificate-expiring",
        }
    }
}

/// What does not work at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What it is.
    pub kind: ConditionKind,
    /// Which one of several: an issuer's URL, a setting, `read` or `write`; empty where there is one only.
    pub subject: String,
    /// Since when it does not work, by the wall clock.
    pub since: Timestamp,
    /// Why, as it was noticed last; for operators, without secrets, at most 500 characters.
    pub detail: String,
}

type Known = BTreeMap<(ConditionKind, String), Condition>;

#[derive(Debug)]
struct Shared {
    known: Mutex<Known>,
    /// The number of conditions, so that what works takes no lock to say so.
    count: AtomicUsize,
    changes: watch::Sender<u64>,
}

/// The conditions of one service. Clones share them.
#[derive(Debug, Clone)]
pub struct Conditions {
    shared: Arc<Shared>,
}

impl Default for Conditions {
    fn default() -> Self {
        let changes = watch::Sender::new(0);
        Self { shared: Arc::new(Shared { known: Mutex::default(), count: AtomicUsize::new(0), changes }) }
    }
}

impl Conditions {
    /// Records that something does not work. It may be recorded already: then its time stays, and the detail is the new one.
    pub fn raise(&self, kind: ConditionKind, subject: &str, detail: &str, now: Timestamp) {
        let detail: String = detail.chars().take(MAX_DETAIL_CHARS).collect();
        let key = (kind, subject.to_owned());
        let mut known = self.known();
        if let Some(condition) = known.get_mut(&key) {
            condition.detail = detail;
            return;
        }
        if known.len() >= MAX_CONDITIONS {
            return;
        }
        known.insert(key, Condition { kind, subject: subject.to_owned(), since: now, detail });
        self.publish(&known);
    }

    /// Records that something works. Cheap where nothing is wrong.
    pub fn clear(&self, kind: ConditionKind, subject: &str) {
        if self.shared.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut known = self.known();
        if known.remove(&(kind, subject.to_owned())).is_some() {
            self.publish(&known);
        }
    }

    /// Records all subjects of a kind that do not work, with their details: the others work.
    pub fn replace(&self, kind: ConditionKind, failing: &BTreeMap<String, String>, now: Timestamp) {
        for (subject, detail) in failing {
            self.raise(kind, subject, detail, now);
        }
        let mut known = self.known();
        let before = known.len();
        known.retain(|(one, subject), _| *one != kind || failing.contains_key(subject));
        if known.len() < before {
            self.publish(&known);
        }
    }

    /// What does not work at this moment, by kind and subject.
    pub fn current(&self) -> Vec<Condition> {
        self.known().values().cloned().collect()
    }

    /// Tells whoever watches that a condition began or ended; a change of a detail alone is none.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    fn publish(&self, known: &Known) {
        self.shared.count.store(known.len(), Ordering::Release);
        self.shared.changes.send_modify(|changes| *changes += 1);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.shared.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn described(conditions: &Conditions) -> Vec<String> {
        let line =
            |one: Condition| format!("{} {} {} {}", one.kind.name(), one.subject, one.since.as_second(), one.detail);
        conditions.current().into_iter().map(line).collect()
    }

    #[test]
    fn a_condition_keeps_its_time_until_it_ends() {
        let conditions = Conditions::default();
        conditions.raise(ConditionKind::LedgerUnavailable, "write", "disk full", at(1));
        conditions.raise(ConditionKind::LedgerUnavailable, "read", "locked", at(2));
        conditions.raise(ConditionKind::LedgerUnavailable, "write", "read-only", at(3));
        assert_eq!(
            described(&conditions),
            ["ledger-unavailable read 2 locked", "ledger-unavailable write 1 read-only"]
        );
        conditions.clear(ConditionKind::LedgerUnavailable, "write");
        conditions.clear(ConditionKind::IssuerUnavailable, "read");
        assert_eq!(described(&conditions), ["ledger-unavailable read 2 locked"]);
        conditions.raise(ConditionKind::LedgerUnavailable, "write", "disk full", at(9));
        assert_eq!(
            described(&conditions),
            ["ledger-unavailable read 2 locked", "ledger-unavailable write 9 disk full"]
        );
    }

    #[test]
    fn what_is_not_listed_works() {
        let conditions = Conditions::default();
        conditions.raise(ConditionKind::IssuerUnavailable, "", "refused", at(1));
        let failing = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "expired".to_owned())).collect();
        conditions.replace(ConditionKind::CertificateExpiring, &failing(&["a", "b"]), at(2));
        conditions.replace(ConditionKind::CertificateExpiring, &failing(&["b", "c"]), at(3));
        assert_eq!(
            described(&conditions),
            ["issuer-unavailable  1 refused", "certificate-expiring b 2 expired", "certificate-expiring c 3 expired"]
        );
    }

    #[test]
    fn watchers_learn_of_begins_and_ends_alone_and_nothing_grows_without_bound() {
        let conditions = Conditions::default();
        let mut changes = conditions.clone().subscribe();
        let mut has_changed = || {
            let is_new = changes.has_changed().unwrap();
            changes.mark_unchanged();
            is_new
        };
        conditions.clear(ConditionKind::MappingRefused, "");
        assert!(!has_changed());
        conditions.raise(ConditionKind::MappingRefused, "", "line 3", at(1));
        assert!(has_changed());
        conditions.raise(ConditionKind::MappingRefused, "", "line 4", at(1));
        assert!(!has_changed());
        conditions.clear(ConditionKind::MappingRefused, "");
        assert!(has_changed());
        for number in 0..2 * MAX_CONDITIONS {
            conditions.raise(ConditionKind::CertificateExpiring, &number.to_string(), &"x".repeat(9_999), at(1));
        }
        assert_eq!(conditions.current().len(), MAX_CONDITIONS);
        assert!(conditions.current().iter().all(|one| one.detail.len() == MAX_DETAIL_CHARS));
    }
}

//! What is failing and what others were told of, and which step is due. Pure; every wait counts on the monotonic clock.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Moment;
use crate::condition::ConditionKind;
use crate::ledger::outbox::Incident;

/// An incident is noted as still failing four times within the cool-down, but not more often than this.
const MIN_RENEWAL: Duration = Duration::from_secs(1);

/// And at least so often: another replica, or the next start, sees when it was last failing.
const MAX_RENEWAL: Duration = Duration::from_secs(15);

/// Something that is failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it is.
    pub kind: ConditionKind,
    /// The subject of its incident.
    pub subject: String,
    /// Which one of several; may be empty.
    pub object: String,
    /// Since when, by the wall clock.
    pub since: Timestamp,
    /// Why.
    pub detail: String,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Others have to hear of a failure.
    Begin(Failure),
    /// An incident goes on.
    Renew(Incident),
    /// An incident is over.
    End(Incident),
}

/// A failure, and when it was noticed.
#[derive(Debug)]
struct Noticed {
    failure: Failure,
    first_seen: Moment,
}

/// An incident that others were told of.
#[derive(Debug)]
struct Open {
    incident: Incident,
    /// The last sign that it is failing, here or in another replica.
    last_sign: Moment,
    /// When it was last written.
    renewed_at: Moment,
}

/// What is failing, and what is open.
#[derive(Debug)]
pub struct Book {
    cool_down: Duration,
    renewal: Duration,
    failing: BTreeMap<String, Noticed>,
    open: BTreeMap<String, Open>,
    read_at: Option<Moment>,
}

impl Book {
    /// An empty book.
    pub fn new(cool_down: Duration) -> Self {
        let renewal = (cool_down / 4).clamp(MIN_RENEWAL, MAX_RENEWAL);
        // A replica that goes on failing has its say before another one ends the incident.
        let cool_down = cool_down.max(renewal * 3);
        Self { cool_down, renewal, failing: BTreeMap::new(), open: BTreeMap::new(), read_at: None }
    }

    /// Whether nothing is failing, and nothing is open.
    pub fn is_empty(&self) -> bool {
        self.failing.is_empty() && self.open.is_empty()
    }

    /// Takes note of all that is failing here at this moment.
    pub fn observe(&mut self, failures: Vec<Failure>, now: Moment) {
        let mut known = std::mem::take(&mut self.failing);
        for failure in failures {
            if let Some(open) = self.open.get_mut(&failure.subject) {
                open.last_sign = now;
            }
            let first_seen = known.remove(&failure.subject).map_or(now, |noticed| noticed.first_seen);
            self.failing.insert(failure.subject.clone(), Noticed { failure, first_seen });
        }
    }

    /// Whether the stored incidents have to be read again.
    pub fn is_to_be_read(&self, now: Moment) -> bool {
        self.read_at.is_none_or(|read_at| now.since(read_at) >= self.renewal)
    }

    /// Takes note of all that is open, in any replica.
    pub fn read(&mut self, stored: Vec<Incident>, now: Moment) {
        self.read_at = Some(now);
        let mut known = std::mem::take(&mut self.open);
        for incident in stored {
            let open = match known.remove(&incident.subject) {
                Some(open) => {
                    let is_quiet = open.incident.seen_at == incident.seen_at;
                    let last_sign = if is_quiet { open.last_sign } else { now };
                    Open { incident, last_sign, ..open }
                }
                None => Open { incident, last_sign: now, renewed_at: now },
            };
            self.open.insert(open.incident.subject.clone(), open);
        }
    }

    /// The steps that are due.
    pub fn due(&self, now: Moment) -> Vec<Step> {
        let of_failures = self.failing.iter().filter_map(|(subject, noticed)| match self.open.get(subject) {
            Some(open) if now.since(open.renewed_at) >= self.renewal => Some(Step::Renew(open.incident.clone())),
            Some(_) => None,
            None => {
                let has_lasted = now.since(noticed.first_seen) >= patience(noticed.failure.kind);
                has_lasted.then(|| Step::Begin(noticed.failure.clone()))
            }
        });
        let is_over = |open: &&Open| {
            !self.failing.contains_key(&open.incident.subject) && now.since(open.last_sign) >= self.cool_down
        };
        let over = self.open.values().filter(is_over).map(|open| Step::End(open.incident.clone()));
        of_failures.chain(over).collect()
    }

    /// An incident has begun, or was noted as still failing.
    pub fn begun(&mut self, incident: Incident, now: Moment) {
        self.open.insert(incident.subject.clone(), Open { incident, last_sign: now, renewed_at: now });
    }

    /// An incident was to end. If it did not, another replica has seen it since, or has ended it; the next reading tells.
    pub fn ended(&mut self, subject: &str, has_ended: bool, now: Moment) {
        if has_ended {
            self.open.remove(subject);
        } else if let Some(open) = self.open.get_mut(subject) {
            open.last_sign = now;
            self.read_at = None;
        }
    }
}

/// How long something has to fail before others hear of it: one answer that is lost is no incident. What was judged already,
/// or does not pass by itself, is told at once.
const fn patience(kind: ConditionKind) -> Duration {
    match kind {
        ConditionKind::TargetUnavailable | ConditionKind::MappingRefused | ConditionKind::CertificateExpiring => {
            Duration::ZERO
        }
        ConditionKind::TargetTokenUnavailable | ConditionKind::IssuerUnavailable | ConditionKind::LedgerUnavailable => {
            Duration::from_secs(5)
        }
    }
}

#[cfg(test)]
mod tests;

//! When an incident begins and ends.

use super::*;

const COOL_DOWN: u64 = 60;

fn at(seconds: u64) -> Moment {
    Moment::at(Duration::from_secs(seconds))
}

fn failure(kind: ConditionKind) -> Failure {
    let subject = kind.name().to_owned();
    Failure { kind, subject, object: String::new(), since: Timestamp::UNIX_EPOCH, detail: "down".into() }
}

/// Drives a book second by second; the steps are carried out as a ledger would.
struct Replica {
    book: Book,
    story: Vec<String>,
}

impl Replica {
    fn new() -> Self {
        Self { book: Book::new(Duration::from_secs(COOL_DOWN)), story: Vec::new() }
    }

    /// One look at second `now`, with `stored` as the incidents that the ledger has.
    fn pass_second(&mut self, now: u64, failing: &[ConditionKind], stored: &mut BTreeMap<String, Incident>) {
        self.book.observe(failing.iter().map(|kind| failure(*kind)).collect(), at(now));
        if self.book.is_to_be_read(at(now)) {
            self.book.read(stored.values().cloned().collect(), at(now));
        }
        let time = Timestamp::from_second(i64::try_from(now).unwrap()).unwrap();
        for step in self.book.due(at(now)) {
            match step {
                Step::Begin(failure) => {
                    let subject = failure.subject.clone();
                    let new = Incident { subject, begun_at: time, seen_at: time, payload: String::new() };
                    if stored.insert(failure.subject.clone(), new.clone()).is_none() {
                        self.story.push(format!("{now} {} begins", failure.subject));
                    }
                    self.book.begun(new, at(now));
                }
                Step::Renew(incident) => {
                    let renewed = Incident { seen_at: time, ..incident };
                    stored.insert(renewed.subject.clone(), renewed.clone());
                    self.book.begun(renewed, at(now));
                }
                Step::End(incident) => {
                    let is_quiet = stored.get(&incident.subject).is_some_and(|known| known.seen_at <= incident.seen_at);
                    if is_quiet {
                        stored.remove(&incident.subject);
                        self.story.push(format!("{now} {} ends", incident.subject));
                    }
                    self.book.ended(&incident.subject, is_quiet, at(now));
                }
            }
        }
    }
}

/// What is told if a kind is failing in these seconds, from the first to the one before the last.
fn story(kind: ConditionKind, failing: &[(u64, u64)]) -> Vec<String> {
    let (mut replica, mut stored) = (Replica::new(), BTreeMap::new());
    for now in 0..600 {
        let is_failing = failing.iter().any(|(from, to)| (*from..*to).contains(&now));
        replica.pass_second(now, if is_failing { std::slice::from_ref(&kind) } else { &[] }, &mut stored);
    }
    replica.story
}

#[test]
fn an_incident_begins_once_goes_on_within_the_cool_down_and_ends_once() {
    let target = ConditionKind::TargetUnavailable;
    let ledger = ConditionKind::LedgerUnavailable;
    for (kind, failing, expected) in [
        (target, vec![], vec![]),
        (target, vec![(10, 20)], vec!["10 target-unavailable begins", "79 target-unavailable ends"]),
        // It flaps: each pause is shorter than the cool-down.
        (
            target,
            vec![(10, 20), (50, 51), (100, 101), (159, 160)],
            vec!["10 target-unavailable begins", "219 target-unavailable ends"],
        ),
        // It comes back later: another incident.
        (
            target,
            vec![(10, 20), (100, 101)],
            vec![
                "10 target-unavailable begins",
                "79 target-unavailable ends",
                "100 target-unavailable begins",
                "160 target-unavailable ends",
            ],
        ),
        (target, vec![(10, 600)], vec!["10 target-unavailable begins"]),
        // One answer that is lost is no incident.
        (ledger, vec![(10, 15), (20, 24)], vec![]),
        (ledger, vec![(10, 16)], vec!["15 ledger-unavailable begins", "75 ledger-unavailable ends"]),
    ] {
        assert_eq!(story(kind, &failing), expected, "{} {failing:?}", kind.name());
    }
}

#[test]
fn what_an_earlier_process_has_begun_ends_if_it_does_not_fail_any_more_and_goes_on_if_it_does() {
    let kind = ConditionKind::MappingRefused;
    let old = Incident {
        subject: kind.name().to_owned(),
        begun_at: Timestamp::UNIX_EPOCH,
        seen_at: Timestamp::UNIX_EPOCH,
        payload: String::new(),
    };
    for (failing, expected) in [(&[][..], vec!["60 mapping-refused ends"]), (&[kind][..], vec![])] {
        let mut stored = BTreeMap::from([(old.subject.clone(), old.clone())]);
        let mut replica = Replica::new();
        for now in 0..300 {
            replica.pass_second(now, failing, &mut stored);
        }
        assert_eq!(replica.story, expected, "{failing:?}");
    }
}

#[test]
fn an_incident_of_several_replicas_begins_with_the_first_and_ends_with_the_last() {
    let kind = ConditionKind::IssuerUnavailable;
    let (mut one, mut other, mut stored) = (Replica::new(), Replica::new(), BTreeMap::new());
    for now in 0..600 {
        let fails_in = |from, to| if (from..to).contains(&now) { vec![kind] } else { Vec::new() };
        one.pass_second(now, &fails_in(10, 100), &mut stored);
        // The last sign of a replica that is killed counts too.
        if now < 300 {
            other.pass_second(now, &fails_in(20, 400), &mut stored);
        }
    }
    let mut story = [one.story, other.story].concat();
    assert_eq!(story.remove(0), "15 issuer-unavailable begins");
    let end = story.remove(0);
    let (second, text) = end.split_once(' ').unwrap();
    assert_eq!((text, &story[..]), ("issuer-unavailable ends", &[][..]));
    let second: u64 = second.parse().unwrap();
    assert!((300 + COOL_DOWN - 15..=300 + COOL_DOWN + 30).contains(&second), "{end}");
}

#[test]
fn a_short_cool_down_leaves_other_replicas_the_time_to_say_that_it_goes_on() {
    let book = Book::new(Duration::from_millis(1));
    assert!(book.cool_down >= book.renewal * 3);
}

//! Changes at the edges: clocks that step, look-ups that are lost, ledgers that were restored, outcomes without a record.

use super::*;
use crate::order::state::Attempt;

fn lost() -> Verdict {
    Verdict::LookUpLost { detail: "look-up: no answer".into() }
}

/// The policies of which no wait may be longer than `longest_wait` says.
fn policies() -> Vec<RetryPolicy> {
    let usual = RetryPolicy::usual();
    vec![
        usual.clone(),
        RetryPolicy { jitter: 1.0, ..usual.clone() },
        RetryPolicy { unknown_grace: Duration::from_hours(2), ..usual.clone() },
        RetryPolicy { initial_delay: Duration::from_hours(9), ..usual.clone() },
        RetryPolicy { retries: 0, ..usual },
    ]
}

#[test]
fn no_wait_is_longer_than_the_longest() {
    for policy in policies() {
        for verdict in [unknown(), lost(), not_done(Some(Duration::from_hours(99))), not_done(None)] {
            for jitter in [-1.0, 0.0, 1.0] {
                let mut order = accepted();
                while order.state != State::Parked {
                    order.begin(at(1)).unwrap();
                    order.conclude(verdict.clone(), at(2), &policy, jitter).unwrap();
                    let latest = due(at(2), policy.longest_wait());
                    assert!(order.next_attempt_at.is_none_or(|time| time <= latest), "{policy:?} {verdict:?}");
                    assert!(order.attempts.len() < 50, "it ends parked: {policy:?} {verdict:?}");
                }
            }
        }
    }
}

#[test]
fn a_next_attempt_that_is_too_far_away_is_brought_nearer_and_no_other() {
    let policy = RetryPolicy::usual();
    let waiting = |seconds| Order { next_attempt_at: Some(at(seconds)), ..after_attempt(not_done(None)) };
    for (stored, brought_to) in [(601, Some(600)), (100_000, Some(600)), (600, None), (30, None), (-9, None)] {
        let mut order = waiting(stored);
        let expected = brought_to.map(|seconds| Order {
            next_attempt_at: Some(at(seconds)),
            revision: order.revision + 1,
            ..order.clone()
        });
        assert_eq!(order.replan(at(0), &policy).is_ok(), brought_to.is_some(), "{stored}");
        assert_eq!(order, expected.unwrap_or_else(|| waiting(stored)), "{stored}");
    }
    for mut other in [accepted(), after_attempt(created()), parked_in_doubt()] {
        assert!(other.replan(at(0), &policy).is_err(), "{:?}", other.state);
    }
}

#[test]
fn a_grace_is_no_longer_because_the_clock_was_ahead() {
    let parked = parked_in_doubt();
    let again = parked.replay("me", at(-100_000), GRACE).unwrap();
    assert_eq!(again.next_attempt_at, Some(at(-100_000 + 30)));
}

#[test]
fn lost_look_ups_and_interruptions_are_free_five_times_in_a_row() {
    let policy = RetryPolicy::usual();
    let mut order = after_attempt(unknown());
    for number in 1..=8 {
        order.begin(at(number)).unwrap();
        if number % 2 == 0 {
            order.interrupt(at(number), &policy).unwrap();
        } else {
            order.conclude(lost(), at(number), &policy, 0.0).unwrap();
        }
        let used = 1 + u32::try_from((number - 5).max(0)).unwrap();
        assert_eq!(order.attempts_used, used, "after {number}");
        assert_eq!((order.doubt, order.state == State::Parked), (Doubt::ThisContent, used > 3), "after {number}");
    }
    assert_eq!(order.state, State::Parked);
}

#[test]
fn other_outcomes_end_the_row_of_free_attempts() {
    let policy = RetryPolicy { retries: 9, ..RetryPolicy::usual() };
    let mut order = after_attempt(unknown());
    for _ in 0..3 {
        for _ in 0..5 {
            order.begin(at(9)).unwrap();
            order.conclude(lost(), at(9), &policy, 0.0).unwrap();
        }
        order.begin(at(9)).unwrap();
        order.conclude(not_done(None), at(9), &policy, 0.0).unwrap();
    }
    assert_eq!((order.attempts.len(), order.attempts_used), (19, 4));
}

#[test]
fn an_order_is_asked_for_once_after_each_restore() {
    let mut order = accepted();
    assert!(order.may_have_been_forgotten(at(7)));
    order.doubt_since_restore(at(7));
    assert!(!order.may_have_been_forgotten(at(7)) && order.may_have_been_forgotten(at(8)));
    order.begin(at(9)).unwrap();
    order.settle_doubt_since_restore();
    order.conclude(rejected(), at(9), &RetryPolicy::usual(), 0.0).unwrap();
    let Admission::Restarted(again) = admit(Some(order), candidate("b"), Terms::new(at(20), GRACE)) else { panic!() };
    assert!(!again.may_have_been_forgotten(at(7)), "asked already");
    assert_eq!((again.doubt, again.state), (Doubt::None, State::Accepted));
}

#[test]
fn an_attempt_without_an_end_is_settled_by_hand_once_nobody_makes_it() {
    let mut order = accepted();
    order.begin(at(1)).unwrap();
    let settled = order.clone().resolve_abandoned(&Resolution::Exists("45".into()), "me", at(9));
    assert_eq!((settled.state, settled.revision), (State::Created, order.revision + 1));
    let Attempt { outcome, .. } = settled.attempts[0];
    assert_eq!((outcome, settled.interventions[0].by.as_str()), (Some(Outcome::Interrupted), "me"));
}

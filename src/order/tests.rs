//! The changes of an order, one by one and in sequence.

mod edges;
mod records;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::retry::{DuplicateGuard, RetryPolicy};
use super::*;
use crate::message::MessageCode;
use records::with_body_of;

/// That of the usual policy.
const GRACE: Duration = Duration::from_secs(30);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn candidate(content: &str) -> Candidate {
    Candidate {
        id: OrderId::of("4711"),
        cart_number: "4711".into(),
        fingerprint: content.into(),
        body: json!({ "externalId": "4711", "content": content }).to_string(),
        mapping_version: "v1".into(),
        warnings: Vec::new(),
        propagated_headers: PropagatedHeaders::default(),
        requester: Requester::default(),
        cart: None,
    }
}

fn accepted() -> Order {
    match admit(None, candidate("a"), Terms::new(at(0), GRACE)) {
        Admission::Started(order) => order,
        other => panic!("{other:?}"),
    }
}

fn unknown() -> Verdict {
    Verdict::Unknown { status: None, answer: None, detail: "no answer".into(), retry_after: None }
}

fn not_done(retry_after: Option<Duration>) -> Verdict {
    Verdict::NotDone { status: Some(429), answer: None, detail: "answered 429".into(), retry_after }
}

fn rejected() -> Verdict {
    Verdict::Rejected { status: 422, answer: Some(json!({"message": "no"})), detail: "answered 422".into() }
}

fn found() -> Verdict {
    Verdict::Created { number: "45".into(), status: 200, answer: None, found: true, duplicates: 0 }
}

fn created() -> Verdict {
    Verdict::Created { number: "45".into(), status: 201, answer: None, found: false, duplicates: 0 }
}

/// An order after one attempt with this verdict.
fn after_attempt(verdict: Verdict) -> Order {
    let mut order = accepted();
    order.begin(at(1)).unwrap();
    order.conclude(verdict, at(2), &RetryPolicy::usual(), 0.0).unwrap();
    order
}

fn parked_in_doubt() -> Order {
    let mut order = accepted();
    for attempt in 0..4 {
        order.begin(at(attempt * 1000)).unwrap();
        order.conclude(unknown(), at(attempt * 1000 + 5), &RetryPolicy::usual(), 0.0).unwrap();
    }
    assert_eq!(order.state, State::Parked);
    order
}

#[test]
fn ids_have_one_spelling() {
    assert_eq!(OrderId::of("005056A2-07C8-1ED1-BFC6-B69E72F50550").as_str(), "005056a207c81ed1bfc6b69e72f50550");
    assert_eq!(OrderId::of("0000004711"), OrderId::of("4711"));
    assert_eq!(OrderId::of("SRMCLNT100:0000004711").as_str(), "SRMCLNT100:4711");
    // Eight digits are also valid base64; they stay a cart number.
    assert_eq!(OrderId::of("10000047").as_str(), "10000047");
}

#[test]
fn every_state_has_its_name() {
    for state in State::ALL {
        assert_eq!(State::parse(state.name()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), json!(state.name()));
    }
}

#[test]
fn a_created_order_answers_the_same_cart_and_refuses_another() {
    let order = after_attempt(created());
    assert_eq!(order.state, State::Created);
    assert_eq!(order.purchase_order_number.as_deref(), Some("45"));
    assert!(
        matches!(admit(Some(order.clone()), candidate("a"), Terms::new(at(9), GRACE)), Admission::Replayed(same) if same == order)
    );
    assert!(
        matches!(admit(Some(order.clone()), candidate("b"), Terms::new(at(9), GRACE)), Admission::Conflicting(same) if same == order)
    );
}

#[test]
fn an_open_order_is_shared_by_the_same_cart_and_refuses_another() {
    let mut order = accepted();
    assert!(matches!(admit(Some(order.clone()), candidate("a"), Terms::new(at(1), GRACE)), Admission::Joined(_)));
    order.begin(at(1)).unwrap();
    assert!(matches!(admit(Some(order.clone()), candidate("a"), Terms::new(at(1), GRACE)), Admission::Joined(_)));
    assert!(matches!(admit(Some(order), candidate("b"), Terms::new(at(1), GRACE)), Admission::Conflicting(_)));
}

#[test]
fn a_fingerprint_of_another_version_is_judged_by_the_body() {
    let known = || {
        let mut order = accepted();
        order.fingerprint = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into();
        order
    };
    let mut same = candidate("2:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    same.body = known().body;
    assert!(matches!(admit(Some(known()), same.clone(), Terms::new(at(1), GRACE)), Admission::Joined(_)));
    same.body = "{\"other\":1}".into();
    assert!(matches!(admit(Some(known()), same, Terms::new(at(1), GRACE)), Admission::Conflicting(_)));
}

#[test]
fn the_same_cart_may_have_another_fingerprint_if_its_order_is_equal() {
    let order = accepted();
    let mut other = candidate("a");
    other.fingerprint = "another serializer".into();
    other.body = r#"{ "content": "a", "externalId": "4711" }"#.into();
    assert!(matches!(admit(Some(order), other, Terms::new(at(1), GRACE)), Admission::Joined(_)));
}

fn with_warnings(content: &str, count: usize) -> Candidate {
    let warnings = (0..count).map(|row| Message::new(MessageCode::Duplicate, "check it").at("ITEM", "VALUE", row));
    Candidate { warnings: warnings.collect(), ..candidate(content) }
}

#[test]
fn warnings_do_not_tell_one_cart_from_another_and_those_of_the_first_stay() {
    let Admission::Started(open) = admit(None, with_warnings("a", 2), Terms::new(at(0), GRACE)) else { panic!() };
    assert_eq!(open.warnings.len(), 2);
    let joined = admit(Some(open.clone()), with_warnings("a", 3), Terms::new(at(1), GRACE));
    assert!(matches!(joined, Admission::Joined(same) if same == open));
    let mut order = open;
    order.begin(at(1)).unwrap();
    order.conclude(created(), at(2), &RetryPolicy::usual(), 0.0).unwrap();
    let replayed = admit(Some(order), candidate("a"), Terms::new(at(3), GRACE));
    assert!(matches!(&replayed, Admission::Replayed(same) if same.warnings.len() == 2), "{replayed:?}");
}

#[test]
fn a_cart_that_is_tried_anew_has_its_own_warnings_and_a_replay_those_that_were_stored() {
    let Admission::Started(mut order) = admit(None, with_warnings("a", 50), Terms::new(at(0), GRACE)) else { panic!() };
    order.begin(at(1)).unwrap();
    order.conclude(rejected(), at(2), &RetryPolicy::usual(), 0.0).unwrap();
    let again = order.clone().replay("me", at(9), GRACE).unwrap();
    assert_eq!(again.warnings, order.warnings, "also the one that counts those that are not kept");
    let changed = admit(Some(order), with_warnings("b", 1), Terms::new(at(9), GRACE));
    assert!(matches!(&changed, Admission::Restarted(order) if order.warnings.len() == 1), "{changed:?}");
}

#[test]
fn a_record_from_before_warnings_is_read_and_one_without_any_looks_like_it() {
    let order = accepted();
    let record = serde_json::to_value(&order).unwrap();
    assert_eq!(record.get("warnings"), None);
    assert_eq!(with_body_of(&order, serde_json::from_value(record).unwrap()), order);
}

#[test]
fn a_refused_order_is_tried_anew_with_what_comes() {
    let order = after_attempt(rejected());
    assert_eq!(order.state, State::Rejected);
    let Admission::Restarted(again) = admit(Some(order.clone()), candidate("b"), Terms::new(at(9), GRACE)) else {
        panic!()
    };
    assert_eq!((again.state, again.attempts_used, again.doubt), (State::Accepted, 0, Doubt::None));
    assert_eq!(again.attempts, order.attempts);
    assert_eq!(again.received_at, order.received_at);
    assert!(again.body.contains("\"b\"") && again.revision > order.revision);
}

#[test]
fn an_order_parked_in_doubt_keeps_its_doubt_when_it_is_tried_anew() {
    let parked = parked_in_doubt();
    let restart = |content, now| match admit(Some(parked.clone()), candidate(content), Terms::new(now, GRACE)) {
        Admission::Restarted(order) => order,
        other => panic!("{other:?}"),
    };
    let soon = restart("a", at(3010));
    assert_eq!((soon.state, soon.doubt, soon.next_attempt_at), (State::Retrying, Doubt::ThisContent, Some(at(3035))));
    let later = restart("b", at(9000));
    assert_eq!((later.state, later.doubt), (State::Accepted, Doubt::EarlierContent));
}

#[test]
fn an_order_of_an_earlier_cart_that_is_found_warns() {
    let Admission::Restarted(mut order) = admit(Some(parked_in_doubt()), candidate("b"), Terms::new(at(9000), GRACE))
    else {
        panic!()
    };
    order.begin(at(9001)).unwrap();
    order.conclude(found(), at(9002), &RetryPolicy::usual(), 0.0).unwrap();
    assert_eq!(order.state, State::Created);
    let numbers: Vec<&str> = order.messages.iter().map(|message| message.number.as_str()).collect();
    assert_eq!(numbers, ["100", "103"]);
}

#[test]
fn a_cancelled_order_stays_cancelled() {
    let mut order = accepted();
    order.state = State::Cancelled;
    assert!(matches!(admit(Some(order), candidate("a"), Terms::new(at(1), GRACE)), Admission::Conflicting(_)));
}

#[test]
fn retries_come_after_30_60_and_120_seconds_and_then_it_is_parked() {
    let mut order = accepted();
    for delay in [30, 60, 120] {
        order.begin(at(0)).unwrap();
        order.conclude(not_done(None), at(0), &RetryPolicy::usual(), 0.0).unwrap();
        assert_eq!((order.state, order.next_attempt_at), (State::Retrying, Some(at(delay))));
    }
    order.begin(at(0)).unwrap();
    order.conclude(not_done(None), at(0), &RetryPolicy::usual(), 0.0).unwrap();
    assert_eq!((order.state, order.next_attempt_at, order.settled_at), (State::Parked, None, Some(at(0))));
    assert_eq!(order.attempts.len(), 4);
    assert!(order.messages[0].message.contains("does not exist in 11VMS"), "{:?}", order.messages);
}

#[test]
fn retry_after_is_obeyed_up_to_the_longest_delay() {
    let next = |wait| after_attempt(not_done(Some(Duration::from_secs(wait)))).next_attempt_at;
    assert_eq!(next(5), Some(at(2 + 30)));
    assert_eq!(next(300), Some(at(2 + 300)));
    assert_eq!(next(86_400), Some(at(2 + 600)));
}

#[test]
fn an_unknown_outcome_waits_for_the_grace() {
    let grace = RetryPolicy { unknown_grace: Duration::from_mins(2), ..RetryPolicy::usual() };
    let mut order = accepted();
    order.begin(at(0)).unwrap();
    order.conclude(unknown(), at(10), &grace, 0.0).unwrap();
    assert_eq!((order.state, order.doubt, order.next_attempt_at), (State::Retrying, Doubt::ThisContent, Some(at(130))));
}

#[test]
fn without_a_guard_an_unknown_outcome_is_parked_at_once() {
    let unguarded = RetryPolicy { guard: DuplicateGuard::None, ..RetryPolicy::usual() };
    let mut order = accepted();
    order.begin(at(0)).unwrap();
    order.conclude(unknown(), at(10), &unguarded, 0.0).unwrap();
    assert_eq!(order.state, State::Parked);
    assert!(order.messages[0].message.contains("unknown"), "{:?}", order.messages);
    let mut order = accepted();
    order.begin(at(0)).unwrap();
    order.interrupt(at(10), &unguarded).unwrap();
    assert_eq!(order.state, State::Parked);
}

#[test]
fn a_refusal_does_not_end_the_doubt_about_an_earlier_attempt() {
    let mut order = accepted();
    for verdict in [unknown(), rejected()] {
        order.begin(at(0)).unwrap();
        order.conclude(verdict, at(1), &RetryPolicy::usual(), 0.0).unwrap();
    }
    assert_eq!((order.state, order.doubt), (State::Rejected, Doubt::ThisContent));
    assert!(order.messages[0].message.contains("an earlier attempt may have succeeded"), "{:?}", order.messages);
    assert!(!after_attempt(rejected()).messages[0].message.contains("earlier"));
}

#[test]
fn the_grace_after_an_interruption_counts_from_its_discovery() {
    let unguarded = RetryPolicy { guard: DuplicateGuard::None, ..RetryPolicy::usual() };
    let mut order = accepted();
    order.begin(at(0)).unwrap();
    order.interrupt(at(25), &unguarded).unwrap();
    let Admission::Restarted(again) = admit(Some(order), candidate("a"), Terms::new(at(30), unguarded.unknown_grace))
    else {
        panic!()
    };
    assert_eq!((again.state, again.next_attempt_at), (State::Retrying, Some(at(55))));
}

#[test]
fn an_order_that_interrupts_the_service_again_and_again_is_parked() {
    let mut order = accepted();
    for life in 0..20 {
        if order.state == State::Parked {
            assert!(life > 5, "a few interruptions are free");
            return;
        }
        order.begin(at(life)).unwrap();
        order.interrupt(at(life), &RetryPolicy::usual()).unwrap();
    }
    panic!("never parked");
}

#[test]
fn an_order_remembers_its_last_attempts_and_counts_them_all() {
    let mut order = accepted();
    for _ in 0..60 {
        order.begin(at(0)).unwrap();
        order.conclude(rejected(), at(0), &RetryPolicy::usual(), 0.0).unwrap();
        let Admission::Restarted(again) = admit(Some(order), candidate("a"), Terms::new(at(0), GRACE)) else {
            panic!()
        };
        order = again;
    }
    assert_eq!((order.attempts.len(), order.attempts[49].number), (50, 60));
}

#[test]
fn an_interrupted_attempt_is_in_doubt_and_costs_nothing() {
    let mut order = accepted();
    order.begin(at(0)).unwrap();
    order.interrupt(at(10), &RetryPolicy::usual()).unwrap();
    assert_eq!(
        (order.state, order.doubt, order.attempts_used, order.next_attempt_at),
        (State::Retrying, Doubt::ThisContent, 0, Some(at(40)))
    );
    assert_eq!(order.attempts[0].outcome, Some(Outcome::Interrupted));
}

#[test]
fn several_orders_in_11vms_are_reported() {
    let several = Verdict::Created { number: "45".into(), status: 200, answer: None, found: true, duplicates: 2 };
    let order = after_attempt(several);
    assert!(order.messages[1].message.contains("3 purchase orders"), "{:?}", order.messages);
}

#[test]
fn changes_that_the_state_does_not_allow_are_refused() {
    let mut settled = after_attempt(created());
    let before = settled.clone();
    assert!(settled.begin(at(5)).is_err());
    assert!(settled.conclude(created(), at(5), &RetryPolicy::usual(), 0.0).is_err());
    assert!(settled.interrupt(at(5), &RetryPolicy::usual()).is_err());
    assert_eq!(settled, before);
    assert!(accepted().conclude(created(), at(5), &RetryPolicy::usual(), 0.0).is_err());
}

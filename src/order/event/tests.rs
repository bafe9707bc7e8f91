//! Which changes others hear of.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::order::retry::RetryPolicy;
use crate::order::{Admission, Candidate, PropagatedHeaders, Requester, Resolution, Resolved, Terms, Verdict, admit};

const GRACE: Duration = Duration::from_secs(30);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn candidate(fingerprint: &str) -> Candidate {
    Candidate {
        id: OrderId::of("4711"),
        cart_number: "0000004711".into(),
        fingerprint: fingerprint.into(),
        body: fingerprint.into(),
        mapping_version: "v".into(),
        warnings: Vec::new(),
        propagated_headers: PropagatedHeaders::default(),
        requester: Requester::default(),
        cart: None,
    }
}

fn accepted() -> Order {
    match admit(None, candidate("f"), Terms::new(at(0), GRACE)) {
        Admission::Started(order) => order,
        other => panic!("{other:?}"),
    }
}

fn forwarding() -> Order {
    let mut order = accepted();
    order.begin(at(1)).unwrap();
    order
}

fn after_attempt(verdict: Verdict, retries: u32) -> Order {
    let mut order = forwarding();
    order.conclude(verdict, at(2), &RetryPolicy { retries, ..RetryPolicy::usual() }, 0.0).unwrap();
    order
}

fn unknown() -> Verdict {
    Verdict::Unknown { status: Some(503), answer: None, detail: "secret".into(), retry_after: None }
}

fn rejected() -> Verdict {
    Verdict::Rejected { status: 422, answer: None, detail: String::new() }
}

fn parked() -> Order {
    after_attempt(unknown(), 0)
}

fn resolved(resolution: &Resolution) -> Order {
    match parked().resolve(resolution, "me", at(9)) {
        Resolved::Applied(order) => order,
        other => panic!("{other:?}"),
    }
}

fn sent_again(fingerprint: &str) -> Order {
    match admit(Some(parked()), candidate(fingerprint), Terms::new(at(50), GRACE)) {
        Admission::Restarted(order) => order,
        other => panic!("{other:?}"),
    }
}

#[test]
fn others_hear_of_an_order_that_is_parked_and_of_the_end_of_it() {
    use OrderEventKind::{Cancelled, Parked, Replayed, Resolved as Named, SentAgain};
    let exists = Resolution::Exists("45".into());
    let cancelled = Resolution::Cancelled("not wanted".into());
    let replayed = parked().replay("me", at(60), GRACE).unwrap();
    let mut parked_again = replayed.clone();
    parked_again.begin(at(70)).unwrap();
    let beginning = parked_again.clone();
    parked_again.conclude(unknown(), at(71), &RetryPolicy { retries: 0, ..RetryPolicy::usual() }, 0.0).unwrap();
    for (before, after, expected) in [
        (None, accepted(), None),
        (Some(accepted()), forwarding(), None),
        (Some(forwarding()), after_attempt(unknown(), 3), None),
        (Some(forwarding()), after_attempt(rejected(), 3), None),
        (Some(forwarding()), parked(), Some((Parked, at(2), None))),
        // The same write, once more after a lost answer.
        (Some(parked()), parked(), None),
        (Some(parked()), replayed.clone(), Some((Replayed, at(60), Some("me")))),
        (Some(replayed), beginning.clone(), None),
        (Some(beginning), parked_again.clone(), Some((Parked, at(71), None))),
        (Some(parked_again), sent_again("f"), Some((SentAgain, at(50), None))),
        (Some(parked()), sent_again("other"), Some((SentAgain, at(50), None))),
        (Some(parked()), resolved(&exists), Some((Named, at(9), Some("me")))),
        (Some(parked()), resolved(&cancelled), Some((Cancelled, at(9), Some("me")))),
        (Some(after_attempt(rejected(), 3)), accepted(), None),
    ] {
        let now = (after.state == State::Accepted).then(|| at(50));
        let event = OrderEvent::of_change(before.as_ref(), &after, now);
        let kind = event.as_ref().map(|event| (event.kind, event.at, event.by.as_deref()));
        let expected = match expected {
            // The time of a change that the order itself does not know.
            Some((Replayed, _, by)) if after.state == State::Accepted => Some((Replayed, at(50), by)),
            other => other,
        };
        let states = (before.as_ref().map(|order| order.state), after.state);
        assert_eq!(kind, expected, "{states:?}");
        if let Some(event) = event {
            assert_eq!((event.order_id, event.revision), (after.id, after.revision), "{states:?}");
        }
    }
}

#[test]
fn an_event_says_what_is_known_and_nothing_of_what_was_sent_or_answered() {
    let event = OrderEvent::of_change(Some(&forwarding()), &parked(), None).unwrap();
    assert_eq!((event.attempts, event.http_status, event.in_doubt), (1, Some(503), true));
    let text = serde_json::to_string(&event).unwrap();
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(serde_json::from_str::<OrderEvent>(&text).unwrap(), event);
    let expected = "{\"kind\":\"parked\",\"order_id\":\"4711\",\"revision\":3,\"cart_number\":\"0000004711\",\
        \"state\":\"parked\",\"at\":\"2023-11-14T22:13:22Z\",\"attempts\":1,\"http_status\":503,\"in_doubt\":true,\"by\":null}";
    assert_eq!(text, expected, "ledgers that exist have these names");
}

//! Orders whose first attempt is recorded with their admission.

use purchase_order_webhook::ledger::Stored;
use purchase_order_webhook::order::{Admission, Candidate, Order, State, Terms, admit};

use crate::suite::created;
use crate::{GRACE, Storage, admitted, at, candidate, policy};

/// On terms that let the first attempt begin.
pub fn at_once() -> Terms {
    Terms::new(at(1), GRACE).with_first_attempt(at(1))
}

fn started(admission: Admission) -> Order {
    match admission {
        Admission::Started(order) => order,
        other => panic!("{other:?}"),
    }
}

pub async fn a_first_attempt_is_recorded_with_its_order_and_written_again_by_its_process_alone(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = started(ledger.admit(candidate(1), at_once()).await.unwrap());
    assert_eq!((order.state, order.revision, order.attempts.len()), (State::Forwarding, 1, 1));
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order.clone()));
    // The process whose answer was lost makes the order from its candidate.
    let same = started(admit(None, candidate(1), at_once()));
    assert_eq!(ledger.store(same).await.unwrap(), Stored::Committed);
    let other = started(admit(None, Candidate { body: "{\"other\":1}".into(), ..candidate(1) }, at_once()));
    assert_eq!(ledger.store(other).await.unwrap(), Stored::Superseded);
    let open = ledger.census(at(99)).await.unwrap();
    assert_eq!((open.count(State::Forwarding), open.count(State::Accepted)), (1, 0));
    let mut order = order;
    order.conclude(created(), at(2), &policy(), 0.0).unwrap();
    assert_eq!(ledger.store(order.clone()).await.unwrap(), Stored::Committed);
    assert_eq!(ledger.find(&order.id).await.unwrap().unwrap().revision, 2);
}

pub async fn a_first_attempt_that_was_not_recorded_is_not_written_in_place_of_another_order(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let lost = started(admit(None, candidate(1), at_once()));
    assert_eq!(ledger.store(lost.clone()).await.unwrap(), Stored::Superseded, "it is not there");
    let there = admitted(&*ledger, 1).await;
    assert_eq!(ledger.store(lost).await.unwrap(), Stored::Superseded, "another one is there");
    assert_eq!(ledger.find(&there.id).await.unwrap(), Some(there));
}

//! The promises of both backends, each a function of a storage.

use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::digest::hex;
use purchase_order_webhook::ledger::{Claimed, Filter, Ledger, LedgerError, ListPosition, Stored};
use purchase_order_webhook::message::{Message, MessageCode};
use purchase_order_webhook::order::retry::RetryPolicy;
use purchase_order_webhook::order::{Admission, Candidate, Order, OrderId, State, Terms, Verdict};

use crate::audit::{
    entries_go_with_their_order, long_trails_are_read_by_pages, who_did_what_is_known_as_long_as_the_order,
};
use crate::carts::{
    a_cart_is_kept_with_its_order_as_it_was_received, a_cart_that_can_not_be_stored_is_not_admitted,
    a_ledger_of_another_schema_is_not_read, kept_carts_are_read_whole_page_by_page_while_others_come,
    the_cart_that_is_kept_is_the_one_that_became_the_order,
};
use crate::first_attempts::{
    a_first_attempt_is_recorded_with_its_order_and_written_again_by_its_process_alone,
    a_first_attempt_that_was_not_recorded_is_not_written_in_place_of_another_order,
};
use crate::lists::orders_of_one_millisecond_are_listed_as_pages_are_cut;
use crate::open_orders::open_and_parked_orders_are_counted;
use crate::outbox::{
    a_cart_that_is_sent_again_ends_the_incident_of_its_parked_order,
    a_ledger_of_the_version_before_is_taken_over_with_its_orders,
    a_message_outlives_a_restart_with_its_id_its_attempts_and_its_time,
    a_message_that_waits_holds_up_only_its_own_subject,
    a_time_that_a_clock_has_stored_while_it_was_ahead_holds_nothing_up,
    an_incident_begins_once_and_ends_once_unless_it_was_seen_since, the_outbox_is_bounded_and_the_oldest_go_first,
    what_others_should_hear_is_stored_with_the_change_for_each_channel,
};
use crate::{GRACE, Postgres, Storage, admitted, at, candidate, claimed, policy};

/// Runs every promise on SQLite as a test of its own, and all of them on one PostgreSQL server.
macro_rules! promises {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&crate::Storage::folder()).await;
            })*
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_promise_holds_on_postgresql() {
            let Some(server) = Postgres::start() else { return };
            $(println!("{}", stringify!($name));
            $name(&server.storage(stringify!($name))).await;)*
        }
    };
}

promises! {
    an_admitted_order_survives_a_restart,
    only_one_of_many_equal_candidates_is_started,
    due_orders_are_claimed_oldest_first,
    orders_that_are_due_after_a_time_are_found_and_not_claimed,
    one_of_two_changes_to_one_revision_is_stored,
    a_record_that_can_not_be_read_harms_no_other,
    orders_of_one_millisecond_are_listed_as_pages_are_cut,
    a_parked_order_is_never_purged,
    a_restarted_order_is_not_purged_with_the_old_ones,
    the_list_filters_and_continues_after_a_position,
    a_cart_number_that_no_index_takes_harms_no_other_order,
    a_purge_removes_any_number_of_old_orders,
    the_answer_of_11vms_is_stored_unchanged,
    the_warnings_about_a_cart_are_stored_with_its_order,
    a_schema_of_a_newer_version_is_refused,
    a_write_that_can_not_be_stored_fails_alone,
    an_outcome_that_can_not_be_stored_changes_nothing_and_is_stored_in_plain_words,
    a_cart_is_kept_with_its_order_as_it_was_received,
    the_cart_that_is_kept_is_the_one_that_became_the_order,
    a_cart_that_can_not_be_stored_is_not_admitted,
    kept_carts_are_read_whole_page_by_page_while_others_come,
    a_ledger_of_another_schema_is_not_read,
    who_did_what_is_known_as_long_as_the_order,
    long_trails_are_read_by_pages,
    entries_go_with_their_order,
    what_others_should_hear_is_stored_with_the_change_for_each_channel,
    a_cart_that_is_sent_again_ends_the_incident_of_its_parked_order,
    a_message_outlives_a_restart_with_its_id_its_attempts_and_its_time,
    a_message_that_waits_holds_up_only_its_own_subject,
    a_time_that_a_clock_has_stored_while_it_was_ahead_holds_nothing_up,
    an_incident_begins_once_and_ends_once_unless_it_was_seen_since,
    the_outbox_is_bounded_and_the_oldest_go_first,
    a_ledger_of_the_version_before_is_taken_over_with_its_orders,
    open_and_parked_orders_are_counted,
    a_first_attempt_is_recorded_with_its_order_and_written_again_by_its_process_alone,
    a_first_attempt_that_was_not_recorded_is_not_written_in_place_of_another_order,
}

fn not_done() -> Verdict {
    Verdict::NotDone { status: None, answer: None, detail: String::new(), retry_after: None }
}

pub fn created() -> Verdict {
    Verdict::Created { number: "45".into(), status: 201, answer: None, found: false, duplicates: 0 }
}

pub fn rejected() -> Verdict {
    Verdict::Rejected { status: 422, answer: None, detail: String::new() }
}

pub async fn begun(ledger: &dyn Ledger, mut order: Order) -> Order {
    order.begin(at(10)).unwrap();
    assert_eq!(ledger.store(order.clone()).await.unwrap(), Stored::Committed);
    order
}

pub async fn concluded(ledger: &dyn Ledger, order: Order, verdict: Verdict) -> Order {
    let mut order = begun(ledger, order).await;
    order.conclude(verdict, at(10), &policy(), 0.0).unwrap();
    assert_eq!(ledger.store(order.clone()).await.unwrap(), Stored::Committed);
    order
}

async fn orders_that_are_due_after_a_time_are_found_and_not_claimed(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    assert_eq!(ledger.due_after(at(0), 9).await.unwrap(), []);
    for number in 1..=3 {
        let order = admitted(&*ledger, number).await;
        concluded(&*ledger, order, not_done()).await;
    }
    admitted(&*ledger, 4).await;
    let order = admitted(&*ledger, 5).await;
    concluded(&*ledger, order, created()).await;
    // All three are due 30 s after second 10.
    let count = |found: Vec<Claimed>| {
        assert!(found.iter().all(|order| order.state == State::Retrying && order.revision == 3), "{found:?}");
        found.len()
    };
    for (time, limit, expected) in [(0, 9, 3), (39, 9, 3), (39, 2, 2), (40, 9, 0), (1_000, 9, 0)] {
        assert_eq!(count(ledger.due_after(at(time), limit).await.unwrap()), expected, "after {time}, at most {limit}");
    }
    assert_eq!(ledger.claim(at(40), 9).await.unwrap().iter().filter(|order| order.state == State::Retrying).count(), 3);
}

async fn an_admitted_order_survives_a_restart(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = admitted(&*ledger, 1).await;
    // The writer ends with the last handle, and the lock on a file goes with it.
    drop(ledger);
    let ledger = storage.open().await;
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(order.clone()));
    let again = ledger.admit(candidate(1), Terms::new(at(5), GRACE)).await.unwrap();
    assert!(matches!(again, Admission::Joined(same) if same == order));
    ledger.check().await.unwrap();
}

async fn only_one_of_many_equal_candidates_is_started(storage: &Storage<'_>) {
    let ledger: Arc<dyn Ledger> = storage.open().await.into();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { ledger.admit(candidate(1), Terms::new(at(0), GRACE)).await.unwrap() })
        })
        .collect();
    let mut started = 0;
    for call in calls {
        match call.await.unwrap() {
            Admission::Started(_) => started += 1,
            Admission::Joined(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(started, 1);
}

async fn due_orders_are_claimed_oldest_first(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let retrying = admitted(&*ledger, 3).await;
    let forwarding = admitted(&*ledger, 2).await;
    admitted(&*ledger, 1).await;
    let settled = admitted(&*ledger, 4).await;
    concluded(&*ledger, retrying, not_done()).await;
    begun(&*ledger, forwarding).await;
    concluded(&*ledger, settled, created()).await;
    assert_eq!(ledger.next_due(at(39)).await.unwrap(), Some(at(40)));
    assert_eq!(ledger.next_due(at(40)).await.unwrap(), None);
    // A restart: no process works on an order any more.
    drop(ledger);
    if matches!(storage, Storage::Database { .. }) {
        storage.run_sql("UPDATE orders SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL");
    }
    let ledger = storage.open().await;
    assert_eq!(claimed(&*ledger, 39).await, ["1", "2"]);
    assert!(claimed(&*ledger, 40).await.ends_with(&["3".to_owned()]));
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(500)).await.unwrap(), 1);
    assert_eq!(ledger.find(&OrderId::of("4")).await.unwrap(), None);
}

async fn one_of_two_changes_to_one_revision_is_stored(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let older = admitted(&*ledger, 1).await;
    let (mut one, mut other) = (older.clone(), older.clone());
    one.begin(at(10)).unwrap();
    other.begin(at(11)).unwrap();
    assert_eq!(ledger.store(one.clone()).await.unwrap(), Stored::Committed);
    assert_eq!(
        ledger.store(one.clone()).await.unwrap(),
        Stored::Committed,
        "the same again, after an answer that was lost"
    );
    assert_eq!(ledger.store(other).await.unwrap(), Stored::Superseded);
    assert_eq!(ledger.store(older).await.unwrap(), Stored::Superseded);
    assert_eq!(ledger.find(&one.id).await.unwrap(), Some(one));
}

async fn a_record_that_can_not_be_read_harms_no_other(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    for number in [0, 1, 2] {
        admitted(&*ledger, number).await;
    }
    drop(ledger);
    storage.unpack();
    storage.run_sql("UPDATE orders SET record = '{}' WHERE id = '1'");
    let ledger = storage.open().await;
    let broken = ledger.admit(candidate(1), Terms::new(at(9), GRACE));
    let other = ledger.admit(candidate(3), Terms::new(at(9), GRACE));
    let (broken, other) = tokio::join!(broken, other);
    assert!(matches!(broken, Err(LedgerError::Unreadable { id, .. }) if id == "1"));
    assert!(matches!(other, Ok(Admission::Started(_))));
    // A page is as long as there are others, so that whoever pages sees them all.
    for (limit, ids) in [(9, &["3", "2", "0"][..]), (3, &["3", "2", "0"]), (2, &["3", "2"])] {
        let orders = ledger.list(Filter { limit, ..Filter::default() }).await.unwrap();
        assert_eq!(orders.iter().map(|order| order.id.as_str()).collect::<Vec<_>>(), ids, "{limit}");
    }
    assert!(ledger.find(&OrderId::of("1")).await.is_err());
}

async fn a_parked_order_is_never_purged(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = admitted(&*ledger, 1).await;
    let mut order = begun(&*ledger, order).await;
    order.conclude(not_done(), at(0), &RetryPolicy { retries: 0, ..policy() }, 0.0).unwrap();
    assert_eq!(order.state, State::Parked);
    ledger.store(order).await.unwrap();
    assert_eq!(ledger.purge(at(1_000_000), Duration::from_secs(1)).await.unwrap(), 0);
}

async fn a_restarted_order_is_not_purged_with_the_old_ones(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = admitted(&*ledger, 1).await;
    concluded(&*ledger, order, rejected()).await;
    let again = ledger.admit(candidate(1), Terms::new(at(1_000), GRACE));
    let purged = ledger.purge(at(1_000), Duration::from_secs(1));
    let (again, purged) = tokio::join!(again, purged);
    assert!(matches!(again.unwrap(), Admission::Restarted(_)));
    assert_eq!(purged.unwrap(), 0);
    assert_eq!(ledger.find(&OrderId::of("1")).await.unwrap().unwrap().state, State::Accepted);
}

async fn the_list_filters_and_continues_after_a_position(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    for number in 1..=5 {
        admitted(&*ledger, number).await;
    }
    let list = async |filter| -> Vec<String> {
        ledger.list(filter).await.unwrap().into_iter().map(|order| order.id.to_string()).collect()
    };
    assert_eq!(list(Filter { limit: 2, ..Filter::default() }).await, ["5", "4"]);
    let position = ListPosition { received_at: at(4), id: OrderId::of("4") };
    assert_eq!(list(Filter { limit: 9, after: Some(position), ..Filter::default() }).await, ["3", "2", "1"]);
    assert_eq!(list(Filter { limit: 9, cart_number: Some("02".into()), ..Filter::default() }).await, ["2"]);
    assert_eq!(
        list(Filter { limit: 9, cart_number: Some("\0".into()), ..Filter::default() }).await,
        Vec::<String>::new()
    );
    let nowhere = ListPosition { received_at: at(0), id: OrderId::of("\0") };
    assert_eq!(list(Filter { limit: 9, after: Some(nowhere), ..Filter::default() }).await, Vec::<String>::new());
    assert_eq!(list(Filter { limit: 9, state: Some(State::Created), ..Filter::default() }).await, Vec::<String>::new());
}

async fn a_cart_number_that_no_index_takes_harms_no_other_order(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    for (id, cart_number) in [("1", "47\u{0}11".to_owned()), ("2", "ä".repeat(100_000))] {
        let candidate = Candidate { id: OrderId::of(id), cart_number: cart_number.clone(), ..candidate(9) };
        let (odd, other) = tokio::join!(ledger.admit(candidate, Terms::new(at(0), GRACE)), ledger.check());
        assert!(matches!(odd.unwrap(), Admission::Started(order) if order.cart_number == cart_number));
        other.unwrap();
        let filter = Filter { cart_number: Some(cart_number), limit: 9, ..Filter::default() };
        assert_eq!(ledger.list(filter).await.unwrap()[0].id.as_str(), id);
    }
    assert_eq!(ledger.find(&OrderId::of("4\u{0}")).await.unwrap(), None);
}

async fn a_purge_removes_any_number_of_old_orders(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = admitted(&*ledger, 1).await;
    concluded(&*ledger, order, created()).await;
    let columns = "cart_number, state, received_at, settled_at, next_attempt_at, record, revision";
    let (columns, numbers) = match storage {
        Storage::Folder(_) => {
            (columns.to_owned(), "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)")
        }
        Storage::Database { .. } => (format!("{columns}, writer"), "WITH n(i) AS (SELECT generate_series(2, 2500))"),
    };
    storage.run_sql(&format!(
        "{numbers} INSERT INTO orders (id, {columns}) SELECT CAST(i AS TEXT), {columns} FROM orders, n"
    ));
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(500)).await.unwrap(), 2_500);
}

async fn the_warnings_about_a_cart_are_stored_with_its_order(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let warning = Message::new(MessageCode::FurtherWarnings, "check it: NUL \u{0}, 💶").at("ITEM", "VALUE", 2);
    let warned = Candidate { warnings: vec![warning.clone()], ..candidate(1) };
    ledger.admit(warned, Terms::new(at(0), GRACE)).await.unwrap();
    drop(ledger);
    let ledger = storage.open().await;
    let order = ledger.find(&OrderId::of("1")).await.unwrap().unwrap();
    assert_eq!(order.warnings, std::slice::from_ref(&warning));
    // The cart again, from a mapping that warns of nothing any more.
    let Admission::Joined(same) = ledger.admit(candidate(1), Terms::new(at(5), GRACE)).await.unwrap() else { panic!() };
    let created = concluded(&*ledger, same, created()).await;
    assert_eq!(created.warnings, [warning]);
    let Admission::Replayed(replayed) = ledger.admit(candidate(1), Terms::new(at(9), GRACE)).await.unwrap() else {
        panic!()
    };
    assert_eq!(replayed, created);
}

async fn the_answer_of_11vms_is_stored_unchanged(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = admitted(&*ledger, 1).await;
    let said =
        serde_json::json!({ "text": "NUL \u{0}, quote ', backslash \\, 💶", "number": 12_345_678_901_234_567_890_u64 });
    let verdict = Verdict::Rejected { status: 422, answer: Some(said.clone()), detail: "\u{0}".into() };
    concluded(&*ledger, order, verdict).await;
    assert_eq!(ledger.find(&OrderId::of("1")).await.unwrap().unwrap().vms_response, Some(said));
}

async fn a_schema_of_a_newer_version_is_refused(storage: &Storage<'_>) {
    drop(storage.open().await);
    storage.run_sql(match storage {
        Storage::Folder(_) => "PRAGMA user_version = 99",
        Storage::Database { .. } => "INSERT INTO schema_version VALUES (99)",
    });
    let Err(error) = storage.try_open().await else { panic!("opened") };
    let text = error.to_string();
    assert!(text.contains("version 99") && text.contains("newer program"), "{text}");
}

/// Makes the storage refuse records with a text, as an encoding does that lacks a letter.
fn refuse_records_with(storage: &Storage<'_>, text: &str) {
    let bytes = hex(text.as_bytes()).to_uppercase();
    let condition = format!("hex(NEW.packed) LIKE '%{bytes}%'");
    storage.run_sql(&match storage {
        Storage::Folder(_) => ["INSERT", "UPDATE"]
            .map(|action| {
                format!("CREATE TRIGGER no_{action} BEFORE {action} ON orders WHEN {condition} BEGIN SELECT RAISE(ABORT, 'no'); END;")
            })
            .concat(),
        Storage::Database { .. } => format!("ALTER TABLE orders ADD CHECK (record NOT LIKE '%{text}%')"),
    });
}

async fn a_write_that_can_not_be_stored_fails_alone(storage: &Storage<'_>) {
    let ledger: Arc<dyn Ledger> = storage.open().await.into();
    refuse_records_with(storage, "Łódź");
    let calls: Vec<_> = (0..100)
        .map(|number| {
            let ledger = Arc::clone(&ledger);
            let city = if number % 10 == 3 { "Łódź" } else { "Warszawa" };
            let candidate = Candidate { cart_number: format!("{city} {number}"), ..candidate(number) };
            tokio::spawn(async move { ledger.admit(candidate, Terms::new(at(0), GRACE)).await })
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        let result = call.await.unwrap();
        let refused = matches!(result, Err(LedgerError::Unwritable(_)));
        assert_eq!(refused, number % 10 == 3, "{number}: {result:?}");
    }
    assert_eq!(claimed(&*ledger, 100).await.len(), if matches!(storage, Storage::Folder(_)) { 90 } else { 0 });
}

async fn an_outcome_that_can_not_be_stored_changes_nothing_and_is_stored_in_plain_words(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let order = admitted(&*ledger, 1).await;
    let mut order = begun(&*ledger, order).await;
    refuse_records_with(storage, "Łódź");
    let answer = Some(serde_json::json!({ "error": "no such city: Łódź" }));
    let verdict = Verdict::Rejected { status: 422, answer, detail: "no such city: Łódź".into() };
    let before = order.clone();
    order.conclude(verdict, at(10), &policy(), 0.0).unwrap();
    let result = ledger.store(order.clone()).await;
    let Err(LedgerError::Unwritable(reason)) = result else { panic!("{result:?}") };
    assert_eq!(ledger.find(&order.id).await.unwrap(), Some(before), "whoever has it stored decides what is stored");
    let plain = order.without_foreign_text(&reason);
    // Once more, as after a lost answer.
    for _ in 0..2 {
        assert_eq!(ledger.store(plain.clone()).await.unwrap(), Stored::Committed);
        assert_eq!(ledger.find(&plain.id).await.unwrap().as_ref(), Some(&plain));
    }
    let detail = plain.attempts[0].detail.as_deref().unwrap();
    assert!(detail.starts_with("no such city: ??d?; 11VMS's answer is left out"), "{detail}");
}

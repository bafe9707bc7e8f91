//! The outbox of both backends: what an order's change causes is stored with it, delivered in order, and gone when it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::ledger::outbox::{
    Channel, Conclusion, Incident, Kind, Message, Outbox, OutboxWrite, OutboxWritten, Pending, Recipients,
};
use purchase_order_webhook::ledger::postgres::PostgresLedger;
use purchase_order_webhook::ledger::sqlite::SqliteLedger;
use purchase_order_webhook::ledger::{Ledger, Stored};
use purchase_order_webhook::order::retry::RetryPolicy;
use purchase_order_webhook::order::{Order, OrderEvent, OrderEventKind, Resolution, Resolved, Terms, Verdict};

use crate::suite::begun;
use crate::{GRACE, LONG, Storage, admitted, at, candidate, policy, url_of};

/// A ledger and its outbox, whose alerts two channels hear.
struct Opened {
    ledger: Arc<dyn Ledger>,
    outbox: Arc<dyn Outbox>,
}

async fn open(storage: &Storage<'_>) -> Opened {
    let alerts = vec![Channel::PagerDuty, Channel::Webhook];
    let recipients = Recipients { alerts, ..Recipients::default() };
    match storage {
        Storage::Folder(folder) => {
            let ledger = Arc::new(SqliteLedger::open_at(&Storage::file(folder), None, at(0), recipients).unwrap());
            Opened { ledger: Arc::<SqliteLedger>::clone(&ledger), outbox: ledger }
        }
        Storage::Database { url, .. } => {
            let ledger = Arc::new(PostgresLedger::open_with(url_of(url), LONG, recipients).await.unwrap());
            Opened { ledger: Arc::<PostgresLedger>::clone(&ledger), outbox: ledger }
        }
    }
}

/// Parks an order.
async fn parked(ledger: &dyn Ledger, order: Order) -> Order {
    let mut order = begun(ledger, order).await;
    let unknown = Verdict::Unknown { status: Some(503), answer: None, detail: "down".into(), retry_after: None };
    order.conclude(unknown, at(10), &RetryPolicy { retries: 0, ..policy() }, 0.0).unwrap();
    assert_eq!(ledger.store(order.clone()).await.unwrap(), Stored::Committed);
    order
}

async fn resolved(ledger: &dyn Ledger, order: Order) -> Order {
    let Resolved::Applied(order) = order.resolve(&Resolution::Exists("45".into()), "me", at(20)) else { panic!() };
    assert_eq!(ledger.store(order.clone()).await.unwrap(), Stored::Committed);
    order
}

async fn next(outbox: &dyn Outbox, channel: Channel, now: i64) -> Option<Pending> {
    outbox.next(channel, at(now)).await.unwrap()
}

async fn conclude(outbox: &dyn Outbox, pending: &Pending, conclusion: Conclusion) {
    outbox.write(OutboxWrite::Conclude(pending.sequence, conclusion)).await.unwrap();
}

/// Takes every message of a channel: the order, and what happened to it.
async fn taken(outbox: &dyn Outbox, channel: Channel) -> Vec<(String, OrderEventKind)> {
    let mut found = Vec::new();
    while let Some(pending) = next(outbox, channel, 100).await {
        let event: OrderEvent = serde_json::from_str(&pending.message.payload).unwrap();
        found.push((event.order_id.to_string(), event.kind));
        conclude(outbox, &pending, Conclusion::Remove).await;
    }
    found
}

async fn counts(outbox: &dyn Outbox) -> BTreeMap<String, u64> {
    outbox.pending().await.unwrap().into_iter().collect()
}

fn message(id: &str, subject: &str, second: i64) -> Message {
    Message {
        id: id.into(),
        channel: Channel::Smtp,
        kind: Kind::ConditionAlert,
        subject: subject.into(),
        payload: "{}".into(),
        created_at: at(second),
    }
}

pub async fn what_others_should_hear_is_stored_with_the_change_for_each_channel(storage: &Storage<'_>) {
    let Opened { ledger, outbox } = open(storage).await;
    let order = admitted(&*ledger, 1).await;
    assert_eq!(counts(&*outbox).await, BTreeMap::new(), "an order that is accepted is no alert");
    let order = parked(&*ledger, order).await;
    // The same write, after a lost answer.
    assert_eq!(ledger.store(order.clone()).await.unwrap(), Stored::Committed);
    assert_eq!(counts(&*outbox).await, BTreeMap::from([("pagerduty".into(), 1), ("webhook".into(), 1)]));
    // A change that comes too late is none.
    let mut late = order.clone();
    late.revision -= 1;
    assert_eq!(ledger.store(late).await.unwrap(), Stored::Superseded);
    resolved(&*ledger, order).await;
    let expected = [("1".to_owned(), OrderEventKind::Parked), ("1".to_owned(), OrderEventKind::Resolved)];
    assert_eq!(taken(&*outbox, Channel::PagerDuty).await, expected);
    assert_eq!(taken(&*outbox, Channel::Webhook).await, expected);
    assert_eq!(taken(&*outbox, Channel::Smtp).await, []);
    assert_eq!(counts(&*outbox).await, BTreeMap::new());
}

pub async fn a_cart_that_is_sent_again_ends_the_incident_of_its_parked_order(storage: &Storage<'_>) {
    let Opened { ledger, outbox } = open(storage).await;
    let order = admitted(&*ledger, 1).await;
    parked(&*ledger, order).await;
    ledger.admit(candidate(1), Terms::new(at(60), GRACE)).await.unwrap();
    let expected = [("1".to_owned(), OrderEventKind::Parked), ("1".to_owned(), OrderEventKind::SentAgain)];
    assert_eq!(taken(&*outbox, Channel::Webhook).await, expected);
}

pub async fn a_message_outlives_a_restart_with_its_id_its_attempts_and_its_time(storage: &Storage<'_>) {
    let Opened { ledger, outbox } = open(storage).await;
    let order = admitted(&*ledger, 1).await;
    parked(&*ledger, order).await;
    let first = next(&*outbox, Channel::Webhook, 100).await.unwrap();
    conclude(&*outbox, &first, Conclusion::Retry(at(200))).await;
    drop((ledger, outbox));
    let Opened { ledger: _ledger, outbox } = open(storage).await;
    assert_eq!(next(&*outbox, Channel::Webhook, 199).await, None);
    let again = next(&*outbox, Channel::Webhook, 200).await.unwrap();
    assert_eq!((again.attempts, &again.message), (1, &first.message));
}

pub async fn a_message_that_waits_holds_up_only_its_own_subject(storage: &Storage<'_>) {
    let Opened { outbox, .. } = open(storage).await;
    let messages = vec![message("1", "a", 1), message("2", "a", 2), message("3", "b", 3)];
    outbox.write(OutboxWrite::Enqueue(messages.clone())).await.unwrap();
    // Once more, after a lost answer.
    outbox.write(OutboxWrite::Enqueue(messages)).await.unwrap();
    let first = next(&*outbox, Channel::Smtp, 10).await.unwrap();
    assert_eq!(first.message.id, "1");
    conclude(&*outbox, &first, Conclusion::Retry(at(100))).await;
    let other = next(&*outbox, Channel::Smtp, 10).await.unwrap();
    assert_eq!(other.message.id, "3");
    conclude(&*outbox, &other, Conclusion::Remove).await;
    assert_eq!(next(&*outbox, Channel::Smtp, 99).await, None);
    let first = next(&*outbox, Channel::Smtp, 100).await.unwrap();
    conclude(&*outbox, &first, Conclusion::Remove).await;
    assert_eq!(next(&*outbox, Channel::Smtp, 100).await.unwrap().message.id, "2");
}

pub async fn a_time_that_a_clock_has_stored_while_it_was_ahead_holds_nothing_up(storage: &Storage<'_>) {
    let Opened { outbox, .. } = open(storage).await;
    outbox.write(OutboxWrite::Enqueue(vec![message("1", "a", 1)])).await.unwrap();
    let first = next(&*outbox, Channel::Smtp, 10).await.unwrap();
    conclude(&*outbox, &first, Conclusion::Retry(at(1_000_000))).await;
    assert!(next(&*outbox, Channel::Smtp, 20).await.is_some());
}

pub async fn an_incident_begins_once_and_ends_once_unless_it_was_seen_since(storage: &Storage<'_>) {
    let Opened { outbox, .. } = open(storage).await;
    let changed = |written: OutboxWritten| matches!(written, OutboxWritten::Changed(true));
    let seen = |second: i64| Incident {
        subject: "target-unavailable".into(),
        begun_at: at(1),
        seen_at: at(second),
        payload: "{}".into(),
    };
    let begin = |second: i64| OutboxWrite::Begin(seen(second), vec![message("begin", "target-unavailable", 1)]);
    let end = |second: i64| {
        OutboxWrite::End("target-unavailable".into(), at(second), vec![message("end", "target-unavailable", 9)])
    };
    assert!(changed(outbox.write(begin(1)).await.unwrap()));
    assert!(!changed(outbox.write(begin(5)).await.unwrap()), "it goes on");
    assert_eq!(outbox.incidents().await.unwrap(), [seen(5)]);
    assert!(!changed(outbox.write(end(4)).await.unwrap()), "a replica has seen it since");
    assert!(changed(outbox.write(end(5)).await.unwrap()));
    assert!(!changed(outbox.write(end(5)).await.unwrap()), "it is over");
    assert_eq!(outbox.incidents().await.unwrap(), []);
    let mut ids = Vec::new();
    while let Some(pending) = next(&*outbox, Channel::Smtp, 100).await {
        conclude(&*outbox, &pending, Conclusion::Remove).await;
        ids.push(pending.message.id);
    }
    assert_eq!(ids, ["begin", "end"]);
}

pub async fn the_outbox_is_bounded_and_the_oldest_go_first(storage: &Storage<'_>) {
    let Opened { outbox, .. } = open(storage).await;
    let messages = (1..=20).map(|number| message(&number.to_string(), &number.to_string(), number)).collect();
    outbox.write(OutboxWrite::Enqueue(messages)).await.unwrap();
    let removed = |written: OutboxWritten| match written {
        OutboxWritten::Removed(removed) => removed,
        other => panic!("{other:?}"),
    };
    assert_eq!(removed(outbox.write(OutboxWrite::Tidy(20, at(0))).await.unwrap()), []);
    assert_eq!(removed(outbox.write(OutboxWrite::Tidy(5, at(0))).await.unwrap()), [("smtp".to_owned(), 15)]);
    assert_eq!(next(&*outbox, Channel::Smtp, 100).await.unwrap().message.id, "16");
    assert_eq!(removed(outbox.write(OutboxWrite::Tidy(5, at(18))).await.unwrap()), [("smtp".to_owned(), 2)]);
    assert_eq!(counts(&*outbox).await, BTreeMap::from([("smtp".into(), 3)]));
}

pub async fn a_ledger_of_the_version_before_is_taken_over_with_its_orders(storage: &Storage<'_>) {
    let Opened { ledger, outbox } = open(storage).await;
    let order = admitted(&*ledger, 1).await;
    drop((ledger, outbox));
    storage.take_back(if matches!(storage, Storage::Folder(_)) { 4 } else { 2 });
    let Opened { ledger, outbox } = open(storage).await;
    assert_eq!(ledger.find(&order.id).await.unwrap().as_ref(), Some(&order));
    parked(&*ledger, order).await;
    assert_eq!(taken(&*outbox, Channel::Webhook).await, [("1".to_owned(), OrderEventKind::Parked)]);
}

/// Replicas of one database: a message that one delivers is not delivered by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_claimed_by_one_replica() {
    let Some(server) = crate::Postgres::start() else { return };
    let storage = server.storage("claims");
    let (one, other) = (open(&storage).await, open(&storage).await);
    let messages = (1..=20).map(|number| message(&number.to_string(), &number.to_string(), number)).collect();
    one.outbox.write(OutboxWrite::Enqueue(messages)).await.unwrap();
    let take_all = |outbox: Arc<dyn Outbox>| async move {
        let mut ids = Vec::new();
        while let Some(pending) = next(&*outbox, Channel::Smtp, 100).await {
            ids.push(pending.message.id.parse::<usize>().unwrap());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        ids
    };
    let (mut mine, theirs) = tokio::join!(take_all(Arc::clone(&one.outbox)), take_all(Arc::clone(&other.outbox)));
    assert!(!mine.is_empty() && !theirs.is_empty(), "{mine:?} {theirs:?}");
    mine.extend(theirs);
    mine.sort_unstable();
    assert_eq!(mine, (1..=20).collect::<Vec<_>>());
    // The claims of a replica that is gone expire.
    storage.run_sql("UPDATE outbox SET claimed_until = now() - interval '1 second'");
    assert!(next(&*other.outbox, Channel::Smtp, 100).await.is_some());
}

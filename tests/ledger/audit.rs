//! The audit trail: one entry for each time that somebody sent, replayed or settled an order, as long as the order is there.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::ledger::Ledger;
use purchase_order_webhook::ledger::audit::{AuditFilter, AuditTrail, LOOKED_AT};
use purchase_order_webhook::ledger::postgres::PostgresLedger;
use purchase_order_webhook::ledger::sqlite::SqliteLedger;
use purchase_order_webhook::order::{Action, Admission, Candidate, Order, Requester, Resolution, Terms};

use crate::suite::{concluded, created, rejected};
use crate::{GRACE, LONG, Storage, at, candidate, url_of};

async fn open(storage: &Storage<'_>) -> (Arc<dyn Ledger>, Arc<dyn AuditTrail>) {
    match storage {
        Storage::Folder(folder) => {
            let ledger = Arc::new(SqliteLedger::open(&Storage::file(folder)).unwrap());
            (Arc::<SqliteLedger>::clone(&ledger), ledger)
        }
        Storage::Database { url, .. } => {
            let ledger = Arc::new(PostgresLedger::open(url_of(url), LONG).await.unwrap());
            (Arc::<PostgresLedger>::clone(&ledger), ledger)
        }
    }
}

fn requester(name: &str) -> Requester {
    Requester {
        name: name.to_owned(),
        client: Some(format!("{name}-client")),
        address: Some("2001:db8::7".parse().unwrap()),
        request_id: Some(format!("{name}-request")),
    }
}

async fn sent(ledger: &dyn Ledger, number: usize, by: &str, second: i64) -> Order {
    let candidate = Candidate { requester: requester(by), ..candidate(number) };
    match ledger.admit(candidate, Terms::new(at(second), GRACE)).await.unwrap() {
        Admission::Started(order) | Admission::Restarted(order) | Admission::Joined(order) => order,
        other => panic!("{other:?}"),
    }
}

/// The entries that a filter lets through, a line each.
async fn lines(trail: &dyn AuditTrail, filter: AuditFilter) -> Vec<String> {
    let filter = AuditFilter { limit: filter.limit.max(100), ..filter };
    let line = |record: purchase_order_webhook::ledger::audit::AuditRecord| {
        let (entry, order) = (record.entry, record.order_id);
        let detail = entry.detail.map(|detail| format!(" {detail}")).unwrap_or_default();
        format!("{order} {} {} {}{detail}", entry.at.as_second() - at(0).as_second(), entry.action.name(), entry.by)
    };
    trail.audit(filter).await.unwrap().records.into_iter().map(line).collect()
}

pub async fn who_did_what_is_known_as_long_as_the_order(storage: &Storage<'_>) {
    let (ledger, trail) = open(storage).await;
    let order = sent(&*ledger, 1, "srm", 1).await;
    sent(&*ledger, 1, "srm", 2).await;
    concluded(&*ledger, order, rejected()).await;
    let order = sent(&*ledger, 1, "gateway", 3).await;
    let order = concluded(&*ledger, order, rejected()).await;
    let order = order.replay(requester("erika"), at(4), GRACE).unwrap();
    ledger.store(order.clone()).await.unwrap();
    ledger.store(order.clone()).await.unwrap();
    let settled = order.resolve(&Resolution::Exists("45".into()), requester("otto"), at(5)).order().clone();
    ledger.store(settled.clone()).await.unwrap();
    let other = sent(&*ledger, 2, "srm", 6).await;
    concluded(&*ledger, other, created()).await;

    let all = ["2 6 sent srm", "1 5 resolved otto 45", "1 4 replayed erika", "1 3 sent-again gateway", "1 1 sent srm"];
    assert_eq!(lines(&*trail, AuditFilter::default()).await, all, "a resend that changes nothing is no entry");
    let page = trail.audit(AuditFilter { limit: 2, ..AuditFilter::default() }).await.unwrap();
    let newest = page.records;
    assert_eq!((newest.len(), page.next), (2, Some(newest[1].position())));
    let entry = &newest[1].entry;
    assert_eq!(
        (entry.client.as_deref(), entry.address, entry.request_id.as_deref(), newest[1].cart_number.as_str()),
        (Some("otto-client"), "2001:db8::7".parse().ok(), Some("otto-request"), settled.cart_number.as_str())
    );
    for (filter, expected) in [
        (AuditFilter { before: page.next, ..AuditFilter::default() }, &all[2..]),
        (AuditFilter { action: Some(Action::Replayed), ..AuditFilter::default() }, &all[2..3]),
        (AuditFilter { action: Some(Action::SentAgain), ..AuditFilter::default() }, &all[3..4]),
        (AuditFilter { by: Some("otto".into()), ..AuditFilter::default() }, &all[1..2]),
        (AuditFilter { client: Some("gateway-client".into()), ..AuditFilter::default() }, &all[3..4]),
        (AuditFilter { from: Some(at(3)), to: Some(at(5)), ..AuditFilter::default() }, &all[2..4]),
    ] {
        assert_eq!(lines(&*trail, filter.clone()).await, expected, "{filter:?}");
    }
    let trail_of_order: Vec<_> = settled.audit_trail().into_iter().map(|entry| entry.action.name()).collect();
    assert_eq!(trail_of_order, ["sent", "sent-again", "replayed", "resolved"]);

    drop((ledger, trail));
    let (ledger, trail) = open(storage).await;
    assert_eq!(lines(&*trail, AuditFilter::default()).await, all, "after a restart");
    // The order that was settled by hand at second 5 is removed, the other one was settled later.
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(1_000 - 6)).await.unwrap(), 1);
    assert_eq!(lines(&*trail, AuditFilter::default()).await, all[..1], "the entries of an order that is gone");
}

/// All pages of a filter: the orders on each.
async fn pages(trail: &dyn AuditTrail, filter: AuditFilter) -> Vec<Vec<String>> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = trail.audit(AuditFilter { before, ..filter.clone() }).await.unwrap();
        found.push(page.records.iter().map(|record| record.order_id.to_string()).collect());
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

pub async fn long_trails_are_read_by_pages(storage: &Storage<'_>) {
    const LENGTH: usize = 2 * LOOKED_AT + 5;
    let (_ledger, trail) = open(storage).await;
    // Three entries at each time; the client "rare" came once, and somebody settled one order by hand.
    storage.run_sql(&format!(
        "INSERT INTO audit (at, order_id, cart_number, action, actor, client)
        WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {LENGTH})
        SELECT number / 3, CAST(number AS TEXT), '1', CASE number WHEN 40 THEN 'resolved' ELSE 'sent' END, 'srm',
            CASE number WHEN 7000 THEN 'rare' ELSE 'srm' END FROM numbers"
    ));
    let of_client = |client: &str| AuditFilter { client: Some(client.into()), limit: 2, ..AuditFilter::default() };
    let none = Vec::<String>::new();
    assert_eq!(pages(&*trail, of_client("nobody")).await, vec![none.clone(); 3]);
    assert_eq!(pages(&*trail, of_client("rare")).await, [none.clone(), vec!["7000".to_owned()], none]);
    let resolved = AuditFilter { action: Some(Action::Resolved), limit: 2, ..AuditFilter::default() };
    assert_eq!(pages(&*trail, resolved).await, [["40"]], "those of people are found at once");

    let time = |number: i64| Some(Timestamp::from_millisecond(number / 3).unwrap());
    for (client, limit) in [(None, 2), (None, 200), (Some("srm"), 3)] {
        let some = AuditFilter {
            client: client.map(str::to_owned),
            from: time(5_001),
            to: time(5_010),
            limit,
            ..AuditFilter::default()
        };
        let shown = pages(&*trail, some).await;
        assert!(shown.iter().all(|page| !page.is_empty() && page.len() <= limit), "{shown:?}");
        let expected: Vec<_> = (5_001..5_010).rev().map(|number: i32| number.to_string()).collect();
        assert_eq!(shown.concat(), expected, "each entry once, {limit} on a page");
    }
}

/// Entries whose orders are gone are found behind any number of others, and each is looked at once: a removal that began at the oldest
/// again for each portion would hold the writer up for as long as the trail is.
pub async fn entries_go_with_their_order(storage: &Storage<'_>) {
    const LENGTH: usize = 6_000;
    let (ledger, trail) = open(storage).await;
    sent(&*ledger, 1, "srm", 1).await;
    // Those before and behind belong to an open order; several are of one time, where a portion may end.
    storage.run_sql(&format!(
        "INSERT INTO audit (at, order_id, cart_number, action, actor)
        WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {LENGTH})
        SELECT number / 7, CASE WHEN number < 2500 OR number > 4000 THEN '1' ELSE 'gone' END, '1', 'sent', 'srm' FROM numbers"
    ));
    assert_eq!(ledger.purge(at(1_000), Duration::from_secs(1_000)).await.unwrap(), 0);
    let shown = pages(&*trail, AuditFilter { limit: 200, ..AuditFilter::default() }).await.concat();
    assert_eq!((shown.len(), shown.contains(&"gone".to_owned())), (LENGTH - 1_501 + 1, false));
}

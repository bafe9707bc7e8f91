//! Lists of orders, page by page.

use std::time::Duration;

use purchase_order_webhook::ledger::{Filter, ListPosition};
use purchase_order_webhook::order::Terms;

use crate::{GRACE, Storage, at, candidate};

pub async fn orders_of_one_millisecond_are_listed_as_pages_are_cut(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    let received = [(1, 900), (2, 100), (3, 500)];
    for (number, microseconds) in received {
        let at = at(1) + Duration::from_micros(microseconds);
        ledger.admit(candidate(number), Terms::new(at, GRACE)).await.unwrap();
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        // One more than the page has shows whether there is a next one.
        let mut orders = ledger.list(Filter { limit: 2, after, ..Filter::default() }).await.unwrap();
        let has_more = orders.len() == 2;
        orders.truncate(1);
        after = orders.first().map(|order| ListPosition { received_at: order.received_at, id: order.id.clone() });
        listed.extend(orders.into_iter().map(|order| order.id.to_string()));
        if !has_more {
            break;
        }
    }
    assert_eq!(listed, ["3", "2", "1"]);
}

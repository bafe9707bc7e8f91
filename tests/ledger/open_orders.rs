//! Open and parked orders are counted: by the ledger itself, and as they change.

use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::ledger::Ledger;
use purchase_order_webhook::ledger::open_orders::{COUNTED, Census};
use purchase_order_webhook::order::retry::RetryPolicy;
use purchase_order_webhook::order::{Order, OrderId, Resolution, State, Terms, Verdict};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::suite::{begun, concluded, created, rejected};
use crate::{GRACE, Storage, admitted, at, candidate, policy};

fn not_done() -> Verdict {
    Verdict::NotDone { status: None, answer: None, detail: String::new(), retry_after: None }
}

async fn parked(ledger: &dyn Ledger, order: Order) {
    let mut order = begun(ledger, order).await;
    order.conclude(not_done(), at(10), &RetryPolicy { retries: 0, ..policy() }, 0.0).unwrap();
    ledger.store(order).await.unwrap();
}

fn counts(census: Census) -> [i64; COUNTED.len()] {
    COUNTED.map(|state| census.count(state))
}

pub async fn open_and_parked_orders_are_counted(storage: &Storage<'_>) {
    let ledger = storage.open().await;
    assert_eq!(ledger.census(at(0)).await.unwrap(), Census::default());
    // 1 and 2 are accepted, 3 is forwarding, 4 and 5 are retrying, 6 is parked; 7 and 8 are settled.
    for number in 1..=8 {
        let order = admitted(&*ledger, number).await;
        match number {
            3 => drop(begun(&*ledger, order).await),
            4 | 5 => drop(concluded(&*ledger, order, not_done()).await),
            6 => parked(&*ledger, order).await,
            7 => drop(concluded(&*ledger, order, created()).await),
            8 => drop(concluded(&*ledger, order, rejected()).await),
            _ => {}
        }
    }
    let census = ledger.census(at(0)).await.unwrap();
    assert_eq!((counts(census), census.open()), ([2, 1, 2, 1], 5));
    assert_eq!((census.oldest_open, census.overdue), (Some(at(1)), 0));
    // Their next attempt is due at second 40.
    for (since, overdue) in [(40, 0), (41, 2)] {
        assert_eq!(ledger.census(at(since)).await.unwrap().overdue, overdue, "{since}");
    }
    let Storage::Folder(_) = storage else { return };
    assert_eq!(counts(ledger.statistics().open_orders.census()), [2, 1, 2, 1], "counted as they changed");
    drop(ledger);
    let ledger = storage.open().await;
    assert_eq!(counts(ledger.statistics().open_orders.census()), [2, 1, 2, 1], "counted at the start");
    assert_eq!(ledger.statistics().open_orders.census().oldest_open, Some(at(1)));
}

/// One change of one order, as a service makes it; some are repeated, some come too late.
async fn change(ledger: &dyn Ledger, random: &mut StdRng) {
    let number = random.random_range(1..=40_usize);
    let now = at(random.random_range(0..1_000));
    let Some(mut order) = ledger.find(&OrderId::of(&number.to_string())).await.unwrap() else {
        ledger.admit(candidate(number), Terms::new(now, GRACE)).await.unwrap();
        return;
    };
    let retries = random.random_range(0..=1);
    let policy = RetryPolicy { retries, ..policy() };
    match random.random_range(0..6) {
        0 => {
            ledger.admit(candidate(number), Terms::new(now, GRACE)).await.unwrap();
        }
        1 => {
            ledger.purge(now, Duration::ZERO).await.unwrap();
        }
        2 => {
            if let Some(order) = order.replay("me", now, GRACE) {
                ledger.store(order).await.unwrap();
            }
        }
        3 => {
            let settled = order.resolve(&Resolution::Cancelled("no".to_owned()), "me", now);
            ledger.store(settled.order().clone()).await.unwrap();
        }
        _ => {
            let verdict = [created(), rejected(), not_done()][random.random_range(0..3)].clone();
            let changed = match order.state {
                State::Accepted | State::Retrying => order.begin(now).is_ok(),
                State::Forwarding => order.conclude(verdict, now, &policy, 0.0).is_ok(),
                _ => false,
            };
            for _ in 0..random.random_range(1..=2) {
                if changed {
                    ledger.store(order.clone()).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_changes_the_count_is_that_of_the_ledger() {
    for seed in 0..8 {
        let storage = Storage::folder();
        let ledger: Arc<dyn Ledger> = storage.open().await.into();
        let changes: Vec<_> = (0..8)
            .map(|task| {
                let ledger = Arc::clone(&ledger);
                tokio::spawn(async move {
                    let mut random = StdRng::seed_from_u64(seed * 100 + task);
                    for _ in 0..60 {
                        change(&*ledger, &mut random).await;
                    }
                })
            })
            .collect();
        for changed in changes {
            changed.await.unwrap();
        }
        let (counted, found) = (ledger.statistics().open_orders.census(), ledger.census(at(0)).await.unwrap());
        assert_eq!(counts(counted), counts(found), "seed {seed}");
        assert!(found.open() > 0, "seed {seed}");
    }
}

//! An 11VMS that does what a test has written down for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::vms::{SendLimit, Vms};

/// What happens to a POST.
#[derive(Debug, Clone, Copy)]
pub enum Post {
    Creates,
    /// The order is created, and the answer is lost.
    IsLost,
    /// The order is created, and the answer does not have its number.
    IsUnnumbered,
    Refuses,
    /// 429.
    IsBusy,
    /// Nothing is sent: the token endpoint wants to be left alone for so many seconds.
    IsDeferred(u64),
    Panics,
    Hangs,
}

/// An 11VMS that creates an order for every POST, and finds those that it created.
#[derive(Debug, Default)]
pub struct FakeVms {
    /// For each look-up to come: whether it gets no answer.
    pub lost_look_ups: Mutex<VecDeque<CallOutcome>>,
    /// The host sleeps for an hour during so many look-ups.
    pub sleeps: AtomicUsize,
    pub clock: OnceLock<Arc<ManualClock>>,
    /// So many look-ups get no answer, and no end.
    pub hanging_look_ups: AtomicUsize,
    pub script: Mutex<VecDeque<Post>>,
    pub calls: Mutex<Vec<&'static str>>,
    pub created: Mutex<usize>,
}

/// What becomes of a call without a token, while the token endpoint throttles.
pub fn deferred(seconds: u64) -> CallOutcome {
    CallOutcome::Deferred { detail: "the token endpoint answered 429".into(), wait: Duration::from_secs(seconds) }
}

#[async_trait]
impl Vms for FakeVms {
    async fn create(&self, _: &Order, _: Option<SendLimit>) -> CallOutcome {
        self.calls.lock().unwrap().push("POST");
        let answered = |status, body| {
            CallOutcome::Answered(VmsResponse {
                status,
                body: Some(body),
                defect: None,
                location: None,
                retry_after: None,
                list_headers: Vec::new(),
            })
        };
        let post = self.script.lock().unwrap().pop_front().unwrap_or(Post::Creates);
        match post {
            Post::Creates => {
                *self.created.lock().unwrap() += 1;
                answered(201, json!({ "poNumber": "45" }))
            }
            Post::IsLost => {
                *self.created.lock().unwrap() += 1;
                CallOutcome::Lost("no answer".into())
            }
            Post::IsUnnumbered => {
                *self.created.lock().unwrap() += 1;
                answered(201, json!({}))
            }
            Post::IsDeferred(seconds) => deferred(seconds),
            Post::IsBusy => answered(429, json!({})),
            Post::Refuses => answered(422, json!({ "message": "no" })),
            Post::Panics => panic!("a defect on the way to 11VMS"),
            Post::Hangs => std::future::pending().await,
        }
    }

    async fn look_up(&self, order: &Order) -> CallOutcome {
        self.calls.lock().unwrap().push("GET");
        if self.sleeps.fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1)).is_ok() {
            sleep_an_hour(&self.clock);
        }
        if self.hanging_look_ups.fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1)).is_ok() {
            return std::future::pending().await;
        }
        if let Some(lost) = self.lost_look_ups.lock().unwrap().pop_front() {
            return lost;
        }
        let found = vec![json!({ "poNumber": "45", "externalId": order.id }); *self.created.lock().unwrap()];
        CallOutcome::Answered(VmsResponse {
            status: 200,
            body: Some(json!({ "purchaseOrders": found })),
            defect: None,
            location: None,
            retry_after: None,
            list_headers: Vec::new(),
        })
    }
}

//! What the relay reports: every step of an order once, in its order, and none before the ledger has it.

use std::sync::Mutex;

use super::*;
use crate::order::{Admission, Resolution};
use crate::relay::observer::{Observer, Observers};

/// Notes what it hears of orders, and what the ledger has of them at that moment.
#[derive(Debug, Default)]
struct Recorder {
    ledger: Mutex<Option<Arc<FakeLedger>>>,
    heard: Mutex<Vec<String>>,
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        let (name, order) = match *event {
            Event::Admitted(Admission::Started(order)) => ("started", order),
            Event::Admitted(Admission::Replayed(order)) => ("replayed", order),
            Event::AttemptBegan(order) => ("began", order),
            Event::AttemptEnded(order) => ("ended", order),
            Event::Intervened(order) => ("intervened", order),
            Event::BreakerOpened { .. } => return self.heard.lock().unwrap().push("breaker opened".to_owned()),
            Event::BreakerClosed => return self.heard.lock().unwrap().push("breaker closed".to_owned()),
            _ => return,
        };
        let stored = self.ledger.lock().unwrap().as_ref().unwrap().known(&order.id).unwrap();
        assert!(stored.revision >= order.revision, "{name}: the ledger has it");
        self.heard.lock().unwrap().push(format!("{name}: {}", order.state.name()));
    }
}

fn observed(script: &[Post]) -> (Stack, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let stack = stack_with(script, |dependencies| {
        dependencies.observers = Observers::new(vec![Arc::clone(&recorder) as Arc<dyn Observer>]);
        dependencies.breaker.failures = 1;
    });
    *recorder.ledger.lock().unwrap() = Some(Arc::clone(&stack.ledger));
    (stack, recorder)
}

#[tokio::test]
async fn each_step_of_an_order_is_reported_once_and_after_it_was_stored() {
    let (stack, recorder) = observed(&[Post::IsBusy, Post::Creates]);
    let caller = stack.submit("1");
    stack.settle().await;
    assert_eq!(stack.relay.breaker(), BreakerState::Open);
    stack.pass_slowly(Duration::from_secs(40)).await;
    caller.await.unwrap().unwrap();
    assert_eq!(stack.relay.breaker(), BreakerState::Closed);
    stack.submit("1").await.unwrap().unwrap();
    let expected = [
        "started: forwarding",
        "began: forwarding",
        "breaker opened",
        "ended: retrying",
        "began: forwarding",
        "breaker closed",
        "ended: created",
        "replayed: created",
    ];
    assert_eq!(*recorder.heard.lock().unwrap(), expected);
}

#[tokio::test]
async fn what_people_do_is_reported() {
    let (stack, recorder) = observed(&[Post::IsBusy]);
    drop(stack.submit("1"));
    stack.settle().await;
    let cancelled = Resolution::Cancelled("not needed".to_owned());
    stack.relay.resolve(&OrderId::of("1"), cancelled, "me", Duration::from_secs(1)).await.unwrap();
    assert_eq!(recorder.heard.lock().unwrap().last().unwrap(), "intervened: cancelled");
}

//! Who is dispatched, in which order, and what holds everybody up.

use std::sync::OnceLock;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::relay::observer::Observer;

fn dispatcher(permits: usize, ahead: usize, failures: u32) -> (Arc<Dispatcher>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let pause = Duration::from_secs(5);
    let breaker = BreakerPolicy { failures, pause, longest_pause: pause };
    (
        Dispatcher::new(
            Concurrency { permits, ahead },
            breaker,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Observers::default(),
        ),
        clock,
    )
}

fn id(number: u32) -> OrderId {
    OrderId::of(&number.to_string())
}

fn at(seconds: i64) -> Ticket {
    Ticket::new(Timestamp::from_second(1_700_000_000 + seconds).unwrap(), 1)
}

/// The next dispatch, if there is one now.
async fn now(dispatcher: &Arc<Dispatcher>) -> Option<Dispatch> {
    tokio::select! {
        biased;
        dispatch = dispatcher.next() => Some(dispatch),
        () = tokio::task::yield_now() => None,
    }
}

/// Notes the free permits at the moment at which a breaker opens.
#[derive(Debug, Default)]
struct FreePermits {
    permits: OnceLock<Arc<Semaphore>>,
    as_it_opened: OnceLock<usize>,
}

impl Observer for FreePermits {
    fn observe(&self, event: &Event<'_>) {
        if let Event::BreakerOpened { .. } = event {
            let free = self.permits.get().unwrap().available_permits();
            self.as_it_opened.set(free).unwrap();
        }
    }
}

#[tokio::test]
async fn a_breaker_opens_before_its_cause_gives_its_permit_to_the_next_order() {
    let observer = Arc::new(FreePermits::default());
    let breaker = BreakerPolicy { failures: 1, pause: Duration::from_secs(5), longest_pause: Duration::from_secs(5) };
    let observers = Observers::new(vec![Arc::clone(&observer) as Arc<dyn Observer>]);
    let concurrency = Concurrency { permits: 1, ahead: 0 };
    let dispatcher = Dispatcher::new(concurrency, breaker, Arc::new(ManualClock::default()), observers);
    observer.permits.set(Arc::clone(&dispatcher.free_permits)).unwrap();
    let mut first = dispatcher.try_reserve(&id(1)).unwrap();
    first.release_permit(CallResult::Failure, None);
    assert_eq!((observer.as_it_opened.get(), dispatcher.free_permits.available_permits()), (Some(&0), 1));
}

#[tokio::test]
async fn the_oldest_goes_first_whenever_it_came() {
    let (dispatcher, _) = dispatcher(9, 0, 9);
    for number in [3, 1, 2] {
        dispatcher.enqueue(&id(number), at(number.into()));
        dispatcher.enqueue(&id(number), at(number.into()));
    }
    for number in [1, 2, 3] {
        assert_eq!(dispatcher.next().await.id, id(number));
    }
    assert!(now(&dispatcher).await.is_none(), "each once");
}

/// Whether an order has its permit now, or why it must not be sent.
async fn turn(dispatch: &mut Dispatch) -> Option<Result<(), HeldUp>> {
    let stopping = CancellationToken::new();
    tokio::select! {
        biased;
        turn = dispatch.take_permit(&stopping) => Some(turn),
        () = tokio::task::yield_now() => None,
    }
}

#[tokio::test]
async fn a_few_more_are_dispatched_than_there_are_permits() {
    for (permits, ahead, dispatched) in [(1, 0, 1), (1, 1, 2), (3, 2, 5)] {
        let (dispatcher, _) = dispatcher(permits, ahead, 9);
        assert!((0..99).all(|number| dispatcher.enqueue(&id(number), at(number.into()))));
        let mut ahead_too = Vec::new();
        while let Some(dispatch) = now(&dispatcher).await {
            ahead_too.push(dispatch);
        }
        assert_eq!(ahead_too.len(), dispatched, "{permits}");
        let mut with_permit = 0;
        for dispatch in &mut ahead_too {
            with_permit += usize::from(turn(dispatch).await == Some(Ok(())));
        }
        assert_eq!(with_permit, permits);
    }
}

#[tokio::test]
async fn nobody_goes_without_a_place_and_a_place_is_free_before_the_turn_ends() {
    let (dispatcher, _) = dispatcher(1, 0, 9);
    dispatcher.enqueue(&id(1), at(1));
    dispatcher.enqueue(&id(2), at(2));
    let mut first = dispatcher.next().await;
    assert!(now(&dispatcher).await.is_none());
    first.release_permit(CallResult::Success, None);
    assert_eq!(dispatcher.next().await.id, id(2));
    assert!(dispatcher.knows(&id(1)) && !dispatcher.knows(&id(2)));
}

/// Two orders that have all permits, and a third that waits for one.
async fn crowded(failures: u32) -> (Arc<Dispatcher>, Arc<ManualClock>, Vec<Dispatch>, Dispatch) {
    let (dispatcher, clock) = dispatcher(2, 1, failures);
    let mut sent = Vec::new();
    for number in 1..=2 {
        let mut dispatch = dispatcher.try_reserve(&id(number)).unwrap();
        assert_eq!(turn(&mut dispatch).await, Some(Ok(())));
        sent.push(dispatch);
    }
    dispatcher.enqueue(&id(3), at(3));
    let mut third = dispatcher.next().await;
    assert_eq!(turn(&mut third).await, None);
    (dispatcher, clock, sent, third)
}

#[tokio::test]
async fn a_permit_goes_to_who_waits_for_it_before_its_dispatch_ends_and_nobody_goes_past() {
    let (dispatcher, _, mut sent, mut third) = crowded(9).await;
    assert!(dispatcher.try_reserve(&id(4)).is_none(), "no permit is free");
    sent[0].release_permit(CallResult::Success, None);
    assert!(dispatcher.try_reserve(&id(4)).is_none(), "the permit is meant for another");
    assert_eq!(turn(&mut third).await, Some(Ok(())));
    assert!(dispatcher.knows(&id(1)), "its outcome is being stored");
    sent[1].release_permit(CallResult::Success, None);
    assert!(dispatcher.try_reserve(&id(4)).is_some());
}

#[tokio::test]
async fn a_probe_is_dispatched_when_there_is_a_permit_for_it_and_not_ahead() {
    let (dispatcher, clock, mut sent, third) = crowded(1).await;
    sent[0].release_permit(CallResult::Failure, None);
    clock.advance(Duration::from_secs(7));
    dispatcher.enqueue(&id(4), at(4));
    assert!(now(&dispatcher).await.is_none(), "the permit is meant for another");
    drop(third);
    assert_eq!(turn(&mut now(&dispatcher).await.unwrap()).await, Some(Ok(())));
}

#[tokio::test]
async fn an_order_is_not_sent_that_is_held_up_while_it_waits_for_its_permit() {
    const PAUSE: Duration = Duration::from_secs(7);
    let stopped = CancellationToken::new();
    stopped.cancel();
    for (cause, expected) in [("nothing", None), ("breaker", Some(5)), ("pause", Some(7)), ("stop", Some(0))] {
        let (dispatcher, clock, mut sent, mut third) = crowded(1).await;
        if cause == "pause" {
            dispatcher.pause_until(clock.moment().after(PAUSE));
        }
        let turn_of_third = if cause == "stop" {
            third.take_permit(&stopped).await
        } else {
            let result = if cause == "breaker" { CallResult::Failure } else { CallResult::Success };
            sent[0].release_permit(result, None);
            turn(&mut third).await.unwrap()
        };
        let wait = turn_of_third.err().map(|held_up| held_up.wait);
        assert_eq!(wait, expected.map(Duration::from_secs), "{cause}");
        drop(third);
        sent[1].release_permit(CallResult::Inconclusive, None);
        clock.advance(PAUSE);
        dispatcher.enqueue(&id(4), at(4));
        let mut fourth = dispatcher.next().await;
        assert_eq!(turn(&mut fourth).await, Some(Ok(())), "{cause}: another one has the permit");
    }
}

#[tokio::test]
async fn who_is_asked_for_during_its_turn_has_another_one() {
    let (dispatcher, _) = dispatcher(1, 0, 9);
    dispatcher.enqueue(&id(1), at(1));
    let dispatch = dispatcher.next().await;
    dispatcher.enqueue(&id(1), at(1));
    assert!(now(&dispatcher).await.is_none());
    drop(dispatch);
    drop(dispatcher.next().await);
    assert!(!dispatcher.knows(&id(1)) && now(&dispatcher).await.is_none());
}

#[tokio::test]
async fn an_open_breaker_lets_one_probe_pass() {
    let (dispatcher, clock) = dispatcher(9, 0, 1);
    for number in 1..=4 {
        dispatcher.enqueue(&id(number), at(number.into()));
    }
    dispatcher.next().await.release_permit(CallResult::Failure, None);
    assert!(now(&dispatcher).await.is_none());
    clock.advance(Duration::from_secs(5));
    let probe = dispatcher.next().await;
    assert!(now(&dispatcher).await.is_none());
    drop(probe);
    let mut probe = dispatcher.next().await;
    assert_eq!(probe.id, id(3), "a probe that found nothing to do leaves it to the next");
    assert!(now(&dispatcher).await.is_none());
    probe.release_permit(CallResult::Success, None);
    assert_eq!(dispatcher.next().await.id, id(4));
}

#[tokio::test]
async fn nothing_is_dispatched_in_a_pause_and_the_longest_counts() {
    let (dispatcher, clock) = dispatcher(9, 0, 9);
    let until = |seconds| clock.moment().after(Duration::from_secs(seconds));
    dispatcher.pause_until(until(6));
    dispatcher.pause_until(until(2));
    assert!(dispatcher.try_reserve(&id(1)).is_none(), "nobody goes past the queue");
    dispatcher.enqueue(&id(1), at(1));
    dispatcher.enqueue(&id(2), at(2));
    clock.advance(Duration::from_secs(5));
    assert!(now(&dispatcher).await.is_none());
    clock.advance(Duration::from_secs(1));
    assert_eq!(dispatcher.next().await.id, id(1), "without a sign from anybody");
    assert_eq!(dispatcher.next().await.id, id(2));
    assert!(dispatcher.try_reserve(&id(3)).is_some());
}

#[tokio::test]
async fn who_waits_for_a_turn_is_woken_by_whatever_makes_one_possible() {
    let (dispatcher, clock) = dispatcher(1, 0, 1);
    let queued = tokio::spawn({
        let dispatcher = Arc::clone(&dispatcher);
        async move { dispatcher.next().await.id.clone() }
    });
    tokio::task::yield_now().await;
    dispatcher.enqueue(&id(1), Ticket::new(clock.now(), 1));
    assert_eq!(queued.await.unwrap(), id(1));
}

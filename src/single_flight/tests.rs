//! Flights that are joined, refused, dropped and broken off.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::*;

/// A flight whose work ends with what the sender sends, and panics if it sends nothing.
fn start(flights: &SingleFlight<&'static str, u32>, key: &'static str) -> (Flight<u32>, oneshot::Sender<u32>) {
    let (sender, receiver) = oneshot::channel();
    let work = async { receiver.await.expect("nothing was sent") };
    let flight = flights.join_or_start(key, |_| Ok::<_, Infallible>(work)).unwrap();
    assert_eq!(flight.role, Role::Initiator);
    (flight, sender)
}

fn join(flights: &SingleFlight<&'static str, u32>, key: &'static str) -> Flight<u32> {
    let flight = flights.join_or_start(key, |_| -> Result<std::future::Ready<u32>, Infallible> {
        panic!("the flight is under way");
    });
    let flight = flight.unwrap();
    assert_eq!(flight.role, Role::Joiner);
    flight
}

#[tokio::test]
async fn joiners_share_one_result() {
    let flights = SingleFlight::default();
    let (first, end) = start(&flights, "key");
    let joiners: Vec<_> = (0..3).map(|_| join(&flights, "key")).collect();
    end.send(7).unwrap();
    assert_eq!(first.result().await, Ok(7));
    for joiner in joiners {
        assert_eq!(joiner.result().await, Ok(7));
    }
}

#[tokio::test]
async fn keys_have_flights_of_their_own() {
    let flights = SingleFlight::default();
    let (one, end_of_one) = start(&flights, "one");
    let (other, end_of_other) = start(&flights, "other");
    end_of_other.send(2).unwrap();
    assert_eq!(other.result().await, Ok(2));
    end_of_one.send(1).unwrap();
    assert_eq!(one.result().await, Ok(1));
}

#[tokio::test]
async fn a_caller_that_is_dropped_does_not_stop_the_work() {
    let flights = SingleFlight::default();
    let (first, end) = start(&flights, "key");
    let waiting = tokio::spawn(first.result());
    tokio::task::yield_now().await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let joiner = join(&flights, "key");
    end.send(7).unwrap();
    assert_eq!(joiner.result().await, Ok(7));
}

#[tokio::test]
async fn a_panic_breaks_the_flight_off_and_frees_the_key() {
    let flights = SingleFlight::default();
    let (first, end) = start(&flights, "key");
    let joiner = join(&flights, "key");
    drop(end);
    assert_eq!(first.result().await, Err(BrokenOff));
    assert_eq!(joiner.result().await, Err(BrokenOff));
    let (next, end) = start(&flights, "key");
    end.send(8).unwrap();
    assert_eq!(next.result().await, Ok(8));
}

#[tokio::test]
async fn the_next_call_after_an_end_starts_anew() {
    let flights = SingleFlight::default();
    for number in 0..3 {
        let (flight, end) = start(&flights, "key");
        end.send(number).unwrap();
        assert_eq!(flight.result().await, Ok(number));
    }
}

#[tokio::test]
async fn a_plan_may_refuse_and_knows_how_many_flights_are_under_way() {
    let flights = SingleFlight::default();
    let refuse = |under_way| Err::<std::future::Ready<u32>, usize>(under_way);
    assert_eq!(flights.join_or_start("key", refuse).unwrap_err(), 0);
    let (flight, end) = start(&flights, "key");
    assert_eq!(flights.join_or_start("other", refuse).unwrap_err(), 1, "the refused one is not under way");
    end.send(7).unwrap();
    assert_eq!(flight.result().await, Ok(7));
    assert_eq!(flights.join_or_start("other", refuse).unwrap_err(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_sees_what_the_flight_before_it_has_stored() {
    const CALLERS: usize = 200;
    let flights = Arc::new(SingleFlight::<(), usize>::default());
    let stored = Arc::new(AtomicUsize::new(0));
    let call = || {
        let (flights, stored) = (Arc::clone(&flights), Arc::clone(&stored));
        tokio::spawn(async move {
            let work = Arc::clone(&stored);
            let flight = flights.join_or_start((), |_| match stored.load(Ordering::Acquire) {
                0 => Ok(async move { work.fetch_add(1, Ordering::AcqRel) + 1 }),
                known => Err(known),
            });
            match flight {
                Ok(flight) => flight.result().await.unwrap(),
                Err(known) => known,
            }
        })
    };
    let calls: Vec<_> = (0..CALLERS).map(|_| call()).collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 1, "the work ran once");
    }
}

#[test]
fn a_runtime_that_stops_breaks_the_flight_off() {
    let flights = SingleFlight::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (flight, _end) = runtime.block_on(async { start(&flights, "key") });
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(flight.result()), Err(BrokenOff));
    let (next, end) = runtime.block_on(async { start(&flights, "key") });
    end.send(7).unwrap();
    assert_eq!(runtime.block_on(next.result()), Ok(7));
}

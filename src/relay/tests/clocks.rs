//! Wall clocks that step, stand still, or were wrong when a time was stored.

use jiff::SignedDuration;

use super::*;
use crate::clock::{Clock, PointInTime};
use crate::order::Outcome;

const HOUR: i64 = 3_600;

/// Shortly before the first retry of the usual policy, which is the end of its grace too.
const JUST_BEFORE: Duration = Duration::from_secs(28);

/// From then to the retry, and the sweep that finds it.
const REST: Duration = Duration::from_secs(8);

/// A whole retry.
const RETRY: Duration = Duration::from_secs(36);

fn not_done() -> Vec<Post> {
    vec![Post::IsBusy, Post::Creates]
}

#[tokio::test]
async fn a_retry_comes_at_its_time_whatever_the_wall_clock_does_meanwhile() {
    for script in [not_done(), vec![Post::IsLost, Post::Creates]] {
        for (step, back_after) in
            [(-HOUR, Some(1)), (HOUR, Some(1)), (-HOUR, None), (HOUR, None), (-10, None), (10, None)]
        {
            let stack = stack(&script);
            let caller = stack.submit("1");
            stack.settle().await;
            stack.clock.step(SignedDuration::from_secs(step));
            if let Some(seconds) = back_after {
                stack.pass_slowly(Duration::from_secs(seconds)).await;
                stack.clock.step(SignedDuration::from_secs(-step));
            }
            stack.pass_slowly(JUST_BEFORE).await;
            assert_eq!(stack.calls().len(), 1, "{script:?}, a step of {step} s: not before its time");
            stack.pass_slowly(REST).await;
            assert!(stack.calls().len() > 1, "{script:?}, a step of {step} s: in time");
            assert!(caller.is_finished(), "{script:?}, a step of {step} s");
        }
    }
}

#[tokio::test]
async fn a_clock_that_steps_while_an_attempt_ends_neither_delays_nor_hastens_the_retry() {
    for (script, first) in [(not_done(), 0), (not_done(), 1), (vec![Post::IsLost], 0), (vec![Post::IsLost], 1)] {
        let manual = Arc::new(ManualClock::default());
        let clock = Arc::new(UnsteadyClock::new(Arc::clone(&manual), first));
        let stack = run(Arc::default(), Arc::default(), manual, |dependencies| {
            dependencies.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        });
        stack.vms.script.lock().unwrap().extend(&script);
        let caller = stack.submit("1");
        stack.settle().await;
        clock.is_unsteady.store(false, Relaxed);
        stack.pass_slowly(JUST_BEFORE).await;
        assert_eq!(stack.calls().len(), 1, "{script:?} {first}: not before its time");
        stack.pass_slowly(REST).await;
        assert!(caller.is_finished(), "{script:?} {first}: in time");
    }
}

#[tokio::test]
async fn a_retry_that_was_stored_while_the_clock_was_wrong_comes_at_its_time() {
    for step in [-HOUR, HOUR] {
        let stack = stack(&not_done());
        stack.clock.step(SignedDuration::from_secs(step));
        let caller = stack.submit("1");
        stack.settle().await;
        stack.clock.step(SignedDuration::from_secs(-step));
        stack.pass_slowly(JUST_BEFORE).await;
        assert_eq!(stack.calls().len(), 1, "a step of {step} s: not before its time");
        stack.pass_slowly(REST).await;
        assert!(caller.is_finished(), "a step of {step} s: in time");
    }
}

#[tokio::test]
async fn after_a_restart_no_retry_rests_for_longer_than_any_delay() {
    let longest = RetryPolicy::usual().longest_wait();
    for (step, limit) in [(-HOUR, RETRY), (0, RETRY), (HOUR, longest + RETRY), (1_000 * HOUR, longest + RETRY)] {
        let stack = stack(&not_done());
        stack.clock.step(SignedDuration::from_secs(step));
        stack.submit("1");
        stack.settle().await;
        assert_eq!(stack.ledger.order().state, State::Retrying);
        stack.clock.step(SignedDuration::from_secs(-step));
        let stack = stack.restart(|_| {}).await;
        stack.pass_slowly(limit).await;
        assert_eq!(stack.ledger.order().state, State::Created, "stored while the clock was {step} s ahead");
    }
}

#[tokio::test]
async fn after_a_restart_a_clock_that_stands_still_or_is_set_back_lets_no_retry_rest() {
    for is_stopped in [true, false] {
        let stack = stack(&not_done());
        stack.submit("1");
        stack.settle().await;
        let stack = stack.restart(|_| {}).await;
        if !is_stopped {
            stack.clock.step(SignedDuration::from_secs(-HOUR));
        }
        for _ in 0..RETRY.as_secs() {
            if is_stopped {
                stack.clock.step(SignedDuration::from_secs(-1));
            }
            stack.pass(Duration::from_secs(1)).await;
        }
        assert_eq!(stack.ledger.order().state, State::Created, "stopped: {is_stopped}");
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_after_a_restart_shortens_no_grace() {
    let stack = stack(&[Post::IsLost]);
    stack.submit("1");
    stack.settle().await;
    let stack = stack.restart(|_| {}).await;
    stack.clock.step(SignedDuration::from_secs(HOUR));
    stack.pass_slowly(JUST_BEFORE).await;
    assert_eq!(stack.calls(), ["POST"], "11VMS may still be working on it");
    stack.pass_slowly(REST).await;
    assert_eq!(stack.calls(), ["POST", "GET"]);
    assert_eq!(stack.ledger.order().state, State::Created);
}

#[tokio::test]
async fn a_replay_of_an_order_in_doubt_waits_for_the_grace_whatever_the_clock_shows() {
    let stack = stack_with(&[Post::IsLost], |dependencies| dependencies.policy.retries = 0);
    assert!(matches!(stack.submit("1").await.unwrap().unwrap(), SubmitOutcome::Parked(_)));
    // Once the end of the attempt seems to be long ago, once it seems to be still to come.
    for step in [HOUR, -HOUR] {
        stack.clock.step(SignedDuration::from_secs(step));
    }
    let relay = Arc::clone(&stack.relay);
    let replayed = tokio::spawn(async move { relay.replay(OrderId::of("1"), "me", Duration::from_hours(1)).await });
    stack.pass_slowly(JUST_BEFORE).await;
    assert_eq!(stack.calls(), ["POST"]);
    stack.pass_slowly(REST).await;
    assert!(matches!(replayed.await.unwrap().unwrap(), Some(SubmitOutcome::Created(_))));
}

#[tokio::test]
async fn a_caller_is_answered_at_its_deadline_whatever_the_wall_clock_does() {
    for step in [-HOUR, HOUR] {
        let stack = stack(&[Post::Hangs]);
        let relay = Arc::clone(&stack.relay);
        let candidate = candidate("1");
        let caller = tokio::spawn(async move { relay.submit(candidate, Duration::from_secs(10)).await });
        stack.settle().await;
        stack.clock.step(SignedDuration::from_secs(step));
        stack.pass(Duration::from_secs(9)).await;
        assert!(!caller.is_finished(), "a step of {step} s");
        stack.pass(Duration::from_secs(1)).await;
        assert!(matches!(caller.await.unwrap().unwrap(), SubmitOutcome::Open(_)), "a step of {step} s");
    }
}

#[tokio::test]
async fn the_breaker_opens_for_its_pause_whatever_the_wall_clock_does() {
    for step in [-HOUR, HOUR] {
        let stack = stack(&[Post::IsBusy, Post::IsBusy, Post::IsBusy]);
        for number in ["1", "2", "3", "4"] {
            stack.submit(number);
            stack.settle().await;
        }
        assert_eq!(stack.calls().len(), 3, "the breaker is open");
        stack.clock.step(SignedDuration::from_secs(step));
        stack.pass(Duration::from_secs(4)).await;
        assert_eq!(stack.calls().len(), 3, "a step of {step} s");
        stack.pass(Duration::from_secs(1)).await;
        assert_eq!(stack.calls().len(), 4, "a step of {step} s");
    }
}

#[tokio::test]
async fn an_attempt_takes_as_long_as_it_takes() {
    let stack = stack_with(&[Post::Hangs], |dependencies| dependencies.attempt_limit = Duration::from_secs(9));
    stack.submit("1");
    stack.settle().await;
    stack.clock.step(SignedDuration::from_secs(-HOUR));
    stack.pass(Duration::from_secs(9)).await;
    let attempt = stack.ledger.order().attempts[0].clone();
    assert_eq!((attempt.outcome, attempt.duration_ms), (Some(Outcome::Unknown), Some(9_000)));
}

#[tokio::test]
async fn after_a_sleep_of_the_host_nothing_is_sent_under_a_lease_that_may_have_ended() {
    for (is_shared, calls) in [(true, vec![]), (false, vec!["POST"])] {
        let stack = stack(&[]);
        stack.ledger.is_shared.store(is_shared, Relaxed);
        stack.ledger.fail_next(&[Failure::None, Failure::HostSleeps]);
        let caller = stack.submit_and_wait("1").await;
        stack.settle().await;
        assert_eq!(stack.calls(), calls, "shared: {is_shared}: the begin is stored once more");
        stack.pass_slowly(Duration::from_secs(2)).await;
        assert_eq!((stack.calls(), caller.is_finished()), (vec!["POST"], true), "shared: {is_shared}");
    }
}

#[tokio::test]
async fn after_a_sleep_of_the_host_during_a_look_up_nothing_is_sent_by_the_same_attempt() {
    for (is_shared, at_once) in [(true, vec!["POST", "GET"]), (false, vec!["POST", "GET", "POST"])] {
        let stack = stack(&[Post::Hangs]);
        stack.ledger.is_shared.store(is_shared, Relaxed);
        stack.vms.sleeps.store(1, Relaxed);
        let caller = stack.submit("1");
        stack.settle().await;
        stack.pass_slowly(Duration::from_mins(10) + RETRY).await;
        assert_eq!(stack.calls(), at_once, "shared: {is_shared}");
        stack.pass_slowly(Duration::from_mins(2)).await;
        assert!(caller.is_finished(), "shared: {is_shared}");
        assert_eq!(stack.calls().iter().filter(|call| **call == "POST").count(), 2, "shared: {is_shared}");
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_lease_younger() {
    let clock = ManualClock::default();
    let begun = PointInTime::now(&clock);
    clock.step(SignedDuration::from_secs(-HOUR));
    clock.advance(Duration::from_secs(6));
    assert_eq!(begun.longest_elapsed(&clock), Duration::from_secs(6));
}

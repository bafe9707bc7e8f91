//! The answer to "can the ledger be written?": asked once for all who want to know at the same time, however they go away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::LedgerError;
use crate::single_flight::SingleFlight;

/// Time that a caller waits: a kubelet waits for two seconds. What was asked goes on, and answers later callers.
const TIMEOUT: Duration = Duration::from_millis(1_800);

/// What was asked.
pub type Answer = Result<(), LedgerError>;

/// The answer, while it is sought and for as long as it is valid, a bad one too.
#[derive(Debug)]
pub struct SharedAnswer {
    flights: SingleFlight<(), Answer>,
    last: Arc<Mutex<Option<(Instant, Answer)>>>,
    valid: Duration,
}

impl SharedAnswer {
    /// Nothing is known yet.
    pub fn new(valid: Duration) -> Self {
        Self { flights: SingleFlight::default(), last: Arc::default(), valid }
    }

    /// The answer. `ask` seeks it, in a task of its own, if there is none that is valid, and `is_superseded` does not say of
    /// it that something else is known by now.
    ///
    /// # Errors
    /// The answer, or that it comes too late for this caller.
    pub async fn get<A>(&self, is_superseded: impl Fn(&Answer) -> bool, ask: impl FnOnce() -> A) -> Answer
    where
        A: Future<Output = Answer> + Send + 'static,
    {
        let flight = self.flights.join_or_start((), |_| match self.known().filter(|known| !is_superseded(known)) {
            Some(known) => Err(known),
            None => Ok(remembered(Arc::clone(&self.last), ask())),
        });
        match flight {
            Err(known) => known,
            Ok(flight) => match timeout(TIMEOUT, flight.result()).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(broken_off)) => Err(LedgerError::unavailable(broken_off)),
                Err(_) => Err(LedgerError::unavailable("it does not answer")),
            },
        }
    }

    fn known(&self) -> Option<Answer> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < self.valid).map(|(_, answer)| answer.clone())
    }
}

async fn remembered(last: Arc<Mutex<Option<(Instant, Answer)>>>, asked: impl Future<Output = Answer>) -> Answer {
    let answer = asked.await;
    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answer.clone()));
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_question_that_hangs_is_asked_once_and_nobody_waits_for_ever() {
        let (shared, asked) = (SharedAnswer::new(LONG), Arc::new(AtomicUsize::new(0)));
        let end = Arc::new(Notify::new());
        let ask = || {
            let (asked, end) = (Arc::clone(&asked), Arc::clone(&end));
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                end.notified().await;
                Ok(())
            }
        };
        let never = |_: &Answer| false;
        let (one, two, three) = tokio::join!(shared.get(never, ask), shared.get(never, ask), shared.get(never, ask));
        assert!(one.is_err() && two.is_err() && three.is_err());
        end.notify_one();
        assert!(shared.get(never, ask).await.is_ok(), "what was asked goes on");
        assert!(shared.get(never, ask).await.is_ok());
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn an_answer_is_valid_for_a_time_a_bad_one_too_unless_more_is_known() {
        for (valid, superseded, times) in [(LONG, false, 1), (LONG, true, 3), (Duration::ZERO, false, 3)] {
            let (shared, asked) = (SharedAnswer::new(valid), Arc::new(AtomicUsize::new(0)));
            for _ in 0..3 {
                let asked = Arc::clone(&asked);
                let ask = || async move {
                    asked.fetch_add(1, Ordering::Relaxed);
                    Err(LedgerError::unavailable("disk full"))
                };
                assert!(shared.get(|_| superseded, ask).await.is_err());
            }
            assert_eq!(asked.load(Ordering::Relaxed), times, "{valid:?} {superseded}");
        }
    }
}

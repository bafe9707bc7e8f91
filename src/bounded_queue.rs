//! A queue with room for so many entries: a new one that finds no room takes the place of the oldest, which is counted as lost.
//!
//! Whoever adds never waits. Whoever takes is woken once for the entry, or the number of them, that it waits for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A queue with room for `capacity` entries.
pub fn bounded_queue<T>(capacity: usize) -> (QueueSender<T>, QueueReceiver<T>) {
    let shared = Arc::new(Shared { capacity, state: Mutex::new(State::default()), is_reached: Notify::new() });
    (QueueSender(Arc::clone(&shared)), QueueReceiver(shared))
}

/// The end that adds.
#[derive(Debug)]
pub struct QueueSender<T>(Arc<Shared<T>>);

/// The end that takes.
#[derive(Debug)]
pub struct QueueReceiver<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    is_reached: Notify,
}

#[derive(Debug)]
struct State<T> {
    entries: VecDeque<T>,
    lost: u64,
    /// The number of entries at which the receiver wants to be woken.
    wanted: Option<usize>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), lost: 0, wanted: None }
    }
}

impl<T> QueueSender<T> {
    /// Adds an entry.
    pub fn add(&self, entry: T) {
        let mut state = self.0.lock();
        let oldest = if state.entries.len() >= self.0.capacity { state.entries.pop_front() } else { None };
        state.lost += u64::from(oldest.is_some());
        state.entries.push_back(entry);
        let count = state.entries.len();
        let is_reached = state.wanted.take_if(|wanted| count >= *wanted).is_some();
        drop(state);
        if is_reached {
            self.0.is_reached.notify_one();
        }
    }
}

impl<T> QueueReceiver<T> {
    /// Returns when the queue has so many entries, or is full.
    pub async fn wait_for(&self, count: usize) {
        let count = count.min(self.0.capacity);
        loop {
            {
                let mut state = self.0.lock();
                if state.entries.len() >= count {
                    return;
                }
                state.wanted = Some(count);
            }
            self.0.is_reached.notified().await;
        }
    }

    /// Takes what is there, the oldest first, at most `limit`.
    pub fn take_ready(&self, limit: usize) -> Vec<T> {
        let mut state = self.0.lock();
        let count = state.entries.len().min(limit);
        state.entries.drain(..count).collect()
    }

    /// The number of entries that were lost since this was asked last.
    pub fn take_lost(&self) -> u64 {
        std::mem::take(&mut self.0.lock().lost)
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_oldest_makes_room_and_is_counted() {
        let (sender, receiver) = bounded_queue(3);
        for number in 1..=5 {
            sender.add(number);
        }
        assert_eq!((receiver.take_lost(), receiver.take_lost()), (2, 0));
        assert_eq!((receiver.take_ready(2), receiver.take_ready(9)), (vec![3, 4], vec![5]));
    }

    #[tokio::test]
    async fn the_receiver_is_woken_by_the_number_that_it_waits_for_and_at_the_latest_by_a_full_queue() {
        for (wanted, needed) in [(1, 1), (3, 3), (9, 4)] {
            let (sender, receiver) = bounded_queue(4);
            let waiting = tokio::spawn(async move { receiver.wait_for(wanted).await });
            for _ in 1..needed {
                sender.add(());
                assert!(!is_over(&waiting).await, "{wanted}");
            }
            sender.add(());
            assert!(is_over(&waiting).await, "{wanted}");
        }
    }

    #[tokio::test]
    async fn a_wait_that_was_given_up_leaves_nothing_behind() {
        let (sender, receiver) = bounded_queue(4);
        let given_up = tokio::time::timeout(Duration::from_millis(1), receiver.wait_for(2)).await;
        assert!(given_up.is_err());
        sender.add(1);
        sender.add(2);
        assert_eq!(receiver.take_ready(9), [1, 2]);
        let empty = tokio::time::timeout(Duration::from_millis(1), receiver.wait_for(1)).await;
        assert!(empty.is_err(), "an old wake-up is no entry");
    }

    async fn is_over(task: &tokio::task::JoinHandle<()>) -> bool {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        task.is_finished()
    }
}

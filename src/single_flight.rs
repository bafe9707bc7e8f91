//! Single flight: one piece of work under way serves every caller that needs its result.
//!
//! Owns how a flight is joined, started and ended; knows neither the work nor what its result means.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tokio::sync::watch;

/// The work ended without a result: it panicked, or the runtime stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the work broke off")]
pub struct BrokenOff;

/// Whether a caller's flight is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The caller started the flight.
    Initiator,
    /// The flight was under way: it may have begun before the reason for the caller's wish.
    Joiner,
}

/// A flight that a caller waits for. Dropping it cancels the waiting, never the work.
#[derive(Debug)]
pub struct Flight<T> {
    /// How the caller came to it.
    pub role: Role,
    result: watch::Receiver<Option<T>>,
}

impl<T: Clone> Flight<T> {
    /// The result that all callers of the flight share.
    ///
    /// # Errors
    /// [`BrokenOff`] if there is none.
    pub async fn result(mut self) -> Result<T, BrokenOff> {
        let result = self.result.wait_for(Option::is_some).await.map_err(|_| BrokenOff)?.clone();
        result.ok_or(BrokenOff)
    }
}

type UnderWay<K, T> = HashMap<K, watch::Receiver<Option<T>>>;

/// The flights under way, at most one for each key.
#[derive(Debug)]
pub struct SingleFlight<K, T> {
    under_way: Arc<Mutex<UnderWay<K, T>>>,
}

impl<K, T> Default for SingleFlight<K, T> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<K, T> SingleFlight<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Send + Sync + 'static,
{
    /// Joins the key's flight, or starts one. The work runs in a task of its own.
    ///
    /// `plan` is asked only if the key has no flight. It gets the number of flights under way, and returns the work, or
    /// its reason to start none. No flight starts or ends while it runs: what earlier work has stored is visible to it.
    /// It must not use this `SingleFlight` itself.
    ///
    /// # Errors
    /// The reason of `plan`.
    pub fn join_or_start<W, R>(&self, key: K, plan: impl FnOnce(usize) -> Result<W, R>) -> Result<Flight<T>, R>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way);
        if let Some(result) = under_way.get(&key) {
            return Ok(Flight { role: Role::Joiner, result: result.clone() });
        }
        let work = plan(under_way.len())?;
        let (sender, result) = watch::channel(None);
        under_way.insert(key.clone(), result.clone());
        // A runtime that stops drops the task at once, and its guard takes the lock.
        drop(under_way);
        let guard = FlightGuard { under_way: Arc::clone(&self.under_way), key, result: None, sender };
        tokio::spawn(async move { guard.end(work.await) });
        Ok(Flight { role: Role::Initiator, result })
    }
}

/// The end of a flight, with a result or without: frees the key, then wakes the callers, so that none of them joins a
/// flight that has ended.
struct FlightGuard<K: Eq + Hash, T> {
    under_way: Arc<Mutex<UnderWay<K, T>>>,
    key: K,
    result: Option<T>,
    sender: watch::Sender<Option<T>>,
}

impl<K: Eq + Hash, T> FlightGuard<K, T> {
    fn end(mut self, result: T) {
        self.result = Some(result);
    }
}

impl<K: Eq + Hash, T> Drop for FlightGuard<K, T> {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.key);
        // Without a result, the sender's own drop wakes the callers.
        if let Some(result) = self.result.take() {
            self.sender.send_replace(Some(result));
        }
    }
}

fn lock<K, T>(under_way: &Mutex<UnderWay<K, T>>) -> MutexGuard<'_, UnderWay<K, T>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

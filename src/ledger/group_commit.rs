//! Group commit: all writes that wait share one transaction and one fsync. A write that can't be stored fails alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::outbox::{OutboxWrite, OutboxWritten};
use super::purge::{Purge, Purged};
use super::statistics::LedgerStatistics;
use super::{LedgerError, Stored};
use crate::order::{Admission, Candidate, Order, Terms};

/// Largest number of writes in one transaction: beyond it the fsync is shared enough, and a longer transaction only makes
/// all of them wait.
pub const MAX_GROUP: usize = 256;

/// Changes of orders that go into a group at once before the carts that wait: the other half is theirs, however many changes come.
const MAX_CHANGES_FIRST: usize = MAX_GROUP / 2;

/// Writes that may wait in a queue; further callers wait for room in it.
const MAX_WAITING: usize = 4096;

/// A write.
#[derive(Debug)]
pub enum Write {
    /// Admits a candidate.
    Admit(Box<Candidate>, Terms),
    /// Stores a changed order.
    Store(Box<Order>),
    /// Removes a portion of what is old.
    Purge(Purge),
    /// Changes the outbox alone.
    Outbox(OutboxWrite),
}

impl Write {
    /// Whether it stores messages in the outbox that no change of an order has caused.
    pub const fn has_messages(&self) -> bool {
        matches!(self, Self::Outbox(write) if write.has_messages())
    }
}

/// The result of a write.
#[derive(Debug)]
pub enum Written {
    /// The admission.
    Admitted(Box<Admission>),
    /// The order was stored, or is superseded.
    Stored(Stored),
    /// What a portion of a removal has done.
    Purged(Purged),
    /// The result for the outbox.
    Outbox(OutboxWritten),
}

/// A storage that commits a group of writes in one durable transaction.
pub trait Backend: Send + 'static {
    /// Commits the writes in one transaction; returns one result each, in order. A record that can't be read fails its
    /// own write alone; on an error, nothing of the group is committed.
    ///
    /// # Errors
    /// If the storage fails; [`LedgerError::Unwritable`] if it can't hold one of the writes, [`LedgerError::Locked`] if
    /// somebody else has locked an order that one of them is about.
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError>;
}

/// A backend whose commits are counted.
struct Counted<B> {
    backend: B,
    statistics: Arc<LedgerStatistics>,
}

impl<B: Backend> Backend for Counted<B> {
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, LedgerError> {
        let start = Instant::now();
        let committed = self.backend.commit(group);
        match &committed {
            Ok(_) => self.statistics.committed(group.len(), start.elapsed()),
            Err(LedgerError::Unavailable(_) | LedgerError::TimedOut) => self.statistics.failed_commits.increment(),
            // The fault of one of its writes.
            Err(LedgerError::Locked(_) | LedgerError::Unwritable(_) | LedgerError::Unreadable { .. }) => {}
        }
        committed
    }
}

type Waiting = (Write, oneshot::Sender<Result<Written, LedgerError>>);

/// The two queues in front of a backend's one writer thread. Changes of orders go first: in a burst hundreds of carts wait, and a
/// permit for 11VMS would wait with each begin of an attempt behind them.
#[derive(Debug, Clone)]
pub struct GroupCommit {
    /// Changes of orders that the ledger has.
    changes: mpsc::Sender<Waiting>,
    /// Carts that arrive, and whatever else is written.
    arrivals: mpsc::Sender<Waiting>,
}

impl GroupCommit {
    /// Starts the writer thread; it ends when the last handle is dropped and the queues are empty.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(backend: impl Backend, statistics: Arc<LedgerStatistics>) -> Result<Self, LedgerError> {
        let mut backend = Counted { backend, statistics };
        let (changes, waiting_changes) = mpsc::channel(MAX_WAITING);
        let (arrivals, waiting_arrivals) = mpsc::channel(MAX_WAITING);
        let mut queues = Queues { changes: waiting_changes, arrivals: waiting_arrivals };
        let write = move || {
            // It only waits for the two queues. Without it the thread ends, which every check shows.
            let Ok(waiting) = Builder::new_current_thread().build() else { return };
            while let Some(first) = waiting.block_on(queues.next()) {
                let (writes, callers): (Vec<Write>, Vec<_>) = queues.gather(first).into_iter().unzip();
                answer(callers, commit(&mut backend, &writes));
            }
        };
        thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(write)
            .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        Ok(Self { changes, arrivals })
    }

    /// Checks that the writer runs.
    ///
    /// # Errors
    /// If its thread has ended.
    pub fn check(&self) -> Result<(), LedgerError> {
        if self.arrivals.is_closed() { Err(stopped()) } else { Ok(()) }
    }

    async fn write(&self, write: Write) -> Result<Written, LedgerError> {
        let (caller, answer) = oneshot::channel();
        let queue = if matches!(write, Write::Store(_)) { &self.changes } else { &self.arrivals };
        queue.send((write, caller)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Admits a candidate.
    ///
    /// # Errors
    /// If the backend could not commit.
    pub async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
        match self.write(Write::Admit(Box::new(candidate), terms)).await? {
            Written::Admitted(admission) => Ok(*admission),
            other => Err(mismatch(&other)),
        }
    }

    /// Stores a changed order.
    ///
    /// # Errors
    /// If the backend could not commit.
    pub async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        match self.write(Write::Store(Box::new(order))).await? {
            Written::Stored(stored) => Ok(stored),
            other => Err(mismatch(&other)),
        }
    }

    /// Changes the outbox.
    ///
    /// # Errors
    /// If the backend could not commit.
    pub async fn outbox(&self, write: OutboxWrite) -> Result<OutboxWritten, LedgerError> {
        match self.write(Write::Outbox(write)).await? {
            Written::Outbox(written) => Ok(written),
            other => Err(mismatch(&other)),
        }
    }

    /// Removes what was settled longer ago than `retention`; returns the number of orders. A portion is one write among others, and a
    /// pause as long as it took follows: carts that come meanwhile have half of the writer's time at least, however much is removed.
    ///
    /// # Errors
    /// If the backend could not commit.
    pub async fn purge(&self, now: Timestamp, retention: Duration) -> Result<usize, LedgerError> {
        let before = now.checked_sub(retention).unwrap_or(Timestamp::MIN);
        let (mut portion, mut removed) = (Purge::Orders(before), 0);
        loop {
            let start = Instant::now();
            let purged = match self.write(Write::Purge(portion)).await? {
                Written::Purged(purged) => purged,
                other => return Err(mismatch(&other)),
            };
            portion = match purged {
                Purged::Orders(count) => {
                    removed += count;
                    if purged.is_full() { portion } else { Purge::Audit { before, after: None } }
                }
                Purged::Audit(None) => return Ok(removed),
                Purged::Audit(after) => Purge::Audit { before, after },
            };
            if purged.is_full() {
                sleep(start.elapsed()).await;
            }
        }
    }
}

/// The writer's ends of the queues.
struct Queues {
    changes: mpsc::Receiver<Waiting>,
    arrivals: mpsc::Receiver<Waiting>,
}

impl Queues {
    /// Waits for a write; `None` when there will be no more.
    async fn next(&mut self) -> Option<Waiting> {
        tokio::select! {
            biased;
            Some(change) = self.changes.recv() => Some(change),
            Some(arrival) = self.arrivals.recv() => Some(arrival),
            else => None,
        }
    }

    /// Gathers a group around its first write. Those who are about to write may do so before it is closed: whoever else wants the
    /// processor has it first, for a slice of the scheduler's at most. A lone caller waits for nobody whose processor is its own.
    fn gather(&mut self, first: Waiting) -> Vec<Waiting> {
        let mut group = vec![first];
        self.fill(&mut group);
        if group.len() < MAX_GROUP {
            thread::yield_now();
            self.fill(&mut group);
        }
        group
    }

    fn fill(&mut self, group: &mut Vec<Waiting>) {
        let first = group.len().saturating_add(MAX_CHANGES_FIRST).min(MAX_GROUP);
        take(&mut self.changes, group, first);
        take(&mut self.arrivals, group, MAX_GROUP);
        take(&mut self.changes, group, MAX_GROUP);
    }
}

/// Takes what waits until the group has so many writes.
fn take(queue: &mut mpsc::Receiver<Waiting>, group: &mut Vec<Waiting>, limit: usize) {
    while group.len() < limit
        && let Ok(write) = queue.try_recv()
    {
        group.push(write);
    }
}

/// Why nothing of a group was committed.
struct Failed {
    error: LedgerError,
    cause: Cause,
}

/// What a group failed at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// One of its writes: the others can be written without it.
    Member,
    /// The storage.
    Storage,
}

/// Commits a group. If it fails at one of its writes, each half is committed by itself, in the same order, and so on down to
/// that write, so that the others are not lost with it. A write that can't be stored is never replaced here: what callers are
/// told has to be what is stored, and only the relay tells them.
fn commit(backend: &mut impl Backend, group: &[Write]) -> Vec<Result<Written, LedgerError>> {
    let mut results = Vec::with_capacity(group.len());
    if let Err(outage) = commit_portion(backend, group, &mut results) {
        results.resize_with(group.len(), || Err(outage.clone()));
    }
    results
}

/// Commits a portion of a group, and adds a result for each of its writes. An outage ends it: the rest has no results.
fn commit_portion(
    backend: &mut impl Backend,
    portion: &[Write],
    results: &mut Vec<Result<Written, LedgerError>>,
) -> Result<(), LedgerError> {
    match try_commit(backend, portion) {
        Ok(written) => results.extend(written),
        Err(Failed { error, cause: Cause::Storage }) => return Err(error),
        Err(Failed { error, cause: Cause::Member }) if portion.len() <= 1 => results.push(Err(error)),
        Err(Failed { cause: Cause::Member, .. }) => {
            let (first, second) = portion.split_at(portion.len() / 2);
            commit_portion(backend, first, results)?;
            commit_portion(backend, second, results)?;
        }
    }
    Ok(())
}

/// A panic is a defect of the backend at one of the writes; it must not end the only writer.
fn try_commit(backend: &mut impl Backend, writes: &[Write]) -> Result<Vec<Result<Written, LedgerError>>, Failed> {
    match catch_unwind(AssertUnwindSafe(|| backend.commit(writes))) {
        Ok(Ok(results)) if results.len() == writes.len() => Ok(results),
        Ok(Ok(_)) => {
            let error = LedgerError::unavailable("its writer gave no answer");
            Err(Failed { error, cause: Cause::Storage })
        }
        Ok(Err(error)) => {
            let is_members = matches!(error, LedgerError::Unwritable(_) | LedgerError::Locked(_));
            let cause = if is_members { Cause::Member } else { Cause::Storage };
            Err(Failed { error, cause })
        }
        Err(_) => Err(Failed { error: LedgerError::unavailable("its writer failed"), cause: Cause::Member }),
    }
}

/// Gives every caller its result. A caller that hung up loses only the answer.
fn answer(callers: Vec<oneshot::Sender<Result<Written, LedgerError>>>, results: Vec<Result<Written, LedgerError>>) {
    for (caller, written) in callers.into_iter().zip(results) {
        let _ = caller.send(written);
    }
}

fn stopped() -> LedgerError {
    LedgerError::Unavailable("its writer has stopped".to_owned())
}

/// A defect of the backend. The result may hold a whole order, so it is not logged.
fn mismatch(_: &Written) -> LedgerError {
    LedgerError::Unavailable("the backend gave another write's answer".to_owned())
}

#[cfg(test)]
mod tests;

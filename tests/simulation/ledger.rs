//! The ledger of the simulated world. A commit lasts, but an operation may fail, be slow, or lose its answer; the ledger may
//! be read-only for a while, its reads may lag behind, and it may be unable to hold a record.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use purchase_order_webhook::ledger::group_commit::{Write, Written};
use purchase_order_webhook::ledger::working_set::{Applied, Change, Known, WorkingSet};
use purchase_order_webhook::ledger::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored};
use purchase_order_webhook::order::{Admission, Candidate, Order, OrderId, State, Terms};
use purchase_order_webhook::relay::lease_length;
use rand::Rng as _;
use tokio::sync::oneshot;

use crate::broken::Defect;
use crate::run::ATTEMPT_LIMIT;
use crate::world::{ProcessRunId, Row, SharedWorld, World};

/// As in production.
pub const LEASE: Duration = lease_length(ATTEMPT_LIMIT);

#[derive(Debug)]
pub struct SimulatedLedger {
    pub world: SharedWorld,
    pub process: ProcessRunId,
    pub sharing: Sharing,
    pub defect: Option<Defect>,
}

/// What an operation does to the storage: a crash may stop a write on its way.
#[derive(Clone, Copy)]
pub enum Access {
    Read,
    Write,
}

/// How an operation fails.
#[derive(Clone, Copy, PartialEq)]
enum Failure {
    None,
    /// Nothing was done.
    Refused,
    /// It was done, and the answer is lost.
    Lost,
}

impl SimulatedLedger {
    /// Works on the storage, later, unless the process has ended by then or the operation fails.
    pub async fn run<T: Send + 'static>(
        &self,
        access: Access,
        work: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.try_run(access, |world| Ok(work(world))).await
    }

    /// The same, for work that the ledger may refuse.
    async fn try_run<T: Send + 'static>(
        &self,
        access: Access,
        work: impl FnOnce(&mut World) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        {
            let mut world = self.world.lock();
            let failure = if !world.fault_occurs(3) {
                Failure::None
            } else if world.random.random_bool(0.5) {
                Failure::Refused
            } else {
                Failure::Lost
            };
            let process = self.process;
            let time = if world.fault_occurs(2) { world.time_within(1_000, 8_000) } else { world.time_within(0, 5) };
            let event = move |world: &mut World| {
                let is_read_only = matches!(access, Access::Write) && world.now < world.read_only_until;
                let refused = failure == Failure::Refused || world.now < world.ledger_down_until || is_read_only;
                let done = (!refused).then(|| work(world));
                let result = done.filter(|_| failure == Failure::None);
                let answered_at = world.time_within(0, 2);
                world.schedule(answered_at, process, move |_| drop(answer.send(result)));
            };
            match access {
                Access::Read => world.schedule(time, process, event),
                Access::Write => world.schedule_write(time, process, event),
            }
        }
        let unavailable = || LedgerError::Unavailable("simulated".to_owned());
        answered.await.map_err(|_| unavailable())?.unwrap_or_else(|| Err(unavailable()))
    }
}

impl World {
    /// Commits a record.
    fn commit(&mut self, order: &Order, process: ProcessRunId) {
        self.record(&format!("ledger: {} r{} {} (process {process})", order.id, order.revision, order.state.name()));
        let leased = matches!(order.state, State::Accepted | State::Forwarding);
        let lease_until = leased.then(|| after(self.now, LEASE));
        let cart = self.rows.get(&order.id).and_then(|row| row.cart.clone());
        let row = Row { order: order.clone(), writer: process, lease_until, cart };
        let before = self.rows.insert(order.id.clone(), row);
        self.history.entry(order.id.clone()).or_default().push((self.now, order.clone()));
        self.check_change(before.map(|row| row.order), order, process);
    }

    /// One write, decided as the real ledgers decide it.
    fn write(&mut self, write: &Write, process: ProcessRunId) -> Result<Written, LedgerError> {
        let known = WorkingSet::ids(std::slice::from_ref(write)).into_iter().filter_map(|id| {
            let row = self.rows.get(&id)?;
            Some((id, Known { order: Ok(row.order.clone()), written_by_us: row.writer == process }))
        });
        let mut orders = WorkingSet::new(known.collect());
        let Applied::ToAnOrder(Ok(written)) = orders.apply(write) else { panic!("no such write: {write:?}") };
        for change in orders.changes() {
            let (Change::New(order) | Change::Newer(order)) = change;
            let stored = serde_json::to_string(order).unwrap() + &order.body;
            if self.storage_is_narrow && stored.contains('Ł') {
                self.record(&format!("ledger: {} r{} can't be held", order.id, order.revision));
                return Err(LedgerError::Unwritable("Ł".to_owned()));
            }
        }
        for change in orders.changes() {
            let (Change::New(order) | Change::Newer(order)) = change;
            self.commit(order, process);
        }
        self.store_events(orders.events(), process);
        for (id, cart) in orders.carts() {
            self.rows.get_mut(id).unwrap().cart = cart.map(str::to_owned);
        }
        for id in WorkingSet::ids(std::slice::from_ref(write)) {
            self.check_cart(&id);
        }
        Ok(written)
    }

    fn store(&mut self, order: &Order, process: ProcessRunId) -> Result<Stored, LedgerError> {
        match self.write(&Write::Store(Box::new(order.clone())), process)? {
            Written::Stored(stored) => Ok(stored),
            other => panic!("{other:?}"),
        }
    }

    /// An order as a read shows it, which may lag behind.
    fn read(&self, id: &OrderId) -> Option<&Order> {
        let until = self.now.saturating_sub(self.read_lag).unwrap();
        let known = self.rows.get(id).map(|row| &row.order);
        if self.read_lag.is_zero() {
            return known;
        }
        // An order that was forgotten is in no history.
        known?;
        self.history.get(id)?.iter().rev().find(|(time, _)| *time <= until).map(|(_, order)| order)
    }

    /// The retrying orders, as a read shows them.
    fn read_retrying(&self) -> impl Iterator<Item = &Order> {
        self.rows.keys().filter_map(|id| self.read(id)).filter(|order| order.state == State::Retrying)
    }

    fn claim(&mut self, now: Timestamp, limit: usize, ledger: &Claimer) -> Vec<Claimed> {
        let world_now = self.now;
        let free = |row: &Row| {
            ledger.sharing == Sharing::Exclusive
                || ledger.defect == Some(Defect::LeasesIgnored)
                || row.lease_until.is_none_or(|until| until < world_now)
        };
        let due = |order: &Order| order.state.is_open() && order.next_attempt_at.is_none_or(|at| at <= now);
        let found = self.rows.values().filter(|row| due(&row.order) && free(row));
        let mut orders: Vec<Claimed> = found.map(|row| claimed(&row.order)).collect();
        orders.sort_by(|one, other| (one.received_at, &one.id).cmp(&(other.received_at, &other.id)));
        let mut capacity = limit;
        orders.retain(|order| {
            let taken = order.state == State::Forwarding || capacity > 0;
            capacity -= usize::from(taken && order.state != State::Forwarding);
            taken
        });
        if ledger.sharing == Sharing::Shared {
            for order in &orders {
                let row = self.rows.get_mut(&order.id).unwrap();
                (row.writer, row.lease_until) = (ledger.process, Some(after(world_now, LEASE)));
            }
        }
        orders
    }
}

fn claimed(order: &Order) -> Claimed {
    Claimed { id: order.id.clone(), received_at: order.received_at, state: order.state, revision: order.revision }
}

/// The process that claims.
#[derive(Clone, Copy)]
struct Claimer {
    process: ProcessRunId,
    sharing: Sharing,
    defect: Option<Defect>,
}

#[async_trait]
impl Ledger for SimulatedLedger {
    fn sharing(&self) -> Sharing {
        self.sharing
    }

    async fn admit(&self, candidate: Candidate, terms: Terms) -> Result<Admission, LedgerError> {
        let (process, forgets_begin) = (self.process, self.defect == Some(Defect::BeginNotRecorded));
        self.try_run(Access::Write, move |world| {
            let recorded = if forgets_begin { Terms { first_attempt: None, ..terms } } else { terms };
            let write = Write::Admit(Box::new(candidate), recorded);
            let Written::Admitted(mut admission) = world.write(&write, process)? else { panic!("another write") };
            if let Admission::Started(order) | Admission::Restarted(order) = &*admission {
                world.invariants.admitted.insert(order.id.clone());
            }
            if let (true, Admission::Started(order)) = (recorded != terms, &mut *admission) {
                order.begin(terms.now).unwrap();
            }
            Ok(*admission)
        })
        .await
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        let process = self.process;
        if let Some(defect) = self.defect {
            return self.store_broken(defect, order).await;
        }
        self.try_run(Access::Write, move |world| world.store(&order, process)).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        let (id, is_broken) = (id.clone(), self.defect == Some(Defect::LaggingReadsBelieved));
        self.try_run(Access::Read, move |world| {
            let read = world.read(&id).cloned();
            let latest = world.rows.get(&id).map(|row| row.order.revision);
            if is_broken && latest != read.as_ref().map(|order| order.revision) {
                // Nothing more is done with the order, as if there were none.
                return Err(LedgerError::Unreadable { id: id.to_string(), detail: "simulated".to_owned() });
            }
            Ok(read)
        })
        .await
    }

    async fn settled_since(&self, orders: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        self.run(Access::Read, move |world| {
            let settled = |(id, since): &(OrderId, u64)| {
                let order = world.read(id)?;
                (!order.state.is_open() && order.revision > *since).then(|| order.clone())
            };
            orders.iter().filter_map(settled).collect()
        })
        .await
    }

    async fn list(&self, filter: Filter) -> Result<Vec<Order>, LedgerError> {
        self.run(Access::Read, move |world| {
            let mut orders: Vec<Order> = world.rows.keys().filter_map(|id| world.read(id)).cloned().collect();
            orders.sort_by_key(|order| std::cmp::Reverse(order.received_at));
            orders.truncate(filter.limit);
            orders
        })
        .await
    }

    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        let claimer = Claimer { process: self.process, sharing: self.sharing, defect: self.defect };
        self.run(Access::Read, move |world| world.claim(now, limit, &claimer)).await
    }

    async fn release(&self) -> Result<(), LedgerError> {
        let process = self.process;
        self.run(Access::Write, move |world| {
            for row in world.rows.values_mut().filter(|row| row.writer == process) {
                if matches!(row.order.state, State::Accepted | State::Retrying) {
                    row.lease_until = None;
                }
            }
        })
        .await
    }

    async fn check(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, LedgerError> {
        self.run(Access::Read, move |world| {
            let times = world.read_retrying().filter_map(|order| order.next_attempt_at);
            times.filter(|at| *at > now).min()
        })
        .await
    }

    async fn due_after(&self, time: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        if self.defect == Some(Defect::FarTimesKept) {
            return Ok(Vec::new());
        }
        self.run(Access::Read, move |world| {
            let late = world.read_retrying().filter(|order| order.next_attempt_at.is_some_and(|at| at > time));
            late.take(limit).map(claimed).collect()
        })
        .await
    }

    async fn purge(&self, _: Timestamp, _: Duration) -> Result<usize, LedgerError> {
        Ok(0)
    }
}

impl SimulatedLedger {
    /// Stores an order as a relay with a defect would.
    async fn store_broken(&self, defect: Defect, order: Order) -> Result<Stored, LedgerError> {
        let process = self.process;
        match defect {
            Defect::SettledBeforeSent if order.state == State::Forwarding => {
                let settled = Order { state: State::Created, purchase_order_number: Some("?".into()), ..order };
                self.try_run(Access::Write, move |world| world.store(&settled, process)).await
            }
            Defect::BeginNotRecorded if order.state == State::Forwarding => Ok(Stored::Committed),
            // Its begin is not there, so its end is the change to the revision before.
            Defect::BeginNotRecorded if !order.attempts.is_empty() && order.state != State::Accepted => {
                self.run(Access::Write, move |world| {
                    world.commit(&order, process);
                    Stored::Committed
                })
                .await
            }
            Defect::RepeatTakesPlace if order.state == State::Forwarding && order.revision == 1 => {
                self.try_run(Access::Write, move |world| {
                    world.commit(&order, process);
                    Ok(Stored::Committed)
                })
                .await
            }
            Defect::ReleasedOnFailure if matches!(order.state, State::Retrying | State::Parked) => {
                self.run(Access::Write, move |world| {
                    world.record(&format!("ledger: {} forgotten", order.id));
                    world.rows.remove(&order.id);
                    Stored::Committed
                })
                .await
            }
            Defect::Hurried if order.state == State::Retrying => {
                let hurried = Order { next_attempt_at: Some(self.world.lock().now), ..order };
                self.try_run(Access::Write, move |world| world.store(&hurried, process)).await
            }
            Defect::AnsweredBeforeSettled if !order.state.is_open() => {
                let mut world = self.world.lock();
                let time = world.time_within(0, 2_000);
                world.schedule_write(time, process, move |world| {
                    drop(world.store(&order, process));
                });
                Ok(Stored::Committed)
            }
            Defect::RefusedRecordRepeated => {
                let stored = self.try_run(Access::Write, move |world| world.store(&order, process)).await;
                stored.map_err(|error| LedgerError::Unavailable(error.to_string()))
            }
            Defect::LostLookUpCounts if order.attempts.last().is_some_and(|last| last.look_up_lost) => {
                let counted = Order { attempts_used: order.attempts_used + 1, ..order };
                self.try_run(Access::Write, move |world| world.store(&counted, process)).await
            }
            _ => self.try_run(Access::Write, move |world| world.store(&order, process)).await,
        }
    }
}

//! A ledger of the simulated world: what it commits stays, but it may fail, be slow, or not say that it has committed.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use purchase_order_webhook::ledger::group_commit::{Write, Written};
use purchase_order_webhook::ledger::working_set::{Applied, Change, Known, WorkingSet};
use purchase_order_webhook::ledger::{Claimed, Filter, Ledger, LedgerError, Sharing, Stored};
use purchase_order_webhook::order::retry::RetryPolicy;
use purchase_order_webhook::order::{Admission, Candidate, Order, OrderId, State};
use purchase_order_webhook::relay::lease_length;
use rand::Rng as _;
use tokio::sync::oneshot;

use crate::broken::Defect;
use crate::run::ATTEMPT_LIMIT;
use crate::world::{ProcessRunId, Row, Shared, World};

/// As in production.
pub const LEASE: Duration = lease_length(ATTEMPT_LIMIT);

#[derive(Debug)]
pub struct SimulatedLedger {
    pub world: Shared,
    pub life: ProcessRunId,
    pub sharing: Sharing,
    pub defect: Option<Defect>,
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
    /// Does something in the storage, later, unless the process is gone by then or it fails.
    async fn run<T: Send + 'static>(
        &self,
        write: bool,
        work: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, answered) = oneshot::channel();
        {
            let mut world = self.world.lock();
            let failure = if !world.goes_wrong(3) {
                Failure::None
            } else if world.random.random_bool(0.5) {
                Failure::Refused
            } else {
                Failure::Lost
            };
            let life = self.life;
            let time = if world.goes_wrong(2) { world.soon(1_000, 8_000) } else { world.soon(0, 5) };
            let event = move |world: &mut World| {
                let refused = failure == Failure::Refused || world.now < world.ledger_down_until;
                let done = (!refused).then(|| work(world));
                let result = done.filter(|_| failure == Failure::None);
                let told = world.soon(0, 2);
                world.at(told, life, move |_| drop(answer.send(result)));
            };
            if write { world.write_at(time, life, event) } else { world.at(time, life, event) }
        }
        let unavailable = || LedgerError::Unavailable("simulated".to_owned());
        answered.await.map_err(|_| unavailable())?.ok_or_else(unavailable)
    }
}

impl World {
    /// Commits a record.
    fn commit(&mut self, order: &Order, life: ProcessRunId) {
        self.note(&format!("ledger: {} r{} {} (life {life})", order.id, order.revision, order.state.name()));
        let leased = matches!(order.state, State::Accepted | State::Forwarding);
        let lease_until = leased.then(|| after(self.now, LEASE));
        let before = self.rows.insert(order.id.clone(), Row { order: order.clone(), writer: life, lease_until });
        self.check_change(before.map(|row| row.order), order);
    }

    /// One write, decided as the real ledgers decide it.
    fn write(&mut self, write: &Write, life: ProcessRunId) -> Written {
        let known = WorkingSet::ids(std::slice::from_ref(write)).into_iter().filter_map(|id| {
            let row = self.rows.get(&id)?;
            Some((id, Known { order: Ok(row.order.clone()), written_by_us: row.writer == life }))
        });
        let mut orders = WorkingSet::new(known.collect());
        let Applied::ToAnOrder(Ok(written)) = orders.apply(write) else { panic!("no such write: {write:?}") };
        for change in orders.changes() {
            let (Change::New(order) | Change::Newer(order)) = change;
            self.commit(order, life);
        }
        written
    }

    fn store(&mut self, order: &Order, life: ProcessRunId) -> Stored {
        match self.write(&Write::Store(Box::new(order.clone())), life) {
            Written::Stored(stored) => stored,
            other => panic!("{other:?}"),
        }
    }

    fn claim(&mut self, now: Timestamp, limit: usize, ledger: &Claimer) -> Vec<Claimed> {
        let world_now = self.now;
        let free = |row: &Row| {
            ledger.sharing == Sharing::Exclusive
                || ledger.defect == Some(Defect::LeasesIgnored)
                || row.lease_until.is_none_or(|until| until < world_now)
        };
        let due = |order: &Order| order.state.is_open() && order.next_attempt_at.is_none_or(|at| at <= now);
        let claimed = |row: &Row| Claimed {
            id: row.order.id.clone(),
            received_at: row.order.received_at,
            state: row.order.state,
            revision: row.order.revision,
        };
        let mut orders: Vec<Claimed> =
            self.rows.values().filter(|row| due(&row.order) && free(row)).map(claimed).collect();
        orders.sort_by(|one, other| (one.received_at, &one.id).cmp(&(other.received_at, &other.id)));
        let mut room = limit;
        orders.retain(|order| {
            let taken = order.state == State::Forwarding || room > 0;
            room -= usize::from(taken && order.state != State::Forwarding);
            taken
        });
        if ledger.sharing == Sharing::Shared {
            for order in &orders {
                let row = self.rows.get_mut(&order.id).unwrap();
                (row.writer, row.lease_until) = (ledger.life, Some(after(world_now, LEASE)));
            }
        }
        orders
    }
}

/// Who claims.
#[derive(Clone, Copy)]
struct Claimer {
    life: ProcessRunId,
    sharing: Sharing,
    defect: Option<Defect>,
}

#[async_trait]
impl Ledger for SimulatedLedger {
    fn sharing(&self) -> Sharing {
        self.sharing
    }

    async fn admit(&self, candidate: Candidate, now: Timestamp, policy: RetryPolicy) -> Result<Admission, LedgerError> {
        let life = self.life;
        self.run(true, move |world| {
            let write = Write::Admit(Box::new(candidate), now, Box::new(policy));
            let Written::Admitted(admission) = world.write(&write, life) else { panic!("another write") };
            if let Admission::Started(order) | Admission::Restarted(order) = &*admission {
                world.invariants.admitted.insert(order.id.clone());
            }
            *admission
        })
        .await
    }

    async fn store(&self, order: Order) -> Result<Stored, LedgerError> {
        let life = self.life;
        if let Some(defect) = self.defect {
            return self.store_broken(defect, order).await;
        }
        self.run(true, move |world| world.store(&order, life)).await
    }

    async fn find(&self, id: &OrderId) -> Result<Option<Order>, LedgerError> {
        let id = id.clone();
        self.run(false, move |world| world.rows.get(&id).map(|row| row.order.clone())).await
    }

    async fn settled_since(&self, orders: Vec<(OrderId, u64)>) -> Result<Vec<Order>, LedgerError> {
        self.run(false, move |world| {
            let settled = |(id, since): &(OrderId, u64)| {
                let order = &world.rows.get(id)?.order;
                (!order.state.is_open() && order.revision > *since).then(|| order.clone())
            };
            orders.iter().filter_map(settled).collect()
        })
        .await
    }

    async fn list(&self, _: Filter) -> Result<Vec<Order>, LedgerError> {
        Ok(Vec::new())
    }

    async fn claim(&self, now: Timestamp, limit: usize) -> Result<Vec<Claimed>, LedgerError> {
        let claimer = Claimer { life: self.life, sharing: self.sharing, defect: self.defect };
        self.run(false, move |world| world.claim(now, limit, &claimer)).await
    }

    async fn release(&self) -> Result<(), LedgerError> {
        let life = self.life;
        self.run(true, move |world| {
            for row in world.rows.values_mut().filter(|row| row.writer == life) {
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
        self.run(false, move |world| {
            let times = world.rows.values().filter_map(|row| row.order.next_attempt_at);
            times.filter(|at| *at > now).min()
        })
        .await
    }

    async fn purge(&self, _: Timestamp, _: Duration) -> Result<usize, LedgerError> {
        Ok(0)
    }
}

impl SimulatedLedger {
    /// What a relay with a defect would do to the ledger.
    async fn store_broken(&self, defect: Defect, order: Order) -> Result<Stored, LedgerError> {
        let life = self.life;
        match defect {
            Defect::SettledBeforeSent if order.state == State::Forwarding => {
                let settled = Order { state: State::Created, purchase_order_number: Some("?".into()), ..order };
                self.run(true, move |world| world.store(&settled, life)).await
            }
            Defect::BeginNotRecorded if order.state == State::Forwarding => Ok(Stored::Committed),
            // Its begin is not there, so its end is the change to the revision before.
            Defect::BeginNotRecorded if !order.attempts.is_empty() && order.state != State::Accepted => {
                self.run(true, move |world| {
                    world.commit(&order, life);
                    Stored::Committed
                })
                .await
            }
            Defect::ReleasedOnFailure if matches!(order.state, State::Retrying | State::Parked) => {
                self.run(true, move |world| {
                    world.note(&format!("ledger: {} forgotten", order.id));
                    world.rows.remove(&order.id);
                    Stored::Committed
                })
                .await
            }
            Defect::Hurried if order.state == State::Retrying => {
                let hurried = Order { next_attempt_at: Some(self.world.lock().now), ..order };
                self.run(true, move |world| world.store(&hurried, life)).await
            }
            Defect::AnsweredBeforeSettled if !order.state.is_open() => {
                let mut world = self.world.lock();
                let time = world.soon(0, 2_000);
                world.write_at(time, life, move |world| {
                    world.store(&order, life);
                });
                Ok(Stored::Committed)
            }
            _ => self.run(true, move |world| world.store(&order, life)).await,
        }
    }
}

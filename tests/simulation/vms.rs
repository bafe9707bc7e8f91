//! An 11VMS of the simulated world. It makes an order for every request that it works on; it may be slow, fail before
//! or after that, stay silent, hang up, and find its own orders late.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use purchase_order_webhook::clock::after;
use purchase_order_webhook::ledger::Sharing;
use purchase_order_webhook::order::vms_response::{CallOutcome, VmsResponse};
use purchase_order_webhook::order::{Order, OrderId, State};
use purchase_order_webhook::vms::Vms;
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::broken::Defect;
use crate::run::MAX_DELAY;
use crate::world::{GRACE, ProcessRunId, Row, Shared, VmsOrder, World};

/// The client gives up then.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A request whose future is dropped has lost its connection.
struct Connection<'a> {
    world: &'a Shared,
    key: Option<u64>,
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            RequestInFlight::connection_ends(&mut self.world.lock(), key);
        }
    }
}

#[derive(Debug)]
pub struct SimulatedVms {
    pub world: Shared,
    pub life: ProcessRunId,
    pub defect: Option<Defect>,
    /// Whether a second request under one key gets the first one's order.
    pub honours_keys: bool,
    pub max_concurrency: usize,
    pub sharing: Sharing,
}

/// A request on its way, and what 11VMS will do with it.
#[derive(Debug)]
pub struct RequestInFlight {
    life: ProcessRunId,
    id: OrderId,
    number: String,
    /// When the order is made, and when a search finds it.
    effect: Option<(Timestamp, Timestamp)>,
    arrives_at: Timestamp,
    connection_ends_at: Timestamp,
}

impl RequestInFlight {
    /// The caller's process is gone.
    pub fn connections_end(world: &mut World, life: ProcessRunId) {
        let keys: Vec<u64> =
            world.requests.iter().filter(|(_, known)| known.life == life).map(|(key, _)| *key).collect();
        for key in keys {
            Self::connection_ends(world, key);
        }
    }

    /// What had not arrived may never arrive; the rest is done, and shows, within the grace.
    fn connection_ends(world: &mut World, key: u64) {
        let now = world.now;
        if world.requests.get(&key).is_none_or(|request| request.connection_ends_at <= now) {
            return;
        }
        let lost = world.random.random_bool(0.5);
        let latest = world.between(0, 3_000);
        let request = world.requests.get_mut(&key).unwrap();
        request.connection_ends_at = now;
        if request.arrives_at > now && lost {
            request.effect = None;
        }
        if let Some((at, visible_at)) = &mut request.effect {
            *at = (*at).min(after(now, latest));
            *visible_at = (*visible_at).min(after(now, GRACE));
            let at = *at;
            world.at(at, 0, move |world| make(world, key));
        }
    }

    /// How many requests of one life are under way.
    fn open(world: &World, life: ProcessRunId) -> usize {
        world.requests.values().filter(|known| known.life == life && known.connection_ends_at > world.now).count()
    }
}

/// The order is made, unless it has been, or the time is not ripe after all.
fn make(world: &mut World, key: u64) {
    let now = world.now;
    let Some(request) = world.requests.get_mut(&key) else { return };
    let Some((at, visible_at)) = request.effect.filter(|(at, _)| *at <= now) else { return };
    let (id, number) = (request.id.clone(), request.number.clone());
    request.effect = None;
    debug_assert!(at <= visible_at);
    let orders = world.vms.entry(id.clone()).or_default();
    if orders.iter().any(|order| order.number == number) {
        return;
    }
    orders.push(VmsOrder { number: number.clone(), visible_at });
    world.note(&format!("11VMS: {id} is {number}"));
    world.check_vms(&id);
}

/// What becomes of a request: whether an order is made, and what is answered.
struct FaultPlan {
    made: bool,
    reply: CallOutcome,
    /// The whole time-out passes before it.
    silent: bool,
}

fn answered(status: u16, body: Value, retry_after: Option<Duration>) -> CallOutcome {
    CallOutcome::Answered(VmsResponse { status, body: Some(body), retry_after })
}

impl FaultPlan {
    fn draw(world: &mut World, number: &str) -> Self {
        let lost = || CallOutcome::Lost("simulated".to_owned());
        let wait = world.goes_wrong(50).then(|| world.between(0, 30_000));
        let created = || answered(201, json!({ "poNumber": number }), None);
        let plan = |made, reply, silent| Self { made, reply, silent };
        if !world.goes_wrong(world.unusual) {
            return plan(true, created(), false);
        }
        match world.random.random_range(0..11) {
            0 | 10 => plan(false, answered(422, json!({ "message": "no" }), None), false),
            1 => plan(false, answered(429, Value::Null, wait), false),
            2 => plan(false, answered(503, Value::Null, wait), false),
            3 => plan(true, answered(500, Value::Null, None), false),
            4 => plan(false, lost(), false),
            5 => plan(true, lost(), false),
            6 => plan(true, lost(), true),
            7 => plan(false, lost(), true),
            8 => plan(true, answered(201, json!({}), None), false),
            _ => plan(true, created(), true),
        }
    }
}

impl SimulatedVms {
    /// Sends a request on its way; what comes back, and when.
    fn depart(&self, world: &mut World, order: &Order) -> (CallOutcome, Timestamp, u64) {
        if RequestInFlight::open(world, self.life) >= self.max_concurrency {
            world.violated(format!("{}: more is under way than 11VMS takes", order.id));
        }
        let leased = |row: &Row| row.writer == self.life && row.lease_until.is_some_and(|until| world.now < until);
        let begun = world.rows.get(&order.id).filter(|row| row.order.state == State::Forwarding);
        if self.sharing == Sharing::Shared && begun.is_some_and(|row| !leased(row)) {
            world.violated(format!("{}: sent without a lease", order.id));
        }
        let known = world.vms.get(&order.id).and_then(|orders| orders.first()).filter(|_| self.honours_keys);
        let number = known.map_or_else(|| format!("45{:04}", world.vms.len()), |order| order.number.clone());
        let number = if known.is_some() { number } else { format!("{number}-{}", world.next_number()) };
        let FaultPlan { made, reply, silent } = FaultPlan::draw(world, &number);
        let arrives_at = world.soon(1, 50);
        let work = world.between(5, 500);
        let answered_at = if silent { after(world.now, TIMEOUT) } else { after(arrives_at, work) };
        let connection_ends_at = after(answered_at, world.between(0, 1));
        let done_at = if silent {
            let whole = world.between(5, 5_900);
            after(arrives_at, whole).min(after(connection_ends_at, GRACE))
        } else {
            answered_at
        };
        let lag = world.between(0, if world.faults_on { 3_000 } else { 0 });
        let visible_at = after(done_at, lag).min(after(connection_ends_at, GRACE));
        // An answer with a number comes from an order that is made.
        let reply = if silent && done_at > answered_at { CallOutcome::Lost("simulated".to_owned()) } else { reply };
        let key = world.next_number();
        let (id, body) = (order.id.clone(), order.body.clone());
        let effect = made.then_some((done_at, visible_at));
        let request =
            RequestInFlight { life: self.life, id: id.clone(), number, effect, arrives_at, connection_ends_at };
        world.requests.insert(key, request);
        world.note(&format!("sent: {id} (life {})", self.life));
        world.at(arrives_at, self.life, move |world| world.check_sent(&id, &body));
        world.at(done_at, self.life, move |world| make(world, key));
        if let CallOutcome::Answered(VmsResponse { retry_after: Some(wait), .. }) = &reply {
            let not_before = after(connection_ends_at, (*wait).min(MAX_DELAY));
            world.invariants.not_before.insert(order.id.clone(), not_before);
        } else {
            world.invariants.not_before.remove(&order.id);
        }
        (reply, connection_ends_at, key)
    }

    async fn at(&self, time: Timestamp, reply: impl FnOnce(&mut World) -> CallOutcome + Send + 'static) -> CallOutcome {
        let (answer, answered) = oneshot::channel();
        self.world.lock().at(time, self.life, move |world| {
            let reply = reply(world);
            drop(answer.send(reply));
        });
        // The world outlives every life.
        answered.await.unwrap_or_else(|_| CallOutcome::Lost("the world has ended".to_owned()))
    }
}

#[async_trait]
impl Vms for SimulatedVms {
    async fn create(&self, order: &Order) -> CallOutcome {
        let mut connection = Connection { world: &self.world, key: None };
        let (reply, time) = {
            let mut world = self.world.lock();
            if world.goes_wrong(5) {
                (CallOutcome::NotSent("simulated".to_owned()), world.soon(0, 100))
            } else {
                let (reply, time, key) = self.depart(&mut world, order);
                connection.key = Some(key);
                (reply, time)
            }
        };
        let reply = self.at(time, move |_| reply).await;
        connection.key = None;
        reply
    }

    async fn look_up(&self, id: &OrderId) -> CallOutcome {
        if self.defect == Some(Defect::ResentWithoutLookUp) {
            return answered(200, json!({ "purchaseOrders": [] }), None);
        }
        let id = id.clone();
        let (time, trouble) = {
            let mut world = self.world.lock();
            let trouble = world.goes_wrong(15).then(|| world.random.random_range(0..4));
            // It may also answer well, and late: an attempt that waited for it and then sent would outlive its lease.
            let slow = world.goes_wrong(5);
            let time = if trouble == Some(0) {
                after(world.now, TIMEOUT)
            } else {
                world.soon(1, if slow { 20_000 } else { 50 })
            };
            (time, trouble)
        };
        self.at(time, move |world| {
            let visible = |order: &&VmsOrder| order.visible_at <= world.now;
            let found: Vec<Value> = world
                .vms
                .get(&id)
                .into_iter()
                .flatten()
                .filter(visible)
                .map(|order| json!({ "poNumber": order.number, "externalId": id.as_str() }))
                .collect();
            world.note(&format!("asked: {id}, {} there, trouble {trouble:?}", found.len()));
            match trouble {
                Some(0) => CallOutcome::Lost("simulated".to_owned()),
                Some(1) => answered(500, Value::Null, None),
                Some(2) => CallOutcome::NotSent("simulated".to_owned()),
                Some(_) => answered(200, json!({ "purchaseOrders": [], "hasMore": true }), None),
                None => answered(200, json!({ "purchaseOrders": found }), None),
            }
        })
        .await
    }
}

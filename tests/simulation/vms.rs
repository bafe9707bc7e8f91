//! The 11VMS of the simulated world. It creates an order for every request that it processes. It may be slow, fail before or
//! after that, not answer at all, hang up, and find its own orders late.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use purchase_order_webhook::clock::{after, between};
use purchase_order_webhook::ledger::Sharing;
use purchase_order_webhook::order::vms_response::{CallOutcome, VmsResponse};
use purchase_order_webhook::order::{Order, OrderId, State};
use purchase_order_webhook::vms::{SendLimit, Vms};
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::broken::Defect;
use crate::world::{GRACE, ProcessRunId, Row, SharedWorld, VmsOrder, World};

/// The client gives up then.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Closes the connection of a request whose future is dropped.
struct Connection<'a> {
    world: &'a SharedWorld,
    key: Option<u64>,
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            RequestInFlight::close_connection(&mut self.world.lock(), key);
        }
    }
}

#[derive(Debug)]
pub struct SimulatedVms {
    pub world: SharedWorld,
    pub process: ProcessRunId,
    pub machine: usize,
    pub defect: Option<Defect>,
    /// A second request under one key gets the first one's order.
    pub honours_keys: bool,
    pub max_concurrency: usize,
    pub sharing: Sharing,
}

/// A request on its way, and its effect in 11VMS.
#[derive(Debug)]
pub struct RequestInFlight {
    process: ProcessRunId,
    id: OrderId,
    number: String,
    /// When the order is created, and when a look-up finds it.
    effect: Option<(Timestamp, Timestamp)>,
    arrives_at: Timestamp,
    connection_ends_at: Timestamp,
}

impl RequestInFlight {
    /// Whether 11VMS may still be working on a request for an order, or not find its order yet.
    pub fn may_be_in_work(world: &World, id: &OrderId) -> bool {
        world.requests.values().any(|known| known.id == *id && world.now < after(known.connection_ends_at, GRACE))
    }

    /// The sender's process has ended.
    pub fn close_connections_of(world: &mut World, process: ProcessRunId) {
        let keys: Vec<u64> =
            world.requests.iter().filter(|(_, known)| known.process == process).map(|(key, _)| *key).collect();
        for key in keys {
            Self::close_connection(world, key);
        }
    }

    /// A request that has not arrived may never arrive; any other takes effect, and is found, within the grace.
    fn close_connection(world: &mut World, key: u64) {
        let now = world.now;
        if world.requests.get(&key).is_none_or(|request| request.connection_ends_at <= now) {
            return;
        }
        let lost = world.random.random_bool(0.5);
        let latest = world.duration_between(0, 3_000);
        let request = world.requests.get_mut(&key).unwrap();
        request.connection_ends_at = now;
        if request.arrives_at > now && lost {
            request.effect = None;
        }
        if let Some((at, visible_at)) = &mut request.effect {
            *at = (*at).min(after(now, latest));
            *visible_at = (*visible_at).min(after(now, GRACE));
            let at = *at;
            world.schedule(at, 0, move |world| create_order(world, key));
        }
    }

    /// How many requests of one process are in flight.
    fn count_open(world: &World, process: ProcessRunId) -> usize {
        world.requests.values().filter(|known| known.process == process && known.connection_ends_at > world.now).count()
    }
}

/// Creates the order of a request, unless it has been created, or its time has not come.
fn create_order(world: &mut World, key: u64) {
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
    world.record(&format!("11VMS: {id} is {number}"));
    world.check_single_order(&id);
}

/// The fate of a request: its effect, its answer, and the time until then.
struct FaultPlan {
    effect: Effect,
    outcome: CallOutcome,
    speed: Speed,
}

#[derive(Clone, Copy, PartialEq)]
enum Effect {
    Created,
    NotCreated,
}

#[derive(Clone, Copy, PartialEq)]
enum Speed {
    Usual,
    /// The whole time-out passes without an answer.
    TimesOut,
}

/// An answer whose status arrives, and whose body breaks off.
fn broken_off(status: u16, retry_after: Option<Duration>) -> CallOutcome {
    let defect = Some("broke off".to_owned());
    CallOutcome::Answered(VmsResponse {
        status,
        body: None,
        defect,
        location: None,
        retry_after,
        list_headers: Vec::new(),
    })
}

fn answered(status: u16, body: Value, retry_after: Option<Duration>) -> CallOutcome {
    CallOutcome::Answered(VmsResponse {
        status,
        body: Some(body),
        defect: None,
        location: None,
        retry_after,
        list_headers: Vec::new(),
    })
}

impl FaultPlan {
    fn draw(world: &mut World, number: &str) -> Self {
        let lost = || CallOutcome::Lost("simulated".to_owned());
        let wait = world.fault_occurs(50).then(|| world.duration_between(0, 30_000));
        // A name that not every storage can hold.
        let city = if world.random.random_bool(0.3) { "Łódź" } else { "Bonn" };
        let created = || answered(201, json!({ "poNumber": number, "city": city }), None);
        let plan = |effect, outcome, speed| Self { effect, outcome, speed };
        if !world.fault_occurs(world.fault_percent) {
            return plan(Effect::Created, created(), Speed::Usual);
        }
        match world.random.random_range(0..14) {
            0 | 10 => plan(Effect::NotCreated, answered(422, json!({ "message": city }), None), Speed::Usual),
            11 => plan(Effect::NotCreated, broken_off(422, None), Speed::Usual),
            12 => plan(Effect::NotCreated, broken_off(429, wait), Speed::Usual),
            13 => plan(Effect::Created, broken_off(201, None), Speed::Usual),
            1 => plan(Effect::NotCreated, answered(429, Value::Null, wait), Speed::Usual),
            2 => plan(Effect::NotCreated, answered(503, Value::Null, wait), Speed::Usual),
            3 => plan(Effect::Created, answered(500, Value::Null, None), Speed::Usual),
            4 => plan(Effect::NotCreated, lost(), Speed::Usual),
            5 => plan(Effect::Created, lost(), Speed::Usual),
            6 => plan(Effect::Created, lost(), Speed::TimesOut),
            7 => plan(Effect::NotCreated, lost(), Speed::TimesOut),
            8 => plan(Effect::Created, answered(201, json!({}), None), Speed::Usual),
            _ => plan(Effect::Created, created(), Speed::TimesOut),
        }
    }
}

impl SimulatedVms {
    /// Sends a request. Returns its outcome, when the connection ends, and the request's key.
    fn send_request(&self, world: &mut World, order: &Order) -> (CallOutcome, Timestamp, u64) {
        if RequestInFlight::count_open(world, self.process) >= self.max_concurrency {
            world.report_violation(format!("{}: more requests in flight than max_concurrency", order.id));
        }
        let leased = |row: &Row| row.writer == self.process && row.lease_until.is_some_and(|until| world.now < until);
        let begun = world.rows.get(&order.id).filter(|row| row.order.state == State::Forwarding);
        if self.sharing == Sharing::Shared && begun.is_some_and(|row| !leased(row)) {
            world.report_violation(format!("{}: sent without a lease", order.id));
        }
        let known = world.vms.get(&order.id).and_then(|orders| orders.first()).filter(|_| self.honours_keys);
        let number = known.map_or_else(|| format!("45{:04}", world.vms.len()), |order| order.number.clone());
        let number = if known.is_some() { number } else { format!("{number}-{}", world.next_number()) };
        let FaultPlan { effect, outcome, speed } = FaultPlan::draw(world, &number);
        let times_out = speed == Speed::TimesOut;
        let arrives_at = world.time_within(1, 50);
        let work = world.duration_between(5, 500);
        let answered_at = if times_out { after(world.now, TIMEOUT) } else { after(arrives_at, work) };
        let connection_ends_at = after(answered_at, world.duration_between(0, 1));
        let done_at = if times_out {
            let whole = world.duration_between(5, 5_900);
            after(arrives_at, whole).min(after(connection_ends_at, GRACE))
        } else {
            answered_at
        };
        let lag = world.duration_between(0, if world.faults_on { 3_000 } else { 0 });
        let visible_at = after(done_at, lag).min(after(connection_ends_at, GRACE));
        // An answer with a number comes from an order that has been created.
        let is_late = times_out && done_at > answered_at;
        let outcome = if is_late { CallOutcome::Lost("simulated".to_owned()) } else { outcome };
        let key = world.next_number();
        let (id, body) = (order.id.clone(), order.body.clone());
        let effect = (effect == Effect::Created).then_some((done_at, visible_at));
        let request =
            RequestInFlight { process: self.process, id: id.clone(), number, effect, arrives_at, connection_ends_at };
        world.requests.insert(key, request);
        world.record(&format!("sent: {id} (process {})", self.process));
        world.check_sent(&id, &body);
        world.schedule(done_at, self.process, move |world| create_order(world, key));
        (outcome, connection_ends_at, key)
    }

    /// Whether a call has to wait for a token, because the token endpoint throttles; `None` if there is one. One pause holds for
    /// all orders of the process.
    fn deferral(&self, world: &mut World, order: &Order) -> Option<CallOutcome> {
        let now = world.now;
        let pause = world.token_pauses.get(&self.process).copied().filter(|until| *until > now);
        let until = match pause {
            Some(until) => until,
            None if world.fault_occurs(3) => world.time_within(500, 10_000),
            None => return None,
        };
        world.token_pauses.insert(self.process, until);
        world.record(&format!("no token for {} until {until}", order.id));
        world.invariants.deferred.insert((order.id.clone(), order.revision));
        let detail = "simulated".to_owned();
        if self.defect == Some(Defect::DeferralCounts) {
            return Some(CallOutcome::NotSent(detail));
        }
        Some(CallOutcome::Deferred { detail, wait: between(now, until) })
    }

    /// Waits until a time, and returns the outcome that the world has then.
    async fn outcome_at(
        &self,
        time: Timestamp,
        outcome: impl FnOnce(&mut World) -> CallOutcome + Send + 'static,
    ) -> CallOutcome {
        let (answer, answered) = oneshot::channel();
        self.world.lock().schedule(time, self.process, move |world| {
            let outcome = outcome(world);
            drop(answer.send(outcome));
        });
        // The world outlives every process.
        answered.await.unwrap_or_else(|_| CallOutcome::Lost("the world has ended".to_owned()))
    }
}

#[async_trait]
impl Vms for SimulatedVms {
    async fn create(&self, order: &Order, _: Option<SendLimit>) -> CallOutcome {
        let mut connection = Connection { world: &self.world, key: None };
        let (outcome, time) = {
            let mut world = self.world.lock();
            if let Some(deferred) = self.deferral(&mut world, order) {
                (deferred, world.time_within(0, 100))
            } else if world.fault_occurs(5) {
                (CallOutcome::NotSent("simulated".to_owned()), world.time_within(0, 100))
            } else {
                world.invariants.sent.insert((order.id.clone(), order.revision));
                let (outcome, time, key) = self.send_request(&mut world, order);
                connection.key = Some(key);
                (outcome, time)
            }
        };
        let outcome = self.outcome_at(time, move |_| outcome).await;
        connection.key = None;
        // Only here it is certain that the process has heard it: it lives, and has not cut the attempt off.
        self.world.lock().note_answer(&order.id, self.process, &outcome);
        match outcome {
            CallOutcome::Answered(response)
                if response.defect.is_some() && self.defect == Some(Defect::BrokenAnswerIgnored) =>
            {
                CallOutcome::Lost("simulated".to_owned())
            }
            outcome => outcome,
        }
    }

    async fn look_up(&self, order: &Order) -> CallOutcome {
        if self.defect == Some(Defect::ResentWithoutLookUp) {
            return answered(200, json!({ "purchaseOrders": [] }), None);
        }
        let id = order.id.clone();
        let (time, fault) = {
            let mut world = self.world.lock();
            if let Some(deferred) = self.deferral(&mut world, order) {
                return deferred;
            }
            world.check_grace(&id);
            if world.fault_occurs(3) {
                world.plan_sleep(self.machine);
            }
            let fault = world.fault_occurs(20).then(|| world.random.random_range(0..7));
            // A good answer may come late: an attempt that waited for it and then sent would outlive its lease.
            let slow = world.fault_occurs(5);
            let time = if fault == Some(0) {
                after(world.now, TIMEOUT)
            } else {
                world.time_within(1, if slow { 20_000 } else { 50 })
            };
            (time, fault)
        };
        let takes_strangers = self.defect == Some(Defect::StrangersTaken);
        let outcome = self.outcome_at(time, move |world| {
            let visible = |order: &&VmsOrder| order.visible_at <= world.now;
            let found: Vec<Value> = world
                .vms
                .get(&id)
                .into_iter()
                .flatten()
                .filter(visible)
                .map(|order| json!({ "poNumber": order.number, "externalId": id.as_str() }))
                .collect();
            world.record(&format!("look-up: {id}, {} found, fault {fault:?}", found.len()));
            match fault {
                Some(0) => CallOutcome::Lost("simulated".to_owned()),
                Some(1) => answered(500, Value::Null, None),
                Some(2) => CallOutcome::NotSent("simulated".to_owned()),
                Some(3) => answered(200, json!({ "purchaseOrders": [], "hasMore": true }), None),
                Some(4) => broken_off(200, None),
                Some(fault) => {
                    let mut stranger = json!({ "poNumber": "STRANGER-1", "externalId": "other" });
                    if takes_strangers {
                        stranger["externalId"] = json!(id.as_str());
                    } else if fault == 5 {
                        stranger.as_object_mut().unwrap().remove("externalId");
                    }
                    answered(200, json!({ "purchaseOrders": [stranger] }), None)
                }
                None => answered(200, json!({ "purchaseOrders": found }), None),
            }
        });
        let outcome = outcome.await;
        if matches!(outcome, CallOutcome::Lost(_) | CallOutcome::NotSent(_)) {
            self.world.lock().invariants.lost_look_ups.insert((order.id.clone(), order.revision));
        }
        outcome
    }
}

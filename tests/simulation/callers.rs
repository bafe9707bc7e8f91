//! The requests of one seed: carts that callers send, and interventions of people. Each answer is checked as it arrives.

use std::sync::Arc;
use std::time::Duration;

use purchase_order_webhook::clock::after;
use purchase_order_webhook::order::{Candidate, OrderId, PropagatedHeaders, Requester, Resolution, Resolved, State};
use purchase_order_webhook::relay::{Relay, SubmitOutcome};
use rand::Rng as _;
use serde_json::json;

use crate::plan::{Action, submission};
use crate::run::{ProcessRun, Simulation};
use crate::world::ProcessRunId;

/// A caller is answered at most so long after its deadline: the cart has five seconds to be recorded, and a final read
/// of the order has one.
const ANSWER_TOLERANCE: Duration = Duration::from_millis(6_500);

/// The number of the cart that is sent when everything is settled.
pub const LAST_CART: usize = 100;

/// The wait of its sender: with nothing in its way, the cart is admitted, looked up if need be, and sent.
pub const LAST_CART_WAIT: Duration = Duration::from_secs(6);

impl Simulation {
    /// A replica that runs, as a load balancer picks it.
    fn pick_replica(&mut self) -> Option<(ProcessRunId, Arc<Relay>)> {
        let running: Vec<&ProcessRun> = self.replicas.iter().flatten().collect();
        let process = running.get(self.random.random_range(0..self.replicas.len()))?;
        Some((process.id, Arc::clone(&process.relay)))
    }

    /// Runs a request on a replica's runtime; it dies with the process.
    fn spawn(&mut self, process: ProcessRunId, request: impl Future<Output = ()> + Send + 'static) {
        let runtime = self.replicas.iter().flatten().find(|known| known.id == process).map(|known| &known.runtime);
        self.requests.push(runtime.unwrap().spawn(request).abort_handle());
        self.run_tasks(process);
    }

    pub fn submit(&mut self, cart: usize, version: usize, wait: Duration, hangs_up_after: Option<Duration>) {
        let again = submission(&mut self.random, cart);
        let is_last = cart == LAST_CART;
        let (sends_again, pause) = (self.random.random_bool(0.5), self.random.random_range(100..8_000));
        let Some((process, relay)) = self.pick_replica() else { return };
        let world = self.world.clone();
        let machine = self.machine_of(process).unwrap();
        let slept = world.lock().slept(machine);
        let deadline = after(world.lock().now, wait + ANSWER_TOLERANCE);
        let request = async move {
            let answer = relay.submit(candidate(cart, version), wait).await;
            let slept_since = world.lock().slept(machine).saturating_sub(slept);
            world.lock().check_deadline(cart, after(deadline, slept_since));
            if is_last {
                world.lock().check_last_cart(answer.as_ref().ok());
            }
            if let Ok(answer) = &answer {
                world.lock().check_answer(answer);
            }
            let is_final = matches!(
                answer,
                Ok(SubmitOutcome::Created(_) | SubmitOutcome::Replayed(_) | SubmitOutcome::Conflicting(_))
            );
            if sends_again && !is_final && world.lock().faults_on {
                world.lock().follow_ups.push((Duration::from_millis(pause), again));
            }
        };
        self.spawn(process, request);
        if let Some(delay) = hangs_up_after {
            let (caller, now) = (self.requests.len() - 1, self.world.lock().now);
            self.plan.add(after(now, delay), Action::HangUp(caller));
        }
    }

    pub fn hang_up(&mut self, caller: usize) {
        self.requests[caller].abort();
        let running: Vec<ProcessRunId> = self.replicas.iter().flatten().map(|process| process.id).collect();
        for process in running {
            self.run_tasks(process);
        }
    }

    pub fn replay(&mut self, cart: usize) {
        let Some((process, relay)) = self.pick_replica() else { return };
        let world = self.world.clone();
        self.spawn(process, async move {
            let answer = relay.replay(id(cart), "somebody", Duration::from_secs(4)).await;
            if let Ok(Some(answer)) = answer {
                world.lock().check_answer(&answer);
            }
        });
    }

    /// A person looks into 11VMS, and settles the order as 11VMS shows it.
    pub fn resolve(&mut self, cart: usize) {
        let Some((process, relay)) = self.pick_replica() else { return };
        let world = self.world.clone();
        let found = world.lock().vms.get(&id(cart)).and_then(|orders| orders.first()).map(|order| order.number.clone());
        let resolution = found.map_or_else(|| Resolution::Cancelled("not wanted".into()), Resolution::Exists);
        if let Resolution::Exists(number) = &resolution {
            self.world.lock().invariants.numbers_by_hand.insert((id(cart), number.clone()));
        }
        self.spawn(process, async move {
            let resolved = relay.resolve(&id(cart), resolution, "somebody", Duration::from_secs(4)).await;
            if let Ok(Some(Resolved::Applied(order) | Resolved::Already(order))) = resolved {
                let outcome =
                    if order.state == State::Created { SubmitOutcome::Replayed } else { SubmitOutcome::Conflicting };
                world.lock().check_answer(&outcome(Arc::new(order)));
            }
        });
    }
}

fn id(cart: usize) -> OrderId {
    OrderId::of(&format!("{}", cart + 1))
}

fn candidate(cart: usize, version: usize) -> Candidate {
    let city = ["Berlin", "Bonn", "Łódź"][version];
    let body = json!({ "externalId": format!("{}", cart + 1), "to": city }).to_string();
    Candidate {
        id: id(cart),
        cart_number: format!("{}", cart + 1),
        fingerprint: format!("{version}"),
        cart: Some(body.as_str().into()),
        body,
        mapping_version: "v".to_owned(),
        warnings: Vec::new(),
        propagated_headers: PropagatedHeaders::default(),
        requester: Requester::from("a sender"),
    }
}

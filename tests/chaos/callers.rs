//! Callers that send carts, remember their answers, and compare them with 11VMS in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use purchase_order_webhook::sandbox::vms::SandboxVms;
use reqwest::Client;
use serde_json::Value;

use crate::support::{Answer, ORDERS, cart};
use crate::victim::Victims;

/// More rounds than leases, graces and retries need together.
const MOST_ROUNDS: usize = 100;

/// Polls of a recorded order until it is created, ten a second.
const MOST_POLLS: usize = 600;

pub struct Callers {
    client: Client,
    addresses: Vec<String>,
    token: String,
    vms: SandboxVms,
    carts: u32,
    /// Numbers in answers: promises.
    promised: BTreeMap<u32, String>,
    /// Carts that were answered with 202: recorded, and so to be finished without being sent again.
    recorded: BTreeSet<u32>,
}

impl Callers {
    pub fn new(victims: &Victims) -> Self {
        Self {
            client: Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap(),
            addresses: victims.addresses.clone(),
            token: victims.issuer.token(),
            vms: victims.vms.clone(),
            carts: 0,
            promised: BTreeMap::new(),
            recorded: BTreeSet::new(),
        }
    }

    pub const fn add(&mut self, carts: u32) {
        self.carts += carts;
    }

    /// Sends every cart that has no number yet, each to another replica than its neighbour, and some to two at once.
    pub async fn send_open(&mut self) {
        let known = |number: &u32| self.promised.contains_key(number) || self.recorded.contains(number);
        let open: Vec<u32> = (1..=self.carts).filter(|number| !known(number)).collect();
        let mut calls = Vec::new();
        for number in open {
            let copies = if number % 5 == 0 { 2 } else { 1 };
            for copy in 0..copies {
                let address = &self.addresses[(number as usize + copy) % self.addresses.len()];
                let request = self.client.post(format!("{address}{ORDERS}")).bearer_auth(&self.token);
                let request = request.header("content-type", "application/json").body(cart(number).to_string());
                calls.push((number, tokio::spawn(request.send())));
            }
        }
        for (number, call) in calls {
            // A call that breaks off with the service promises nothing.
            let Ok(Ok(answer)) = call.await else { continue };
            let status = answer.status().as_u16();
            let Ok(body) = answer.json::<Value>().await else { continue };
            assert!(matches!(status, 200..=202 | 502 | 503), "{status} {body}");
            if let Some(order) = body["purchaseOrderNumber"].as_str() {
                let before = self.promised.insert(number, order.to_owned());
                assert!(before.is_none_or(|before| before == order), "cart {number} got two numbers");
            } else if status == 202 {
                self.recorded.insert(number);
            }
        }
    }

    /// The number of carts that are recorded, and whose outcome nobody knows yet.
    pub fn recorded(&self) -> usize {
        self.recorded.len()
    }

    /// What was recorded is finished by itself: after a lease, a sweep, a grace, and a few attempts at most.
    pub async fn await_recorded(&mut self) {
        for number in std::mem::take(&mut self.recorded) {
            let url = format!("{}{ORDERS}/{number}", self.addresses[0]);
            let mut polls = 0;
            let order = loop {
                let answer = Answer::of(self.client.get(&url).bearer_auth(&self.token).send().await.unwrap()).await;
                if answer.body["state"] == "created" {
                    break answer.body["purchaseOrderNumber"].as_str().unwrap().to_owned();
                }
                polls += 1;
                assert!(
                    polls < MOST_POLLS,
                    "cart {number} was answered with 202, and is not finished: {}",
                    answer.text
                );
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            let before = self.promised.insert(number, order.clone());
            assert!(before.is_none_or(|before| before == order), "cart {number} got two numbers");
        }
    }

    pub async fn send_until_answered(&mut self) {
        for _ in 0..MOST_ROUNDS {
            self.await_recorded().await;
            self.send_open().await;
            if self.promised.len() == self.carts as usize {
                return;
            }
        }
        panic!("{} of {} carts have no answer", self.carts as usize - self.promised.len(), self.carts);
    }

    /// Every cart is one order, and its number is the one in the answers.
    pub async fn check_orders(&self, run: &str) {
        let orders = self.vms.orders();
        let mut created: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for order in &orders {
            created.entry(order.body["externalId"].as_str().unwrap()).or_default().push(&order.number);
        }
        let requests = self.vms.received().len();
        println!("{run}: {} carts, {} orders, {requests} requests to 11VMS", self.carts, orders.len());
        let doubled: Vec<_> = created.iter().filter(|(_, numbers)| numbers.len() > 1).collect();
        assert!(doubled.is_empty(), "doubled: {doubled:?}");
        for number in 1..=self.carts {
            let numbers = created.get(number.to_string().as_str()).unwrap_or_else(|| panic!("cart {number} was lost"));
            let promised = self.promised.get(&number).map(String::as_str);
            assert_eq!(promised, numbers.first().copied(), "cart {number}: the answer was not true");
            for address in &self.addresses {
                let request = self.client.get(format!("{address}{ORDERS}/{number}")).bearer_auth(&self.token);
                let shown = Answer::of(request.send().await.unwrap()).await;
                assert_eq!(shown.body["purchaseOrderNumber"], numbers[0], "{}", shown.text);
            }
        }
    }
}

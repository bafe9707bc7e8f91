//! The handle of a running 11VMS: faults in, orders and requests out.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use url::Url;

use super::endpoints::answer;
use super::fault::{Effect, Fault};
use super::state::{Api, CreatedOrder, Gate, ReceivedRequest, State, lock};
use crate::sandbox::issuer::Issuer;
use crate::sandbox::local_server::LocalServer;

/// An 11VMS on 127.0.0.1 that lives as long as this handle.
#[derive(Debug, Clone)]
pub struct SandboxVms {
    server: Arc<LocalServer>,
    state: Arc<Mutex<State>>,
}

impl SandboxVms {
    /// Starts an 11VMS that accepts the tokens of this issuer.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start(issuer: Issuer) -> io::Result<Self> {
        Self::start_with(issuer, Api::ElevenVms).await
    }

    /// Starts a Salesforce that accepts the tokens of this issuer: upserts by external id, below `/services/data/vN.0`.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start_salesforce(issuer: Issuer) -> io::Result<Self> {
        Self::start_with(issuer, Api::Salesforce).await
    }

    async fn start_with(issuer: Issuer, api: Api) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State { api, ..State::default() }));
        let shared = Arc::clone(&state);
        let server = LocalServer::start(move |request| {
            let (state, issuer) = (Arc::clone(&shared), issuer.clone());
            async move { answer(&state, &issuer, &request).await }
        })
        .await?;
        Ok(Self { server: Arc::new(server), state })
    }

    /// The base URL.
    pub fn url(&self) -> Url {
        self.server.url.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Queues an effect for the next request.
    pub fn next(&self, effect: Effect) {
        self.state().faults.push_back(Fault { delay_ms: 0, effect });
    }

    /// Queues a fault for the next request.
    pub fn queue(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// Makes requests wait from now on.
    pub fn close_gate(&self) {
        self.state().gate.send_replace(Gate::Closed);
    }

    /// Lets waiting and later requests through.
    pub fn open_gate(&self) {
        self.state().gate.send_replace(Gate::Open);
    }

    /// Accepts tokens of any issuer from now on.
    pub fn accept_any_token(&self) {
        self.state().accepts_any_token = true;
    }

    /// Delays every answer by this.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Adds an order that somebody else has created.
    pub fn add_order(&self, order: CreatedOrder) {
        self.state().orders.push(order);
    }

    /// The largest number of requests in flight so far.
    pub fn max_in_flight(&self) -> usize {
        self.state().max_in_flight
    }

    /// Every order, oldest first.
    pub fn orders(&self) -> Vec<CreatedOrder> {
        self.state().orders.clone()
    }

    /// Every request, oldest first.
    pub fn received(&self) -> Vec<ReceivedRequest> {
        self.state().received.clone()
    }
}

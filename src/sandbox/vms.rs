//! An 11VMS that creates an order for every POST, equal ones included: what protects against doubles has to be the
//! caller. Faults are queued, one for each request to come.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;

use super::issuer::Issuer;
use super::{Answer, HangUp, Listening};

/// The first order's number; SAP's purchase orders begin like this.
const FIRST_NUMBER: u64 = 4_500_000_001;

/// What goes wrong with one request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Fault {
    /// Milliseconds before anything else happens.
    pub delay_ms: u64,
    /// What happens then.
    pub effect: Effect,
}

/// What happens to a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing unusual.
    #[default]
    Normal,
    /// The connection is closed, and nothing was done.
    HangUpBefore,
    /// The order is created, and the connection is closed without an answer.
    HangUpAfter,
    /// The order is created, and the answer can't be read.
    Garbage,
    /// Nothing is created, and this is the answer.
    #[serde(rename_all = "camelCase")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The body.
        #[serde(default)]
        body: Value,
        /// `Retry-After`.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// Nothing is created, and the answer points elsewhere (307).
    Redirect(String),
    /// The order is created, and this is the answer all the same.
    CreatedButStatus(u16),
}

impl Effect {
    /// An answer without a body.
    pub const fn status(status: u16) -> Self {
        Self::Status { status, body: Value::Null, retry_after: None }
    }
}

/// An order that was created.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// Its number.
    pub number: String,
    /// The body that made it.
    pub body: Value,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// `POST` or `GET`.
    pub method: String,
    /// `Idempotency-Key` of a POST, `externalId` of a look-up.
    pub id: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
}

impl Received {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct State {
    orders: Vec<Created>,
    received: Vec<Received>,
    faults: VecDeque<Fault>,
    latency: Duration,
    at_once: usize,
    most_at_once: usize,
    gate: watch::Sender<Gate>,
    /// Whether tokens of any issuer are taken.
    takes_any_token: bool,
}

/// Whether requests are worked on, or wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Gate {
    #[default]
    Open,
    Closed,
}

/// An 11VMS on 127.0.0.1 that lives as long as this handle.
#[derive(Debug, Clone)]
pub struct SandboxVms {
    server: Arc<Listening>,
    state: Arc<Mutex<State>>,
}

impl SandboxVms {
    /// Starts an 11VMS that takes the tokens of this issuer.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(issuer: Issuer) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = super::listen(move |request| {
            let (state, issuer) = (Arc::clone(&shared), issuer.clone());
            async move { answer(&state, &issuer, &request).await }
        })
        .await?;
        Ok(Self { server: Arc::new(server), state })
    }

    /// Its base URL.
    pub fn url(&self) -> Url {
        self.server.url.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The next request meets this effect.
    pub fn next(&self, effect: Effect) {
        self.state().faults.push_back(Fault { delay_ms: 0, effect });
    }

    /// The next request meets this fault.
    pub fn queue(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// Requests arrive, and wait.
    pub fn close_gate(&self) {
        self.state().gate.send_replace(Gate::Closed);
    }

    /// Those that wait are worked on, and all others.
    pub fn open_gate(&self) {
        self.state().gate.send_replace(Gate::Open);
    }

    /// Takes tokens of any issuer from now on.
    pub fn take_any_token(&self) {
        self.state().takes_any_token = true;
    }

    /// Every request takes this long.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// How many requests were under way at the same time, at most.
    pub fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    /// Every order, oldest first.
    pub fn orders(&self) -> Vec<Created> {
        self.state().orders.clone()
    }

    /// Every request, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(state: &Mutex<State>, issuer: &Issuer, request: &Request<Bytes>) -> Result<Answer, HangUp> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/sandbox/faults") => Ok(queue_faults(state, request)),
        (&Method::GET, "/sandbox/orders") => Ok(list(state)),
        (&Method::POST | &Method::GET, "/purchase-orders") => business(state, issuer, request).await,
        _ => Ok(super::json(404, &json!({ "message": "no such path" }))),
    }
}

/// `[{"delayMs":200,"effect":"hang-up-after"},{"effect":{"status":{"status":503}}}]`
fn queue_faults(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    match serde_json::from_slice::<Vec<Fault>>(request.body()) {
        Ok(faults) => {
            let queued = faults.len();
            lock(state).faults.extend(faults);
            super::json(200, &json!({ "queued": queued }))
        }
        Err(error) => super::json(400, &json!({ "message": error.to_string() })),
    }
}

fn list(state: &Mutex<State>) -> Answer {
    let orders: Vec<Value> =
        lock(state).orders.iter().map(|order| json!({ "poNumber": order.number, "order": order.body })).collect();
    super::json(200, &json!({ "orders": orders }))
}

async fn business(state: &Mutex<State>, issuer: &Issuer, request: &Request<Bytes>) -> Result<Answer, HangUp> {
    let (fault, latency, mut gate) = {
        let mut state = lock(state);
        state.received.push(received(request));
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        (state.faults.pop_front().unwrap_or_default(), state.latency, state.gate.subscribe())
    };
    // Where nobody can open it any more, nobody waits for an answer.
    let _ = gate.wait_for(|gate| *gate == Gate::Open).await;
    let answer = meet(state, issuer, request, fault, latency).await;
    lock(state).at_once -= 1;
    answer
}

async fn meet(
    state: &Mutex<State>,
    issuer: &Issuer,
    request: &Request<Bytes>,
    fault: Fault,
    latency: Duration,
) -> Result<Answer, HangUp> {
    let delay = latency + Duration::from_millis(fault.delay_ms);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let any = lock(state).takes_any_token;
    if !super::bearer(request).is_some_and(|token| any || issuer.knows(&token)) {
        return Ok(super::json(401, &json!({ "message": "unknown token" })));
    }
    match fault.effect {
        Effect::Normal => Ok(work(state, request)),
        Effect::HangUpBefore => Err(HangUp),
        Effect::HangUpAfter => {
            work(state, request);
            Err(HangUp)
        }
        Effect::Garbage => {
            work(state, request);
            Ok(super::text(201, "text/html", "<html>gateway".to_owned()))
        }
        Effect::CreatedButStatus(status) => {
            work(state, request);
            Ok(super::json(status, &json!({ "message": "failed after the order was created" })))
        }
        Effect::Redirect(location) => {
            let mut answer = super::json(307, &Value::Null);
            answer.headers_mut().extend(HeaderValue::from_str(&location).map(|value| (header::LOCATION, value)));
            Ok(answer)
        }
        Effect::Status { status, body, retry_after } => {
            let mut answer = super::json(status, &body);
            if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(&value).ok()) {
                answer.headers_mut().insert(header::RETRY_AFTER, value);
            }
            Ok(answer)
        }
    }
}

fn work(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    if request.method() == Method::GET { look_up(state, request) } else { create(state, request) }
}

fn create(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
        return super::json(400, &json!({ "message": "no JSON" }));
    };
    let mut state = lock(state);
    let number = (FIRST_NUMBER + state.orders.len() as u64).to_string();
    state.orders.push(Created { number: number.clone(), body });
    super::json(201, &json!({ "poNumber": number, "status": "CREATED" }))
}

fn look_up(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let id = external_id(request);
    let state = lock(state);
    let found = state.orders.iter().filter(|order| order.body.get("externalId").and_then(Value::as_str) == Some(&id));
    let found: Vec<Value> = found.map(|order| json!({ "poNumber": order.number, "externalId": id })).collect();
    super::json(200, &json!({ "purchaseOrders": found }))
}

fn external_id(request: &Request<Bytes>) -> String {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "externalId").map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn received(request: &Request<Bytes>) -> Received {
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let key = headers.iter().find(|(name, _)| name == "idempotency-key").map(|(_, value)| value.clone());
    Received { method: request.method().to_string(), id: key.unwrap_or_else(|| external_id(request)), headers }
}

//! The endpoints of the sandbox's 11VMS: orders as the real one has them, and `/sandbox/` for faults.

use std::sync::Mutex;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};

use super::fault::{Effect, Fault};
use super::salesforce::{self, external_id_of};
use super::state::{Api, CreatedOrder, Gate, ReceivedRequest, State, lock};
use crate::sandbox::http::{Answer, bearer, json_answer, text_answer};
use crate::sandbox::issuer::Issuer;
use crate::sandbox::local_server::HangUp;

/// Answers one request.
pub async fn answer(state: &Mutex<State>, issuer: &Issuer, request: &Request<Bytes>) -> Result<Answer, HangUp> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/sandbox/faults") => Ok(queue_faults(state, request)),
        (&Method::GET, "/sandbox/faults") => Ok(text_answer(200, "text/plain; charset=utf-8", fault_help(request))),
        (&Method::GET, "/sandbox/orders") => Ok(list_orders(state)),
        (&Method::POST | &Method::GET, "/purchase-orders") => purchase_orders(state, issuer, request).await,
        (&Method::PATCH | &Method::GET, path) if salesforce::is_record(path) && lock(state).api == Api::Salesforce => {
            purchase_orders(state, issuer, request).await
        }
        _ => Ok(json_answer(404, &json!({ "message": "no such path" }))),
    }
}

/// How faults are queued, for whoever asks.
fn fault_help(request: &Request<Bytes>) -> String {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!(
        "POST a list of faults; each applies to one of the next requests to 11VMS:\n\n  \
         curl http://{host}/sandbox/faults -d '[{{\"delayMs\":200,\"effect\":\"hang-up-after\"}}]'\n\n\
         delayMs (0 if absent) is the time before the effect, which is one of:\n\n{}",
        Fault::help()
    )
}

/// `[{"delayMs":200,"effect":"hang-up-after"},{"effect":{"status":503}}]`
fn queue_faults(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    match Fault::parse_all(request.body()) {
        Ok(faults) => {
            let queued = faults.len();
            lock(state).faults.extend(faults);
            json_answer(200, &json!({ "queued": queued }))
        }
        Err(error) => json_answer(400, &json!({ "message": error, "help": "GET this address" })),
    }
}

fn list_orders(state: &Mutex<State>) -> Answer {
    let orders: Vec<Value> =
        lock(state).orders.iter().map(|order| json!({ "poNumber": order.number, "order": order.body })).collect();
    json_answer(200, &json!({ "orders": orders }))
}

async fn purchase_orders(state: &Mutex<State>, issuer: &Issuer, request: &Request<Bytes>) -> Result<Answer, HangUp> {
    let (fault, latency, mut gate) = {
        let mut state = lock(state);
        state.received.push(received(request));
        state.in_flight += 1;
        state.max_in_flight = state.max_in_flight.max(state.in_flight);
        (state.faults.pop_front().unwrap_or_default(), state.latency, state.gate.subscribe())
    };
    // Fails only without the handle that opens it; then no test waits for an answer.
    let _ = gate.wait_for(|gate| *gate == Gate::Open).await;
    let answer = handle_with_fault(state, issuer, request, fault, latency).await;
    lock(state).in_flight -= 1;
    answer
}

async fn handle_with_fault(
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
    let accepts_any = lock(state).accepts_any_token;
    if !bearer(request).is_some_and(|token| accepts_any || issuer.has_issued(&token)) {
        let body = match lock(state).api {
            Api::ElevenVms => json!({ "message": "unknown token" }),
            Api::Salesforce => salesforce::errors("INVALID_SESSION_ID", "Session expired or invalid"),
        };
        return Ok(json_answer(401, &body));
    }
    match fault.effect {
        Effect::Normal => Ok(handle(state, request)),
        Effect::HangUpBefore => Err(HangUp),
        Effect::HangUpAfter => {
            handle(state, request);
            Err(HangUp)
        }
        Effect::Garbage => {
            handle(state, request);
            Ok(text_answer(201, "text/html", "<html>gateway".to_owned()))
        }
        Effect::CreatedButStatus(status) => {
            handle(state, request);
            Ok(json_answer(status, &json!({ "message": "failed after the order was created" })))
        }
        Effect::CreatedAt(before) => {
            handle(state, request);
            let number = lock(state).orders.last().map(|order| order.number.clone()).unwrap_or_default();
            Ok(answer_with_location(text_answer(201, "text/plain", String::new()), &format!("{before}{number}")))
        }
        Effect::Redirect(location) => Ok(answer_with_location(json_answer(307, &Value::Null), &location)),
        Effect::Status { status, body, retry_after } => {
            let mut answer = json_answer(status, &body);
            if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(&value).ok()) {
                answer.headers_mut().insert(header::RETRY_AFTER, value);
            }
            Ok(answer)
        }
    }
}

fn answer_with_location(mut answer: Answer, location: &str) -> Answer {
    answer.headers_mut().extend(HeaderValue::from_str(location).map(|value| (header::LOCATION, value)));
    answer
}

fn handle(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let api = lock(state).api;
    match (api, request.method()) {
        (Api::Salesforce, _) => salesforce::answer(state, request),
        (Api::ElevenVms, &Method::GET) => look_up(state, request),
        (Api::ElevenVms, _) => create(state, request),
    }
}

fn create(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
        return json_answer(400, &json!({ "message": "no JSON" }));
    };
    let mut state = lock(state);
    let number = state.next_number();
    state.orders.push(CreatedOrder { number: number.clone(), body });
    json_answer(201, &json!({ "poNumber": number, "status": "CREATED" }))
}

fn look_up(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let id = external_id(request);
    let state = lock(state);
    let found = state.orders.iter().filter(|order| order.body.get("externalId").and_then(Value::as_str) == Some(&id));
    let found: Vec<Value> = found.map(|order| json!({ "poNumber": order.number, "externalId": id })).collect();
    json_answer(200, &json!({ "purchaseOrders": found }))
}

fn external_id(request: &Request<Bytes>) -> String {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let searched = pairs.find(|(name, _)| name == "externalId").map(|(_, value)| value.into_owned());
    searched.or_else(|| external_id_of(request.uri().path())).unwrap_or_default()
}

fn received(request: &Request<Bytes>) -> ReceivedRequest {
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let key = headers.iter().find(|(name, _)| name == "idempotency-key").map(|(_, value)| value.clone());
    ReceivedRequest {
        method: request.method().to_string(),
        path: request.uri().to_string(),
        id: key.unwrap_or_else(|| external_id(request)),
        headers,
    }
}

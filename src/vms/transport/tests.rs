//! Nothing leaves after the limit, however long the token took.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::clock::{ManualClock, PointInTime};
use crate::config::Settings;

/// 11VMS and its token endpoint: the host sleeps for an hour while token number `sleeps_at` is fetched.
#[derive(Clone)]
struct Stage {
    clock: Arc<ManualClock>,
    sleeps_at: usize,
    tokens: Arc<AtomicUsize>,
    orders: Arc<AtomicUsize>,
}

async fn token(State(stage): State<Stage>) -> Json<Value> {
    let number = stage.tokens.fetch_add(1, Ordering::Relaxed) + 1;
    if number == stage.sleeps_at {
        stage.clock.step(SignedDuration::from_hours(1));
    }
    Json(json!({ "access_token": number.to_string(), "token_type": "Bearer", "expires_in": 86_400 }))
}

/// The first token is refused.
async fn order(State(stage): State<Stage>, headers: HeaderMap) -> StatusCode {
    stage.orders.fetch_add(1, Ordering::Relaxed);
    let is_first = headers.get("authorization").is_some_and(|value| value == "Bearer 1");
    if is_first { StatusCode::UNAUTHORIZED } else { StatusCode::CREATED }
}

#[tokio::test]
async fn a_host_that_sleeps_while_a_token_is_fetched_sends_nothing_afterwards() {
    for (sleeps_at, limited, requests, is_sent) in
        [(0, true, 2, true), (1, true, 0, false), (2, true, 1, false), (1, false, 2, true)]
    {
        let clock = Arc::new(ManualClock::default());
        let stage = Stage { clock: Arc::clone(&clock), sleeps_at, tokens: Arc::default(), orders: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/token", post(token)).route("/orders", post(order)).with_state(stage.clone());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await });
        let text = format!(
            "auth.issuer = \"https://issuer.example\"\nauth.audience = \"x\"\ntarget.base_url = \"{base}\"\n\
             target.oauth2.token_url = \"{base}/token\"\ntarget.oauth2.client_id = \"x\"\ntarget.oauth2.client_secret = \"x\"\n"
        );
        let settings = Settings::parse("test", &text, &BTreeMap::new()).unwrap();
        let transport =
            Transport::from_config(&settings.target, Arc::clone(&clock) as Arc<dyn Clock>, Conditions::default())
                .unwrap();
        let limit = SendLimit { since: PointInTime::now(clock.as_ref()), longest: Duration::from_mins(1) };
        let build = |http: &Client, url: Url| http.post(url.join("orders").unwrap());
        let outcome = transport.send(build, limited.then_some(limit), |_| true).await;
        assert_eq!(matches!(outcome, CallOutcome::Answered(_)), is_sent, "{sleeps_at}: {outcome:?}");
        assert_eq!(stage.orders.load(Ordering::Relaxed), requests, "{sleeps_at}");
        server.abort();
    }
}

//! What the answers of a collector mean, and what is shown of them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;
use reqwest::header::{HeaderName, HeaderValue};

use super::*;
use crate::telemetry::export::MAX_WORDS;

const KEY: &str = "COLLECTOR-KEY-1";

fn echo() -> Echo {
    let mut key = HeaderValue::from_static(KEY);
    key.set_sensitive(true);
    Echo::of(&HeaderMap::from_iter([(HeaderName::from_static("api-key"), key)]))
}

fn answer(status: u16) -> Answer {
    Answer { status, headers: HeaderMap::new(), trailers: HeaderMap::new(), body: Vec::new() }
}

fn grpc_answer(code: &str, message: &str) -> Answer {
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    let trailers = [("grpc-status", value(code)), ("grpc-message", value(message))];
    let trailers = trailers.into_iter().map(|(name, value)| (HeaderName::from_static(name), value));
    Answer { trailers: trailers.collect(), ..answer(200) }
}

fn partial_success(rejected_spans: i64, error_message: String) -> Vec<u8> {
    let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message });
    ExportTraceServiceResponse { partial_success }.encode_to_vec()
}

/// `repeated`, `dropped` or `taken`, with what is said of it.
fn described(pushed: Pushed) -> (&'static str, String) {
    match pushed {
        Pushed::Failed { detail, .. } => ("repeated", detail),
        Pushed::Refused(detail) => ("dropped", detail),
        Pushed::TakenInPart { rejected, detail } => ("taken", format!("but for {rejected}: {detail}")),
        Pushed::Taken => ("taken", String::new()),
    }
}

#[test]
fn an_answer_by_http_is_taken_repeated_or_dropped_by_its_status() {
    for (status, expected) in [(200, "taken"), (202, "taken"), (400, "dropped"), (401, "dropped"), (500, "dropped")]
        .into_iter()
        .chain([(429, "repeated"), (502, "repeated"), (503, "repeated"), (504, "repeated")])
    {
        let wish = Some(Duration::from_secs(7));
        let pushed = answer(status).by_http(&echo(), wish);
        if let Pushed::Failed { retry_after, .. } = &pushed {
            assert_eq!(*retry_after, wish);
        }
        assert_eq!(described(pushed).0, expected, "{status}");
    }
}

#[test]
fn an_answer_by_grpc_is_taken_repeated_or_dropped_by_its_status_and_a_proxys_by_that_of_http() {
    for (code, expected) in [("0", "taken"), ("14", "repeated"), ("8", "dropped"), ("7", "dropped"), ("16", "dropped")]
    {
        assert_eq!(described(grpc_answer(code, "x").by_grpc(&echo())).0, expected, "{code}");
    }
    for (status, expected) in [(200, "dropped"), (404, "dropped"), (429, "repeated"), (503, "repeated")] {
        let (found, detail) = described(answer(status).by_grpc(&echo()));
        assert_eq!((found, detail), (expected, format!("answered {status} and no gRPC status")));
    }
}

#[test]
fn spans_that_were_not_taken_are_counted_by_both_protocols() {
    let body = partial_success(3, "too old".to_owned());
    let expected = ("taken", "but for 3: the collector refused spans: too old".to_owned());
    let by_http = Answer { body: body.clone(), ..answer(200) }.by_http(&echo(), None);
    let by_grpc = Answer { body: grpc::frame(&body), ..grpc_answer("0", "") }.by_grpc(&echo());
    assert_eq!((described(by_http), described(by_grpc)), (expected.clone(), expected));
    // A warning about a request that was taken whole.
    for rejected in [0, -1] {
        let body = partial_success(rejected, "use gzip".to_owned());
        assert_eq!(Answer { body, ..answer(200) }.by_http(&echo(), None), Pushed::Taken);
    }
}

#[test]
fn a_collectors_words_are_cut_and_do_not_repeat_a_key() {
    let long = format!("bad key {KEY}: {}", "x".repeat(2_000));
    let by_grpc = grpc_answer("16", &long).by_grpc(&echo());
    let by_http = Answer { body: partial_success(1, long), ..answer(200) }.by_http(&echo(), None);
    for pushed in [by_grpc, by_http] {
        let (_, detail) = described(pushed);
        assert!(detail.contains("bad key ***: x") && !detail.contains(KEY), "{detail}");
        assert!(detail.chars().count() < MAX_WORDS + 60, "{}", detail.len());
    }
    let encoded = grpc_answer("16", "bad key COLLECTOR%2DKEY%2D1").by_grpc(&echo());
    assert_eq!(described(encoded).1, "gRPC status 16: bad key ***");
}

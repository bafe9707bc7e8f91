//! Salesforce's upsert by external id: `PATCH` and `GET /services/data/vN.0/sobjects/{object}/{field}/{id}`.
//!
//! Statuses and bodies are those of its REST API: 201 and 200 with the record's id (204 before version 46), 300 with all
//! records of an id that is not unique, and errors as a list of `message` and `errorCode`.

use std::sync::Mutex;

use axum::body::Bytes;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::state::{CreatedOrder, State, lock};
use crate::sandbox::http::{Answer, json_answer};

/// Before this version, the answer to an update had no body.
const FIRST_VERSION_WITH_A_BODY: u32 = 46;

/// A record's address.
struct Record {
    version: u32,
    object: String,
    field: String,
    id: String,
}

impl Record {
    fn of(path: &str) -> Option<Self> {
        let mut steps = path.strip_prefix("/services/data/v")?.split('/');
        let version = steps.next()?.strip_suffix(".0")?.parse().ok()?;
        let (Some("sobjects"), Some(object), Some(field), Some(id), None) =
            (steps.next(), steps.next(), steps.next(), steps.next(), steps.next())
        else {
            return None;
        };
        let id = percent_decode_str(id).decode_utf8().ok()?.into_owned();
        Some(Self { version, object: object.to_owned(), field: field.to_owned(), id })
    }

    fn url(&self, number: &str) -> String {
        format!("/services/data/v{}.0/sobjects/{}/{number}", self.version, self.object)
    }

    fn is_of(&self, order: &CreatedOrder) -> bool {
        order.body.get(&self.field).and_then(Value::as_str) == Some(&self.id)
    }
}

/// Whether the path is that of a record.
pub fn is_record(path: &str) -> bool {
    Record::of(path).is_some()
}

/// The external id in the path of a record.
pub fn external_id_of(path: &str) -> Option<String> {
    Record::of(path).map(|record| record.id)
}

/// A list of one error.
pub fn errors(code: &str, message: &str) -> Value {
    json!([{ "message": message, "errorCode": code }])
}

/// Answers a request for a record.
pub fn answer(state: &Mutex<State>, request: &Request<Bytes>) -> Answer {
    let Some(record) = Record::of(request.uri().path()) else {
        return json_answer(404, &errors("NOT_FOUND", "The requested resource does not exist"));
    };
    let mut state = lock(state);
    let found: Vec<String> =
        state.orders.iter().filter(|order| record.is_of(order)).map(|order| order.number.clone()).collect();
    if found.len() > 1 {
        let urls: Vec<String> = found.iter().map(|number| record.url(number)).collect();
        return json_answer(300, &json!(urls));
    }
    if request.method() == Method::GET { read(&state, &record) } else { upsert(&mut state, &record, request) }
}

fn read(state: &State, record: &Record) -> Answer {
    let Some(order) = state.orders.iter().find(|order| record.is_of(order)) else {
        return json_answer(404, &errors("NOT_FOUND", "The requested resource does not exist"));
    };
    let mut body = json!({
        "attributes": { "type": record.object, "url": record.url(&order.number) },
        "Id": order.number,
        "Name": format!("PO-{}", order.number),
    });
    if let (Some(members), Some(fields)) = (body.as_object_mut(), order.body.as_object()) {
        members.extend(fields.clone());
    }
    json_answer(200, &body)
}

fn upsert(state: &mut State, record: &Record, request: &Request<Bytes>) -> Answer {
    let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(request.body()) else {
        return json_answer(400, &errors("JSON_PARSER_ERROR", "Unexpected character"));
    };
    if fields.contains_key(&record.field) {
        let message = format!("The {} field should not be specified in the sobject data.", record.field);
        return json_answer(400, &errors("INVALID_FIELD", &message));
    }
    fields.insert(record.field.clone(), json!(record.id));
    let success =
        |number: &str, created: bool| json!({ "id": number, "success": true, "errors": [], "created": created });
    if let Some(order) = state.orders.iter_mut().find(|order| record.is_of(order)) {
        order.body = Value::Object(fields);
        if record.version < FIRST_VERSION_WITH_A_BODY {
            let mut answer = Response::new(Full::default());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            return answer;
        }
        return json_answer(200, &success(&order.number, false));
    }
    // A record's id: three characters for its object, then letters and digits.
    let number = format!("a0X{}EAK", state.next_number());
    state.orders.push(CreatedOrder { number: number.clone(), body: Value::Object(fields) });
    json_answer(201, &success(&number, true))
}

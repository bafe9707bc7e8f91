//! A sample of each kind of problem, as the pages and the description show it.

use serde_json::json;

use super::{Problem, ProblemBody, ProblemKind, RequestContext};
use crate::message::{Message, MessageCode};

/// The order that the samples are about.
const ORDER: &str = "005056a207c81ed1bfc6b69e72f50550";

impl ProblemKind {
    /// A body of this kind, such as callers get.
    pub fn sample(self) -> ProblemBody {
        problem(self).body(&RequestContext::sample(&sample_path(self)))
    }
}

fn problem(kind: ProblemKind) -> Problem {
    let problem = Problem::new(kind, kind.example);
    match kind {
        ProblemKind::REFUSED_BY_11VMS => problem
            .order(ORDER)
            .with_messages(vec![Message::new(MessageCode::Refused, kind.example)])
            .vms(Some(json!({ "message": "cost center 1000 is closed" }))),
        ProblemKind::PARKED => {
            problem.order(ORDER).with_messages(vec![Message::new(MessageCode::Parked, kind.example)])
        }
        ProblemKind::ORDER_EXISTS
        | ProblemKind::ORDER_CANCELLED
        | ProblemKind::ALREADY_SETTLED
        | ProblemKind::ATTEMPT_UNDER_WAY
        | ProblemKind::STILL_OPEN => problem.order(ORDER),
        ProblemKind::INVALID_CART => {
            let message = Message::new(MessageCode::Missing, kind.example).at("HEADER", "ZZ_SALES_ORG", 0);
            problem.with_messages(vec![message])
        }
        ProblemKind::MALFORMED_JSON => problem.position(4, 12),
        _ => problem,
    }
}

/// The path of a request that gets the problem.
fn sample_path(kind: ProblemKind) -> String {
    match kind {
        ProblemKind::INVALID_BODY | ProblemKind::ALREADY_SETTLED | ProblemKind::ATTEMPT_UNDER_WAY => {
            format!("/v2/purchase-orders/{ORDER}/resolve")
        }
        ProblemKind::NOT_FOUND => "/v2/purchase-orders/4711".to_owned(),
        ProblemKind::STOPPING => "/readyz".to_owned(),
        // Nothing of the request is read.
        ProblemKind::TLS_EXPECTED | ProblemKind::URI_TOO_LONG => "/".to_owned(),
        _ => "/v2/purchase-orders".to_owned(),
    }
}

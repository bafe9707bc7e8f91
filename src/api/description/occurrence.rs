//! Which operations answer with a kind of problem, for its page.

use std::sync::LazyLock;

use serde_json::Value;

use super::{document, problems};
use crate::problem::ProblemKind;

/// An operation, and where the docs page has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationLink {
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path, with its parameters in braces.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// The address of its part of the docs page.
    pub href: String,
    id: String,
}

/// Where a kind of problem occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The operations that answer with it; none if any request can have it.
    pub operations: Vec<&'static OperationLink>,
    /// The operation for a batch, if the result of a cart can have it.
    pub batch: Option<&'static OperationLink>,
}

impl Occurrence {
    /// Where a kind occurs.
    pub fn of(kind: ProblemKind) -> Self {
        static OPERATIONS: LazyLock<Vec<OperationLink>> = LazyLock::new(|| links(&document()));
        if problems::is_of_every_request(kind) {
            return Self { operations: Vec::new(), batch: None };
        }
        let has = |kinds: &[&[ProblemKind]]| kinds.iter().any(|kinds| kinds.contains(&kind));
        let operations = OPERATIONS.iter().filter(|one| has(&problems::own_kinds(&one.id).unwrap_or_default()));
        let batch = OPERATIONS.iter().find(|one| one.id == "create_purchase_orders" && has(problems::OF_RESULTS));
        Self { operations: operations.collect(), batch }
    }

    /// Whether any request can have it.
    pub const fn is_everywhere(&self) -> bool {
        self.operations.is_empty()
    }

    /// Whether a cart that is only looked at can have it.
    pub fn is_of_previews(&self) -> bool {
        self.operations.iter().any(|one| one.id == "preview_purchase_order")
    }
}

fn links(document: &Value) -> Vec<OperationLink> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().into_iter().flatten();
        methods.filter_map(|(method, operation)| link(path, method, operation)).collect::<Vec<_>>()
    };
    paths.flat_map(of_path).collect()
}

/// What a path has beside its operations has no id.
fn link(path: &str, method: &str, operation: &Value) -> Option<OperationLink> {
    let text = |pointer: &str| operation.pointer(pointer).and_then(Value::as_str);
    let id = text("/operationId")?;
    let tag = text("/tags/0")?.replace(' ', "%20");
    Some(OperationLink {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text("/summary").unwrap_or_default().to_owned(),
        href: format!("/docs#/{tag}/{id}"),
        id: id.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(kind: ProblemKind) -> Vec<&'static str> {
        Occurrence::of(kind).operations.into_iter().map(|operation| operation.id.as_str()).collect()
    }

    #[test]
    fn a_kind_occurs_with_the_operations_that_answer_with_it() {
        assert_eq!(operations(ProblemKind::ORDER_EXISTS), ["create_purchase_order"]);
        assert_eq!(operations(ProblemKind::INVALID_BODY), ["create_purchase_orders", "resolve_purchase_order"]);
        for (kind, is_everywhere, is_in_results, is_of_previews) in [
            (ProblemKind::OVERLOADED, true, false, false),
            (ProblemKind::INVALID_CART, false, true, true),
            (ProblemKind::TOO_LARGE, false, true, true),
            (ProblemKind::PARKED, false, true, false),
            (ProblemKind::INVALID_TOKEN, false, false, true),
            (ProblemKind::INVALID_BODY, false, false, false),
        ] {
            let found = Occurrence::of(kind);
            let found = (found.is_everywhere(), found.batch.is_some(), found.is_of_previews());
            assert_eq!(found, (is_everywhere, is_in_results, is_of_previews), "{}", kind.name);
        }
        for kind in ProblemKind::ALL {
            let is_of_every_request = problems::is_of_every_request(*kind);
            assert_eq!(Occurrence::of(*kind).is_everywhere(), is_of_every_request, "{} occurs nowhere", kind.name);
        }
    }

    #[test]
    fn every_operation_has_a_link() {
        let mut document = document();
        let links = links(&document);
        assert_eq!(super::super::operations::operations(&mut document).count(), links.len());
    }

    #[test]
    fn a_link_leads_to_the_operation_on_the_docs_page() {
        let link = Occurrence::of(ProblemKind::ORDER_EXISTS).operations[0];
        assert_eq!((link.method.as_str(), link.path.as_str()), ("POST", "/v2/purchase-orders"));
        assert_eq!(link.href, "/docs#/Purchase%20orders/create_purchase_order");
        assert!(!link.summary.is_empty());
    }
}

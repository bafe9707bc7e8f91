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
    /// With every request.
    pub is_everywhere: bool,
    /// As the answer of these operations, where it is not everywhere.
    pub operations: Vec<&'static OperationLink>,
    /// In the result of a cart, in the answer to a batch.
    pub is_in_results: bool,
}

impl Occurrence {
    /// Where a kind occurs.
    pub fn of(kind: ProblemKind) -> Self {
        static OPERATIONS: LazyLock<Vec<OperationLink>> = LazyLock::new(|| links(&document()));
        let is_everywhere = problems::is_of_every_request(kind);
        let has = |kinds: &[&[ProblemKind]]| kinds.iter().any(|kinds| kinds.contains(&kind));
        let answers =
            |operation: &&OperationLink| !is_everywhere && has(&problems::own_kinds(&operation.id).unwrap_or_default());
        let operations = OPERATIONS.iter().filter(answers).collect();
        Self { is_everywhere, operations, is_in_results: has(problems::OF_RESULTS) }
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
        assert!(Occurrence::of(ProblemKind::OVERLOADED).is_everywhere);
        assert!(Occurrence::of(ProblemKind::INVALID_CART).is_in_results);
        assert!(!Occurrence::of(ProblemKind::INVALID_BODY).is_in_results);
        for kind in ProblemKind::ALL {
            let occurrence = Occurrence::of(*kind);
            assert_ne!(occurrence.is_everywhere, !occurrence.operations.is_empty(), "{}", kind.name);
        }
    }

    #[test]
    fn a_link_leads_to_the_operation_on_the_docs_page() {
        let link = Occurrence::of(ProblemKind::ORDER_EXISTS).operations[0];
        assert_eq!((link.method.as_str(), link.path.as_str()), ("POST", "/v2/purchase-orders"));
        assert_eq!(link.href, "/docs#/Purchase%20orders/create_purchase_order");
        assert!(!link.summary.is_empty());
    }
}

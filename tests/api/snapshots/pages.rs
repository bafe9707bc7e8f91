//! Pages for people.

use super::{exchange, start};
use crate::snapshot_files::assert_snapshot;

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_page() {
    let service = start().await;
    let answer = exchange(&service, service.client.get(service.url("/problems/invalid-cart"))).await;
    let text = answer.text().replace(env!("CARGO_PKG_VERSION"), "[version]");
    assert_snapshot("pages/problem-invalid-cart.snap", &text);
}

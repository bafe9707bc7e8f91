//! Problems of a request itself: its form, its token, its size. Nothing of it is recorded.

use purchase_order_webhook::problem::ProblemKind;
use reqwest::Method;
use serde_json::json;

use super::{assert_problem, exchange, get, post, request, send, start, start_with, token};
use crate::certificates::{Ca, Kind};
use crate::exchange::Exchange;
use crate::support::{ORDERS, cart};

#[tokio::test]
async fn a_body_that_is_no_json() {
    let service = start().await;
    let answer = exchange(&service, post(&service, "", "{\"HEADER\":\n  {,}}")).await;
    assert_problem(ProblemKind::MALFORMED_JSON, "problems/400-malformed-json.snap", &answer);
}

#[tokio::test]
async fn a_request_without_host() {
    let service = start().await;
    let request = "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answer = Exchange::on_a_socket(service.address, request).await;
    assert_problem(ProblemKind::MALFORMED_REQUEST, "problems/400-malformed-request.snap", &answer);
}

#[tokio::test]
async fn a_request_that_is_no_http() {
    let service = start().await;
    let answer = Exchange::on_a_socket(service.address, "HELLO\r\n\r\n").await;
    assert_problem(ProblemKind::MALFORMED_REQUEST, "problems/400-malformed-request-no-http.snap", &answer);
}

#[tokio::test]
async fn a_parameter_that_is_out_of_range() {
    let service = start().await;
    let answer = exchange(&service, get(&service, "?limit=0")).await;
    assert_problem(ProblemKind::INVALID_PARAMETER, "problems/400-invalid-parameter.snap", &answer);
}

#[tokio::test]
async fn a_resolution_that_names_neither_number_nor_reason() {
    let service = start().await;
    let answer = exchange(&service, post(&service, "/1/resolve", "{}")).await;
    assert_problem(ProblemKind::INVALID_BODY, "problems/400-invalid-body.snap", &answer);
}

#[tokio::test]
async fn a_version_that_is_not_served() {
    let service = start().await;
    let answer = exchange(&service, get(&service, "").header("accept-version", "3")).await;
    assert_problem(ProblemKind::UNSUPPORTED_VERSION, "problems/400-unsupported-version.snap", &answer);
}

#[tokio::test]
async fn a_request_without_tls_where_tls_is_expected() {
    let ca = Ca::new();
    let pair = ca.server("server", Kind::Ec);
    let (certificate, key) = (pair.certificate.display(), pair.key.display());
    let service = start_with(&format!("server.tls.certificate = \"{certificate}\"\nserver.tls.key = \"{key}\"")).await;
    let answer = Exchange::on_a_socket(service.address, "GET /livez HTTP/1.1\r\nHost: service\r\n\r\n").await;
    assert_problem(ProblemKind::TLS_EXPECTED, "problems/400-tls-expected.snap", &answer);
}

#[tokio::test]
async fn a_request_without_a_token() {
    let service = start().await;
    let answer = exchange(&service, service.client.get(service.url(ORDERS))).await;
    assert_problem(ProblemKind::INVALID_TOKEN, "problems/401-invalid-token.snap", &answer);
}

#[tokio::test]
async fn a_token_that_has_expired() {
    let service = start().await;
    let expired = token(&service, &json!({ "iat": 1, "exp": 2 }));
    let answer = exchange(&service, service.client.get(service.url(ORDERS)).bearer_auth(expired)).await;
    assert_problem(ProblemKind::INVALID_TOKEN, "problems/401-invalid-token-expired.snap", &answer);
}

#[tokio::test]
async fn a_token_that_lacks_a_scope() {
    let service = start().await;
    let reader = token(&service, &json!({ "scope": "purchase-orders.read" }));
    let request = service.client.post(service.url(ORDERS)).bearer_auth(reader);
    let answer = exchange(&service, request.header("content-type", "application/json").body("{}")).await;
    assert_problem(ProblemKind::INSUFFICIENT_SCOPE, "problems/403-insufficient-scope.snap", &answer);
}

#[tokio::test]
async fn an_order_that_is_not_known() {
    let service = start().await;
    let answer = exchange(&service, get(&service, "/4711")).await;
    assert_problem(ProblemKind::NOT_FOUND, "problems/404-not-found.snap", &answer);
}

#[tokio::test]
async fn a_path_that_does_not_exist() {
    let service = start().await;
    let answer = exchange(&service, service.client.get(service.url("/nowhere"))).await;
    assert_problem(ProblemKind::NOT_FOUND, "problems/404-not-found-path.snap", &answer);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have() {
    let service = start().await;
    let answer = exchange(&service, request(&service, Method::DELETE, "")).await;
    assert_problem(ProblemKind::METHOD_NOT_ALLOWED, "problems/405-method-not-allowed.snap", &answer);
}

#[tokio::test]
async fn a_connection_on_which_no_request_arrives() {
    let service = start_with("server.limits.first_byte = \"100ms\"").await;
    let answer = Exchange::on_a_socket(service.address, "").await;
    assert_problem(ProblemKind::REQUEST_TIMEOUT, "problems/408-request-timeout.snap", &answer);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time() {
    let service = start_with("server.limits.body_time = \"100ms\"").await;
    let begun = format!(
        "POST {ORDERS} HTTP/1.1\r\nHost: service\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\nConnection: close\r\nX-Request-Id: request-1\r\n\r\n{{\"HEADER\":",
        token(&service, &json!({}))
    );
    let answer = Exchange::on_a_socket(service.address, &begun).await;
    assert_problem(ProblemKind::REQUEST_TIMEOUT, "problems/408-request-timeout-body.snap", &answer);
}

#[tokio::test]
async fn a_body_over_its_limit() {
    let service = start_with("server.max_body = \"1KiB\"").await;
    let answer = exchange(&service, post(&service, "", " ".repeat(1_025))).await;
    assert_problem(ProblemKind::TOO_LARGE, "problems/413-too-large.snap", &answer);
}

#[tokio::test]
async fn a_target_that_is_too_long() {
    let service = start().await;
    let request = format!("GET /{} HTTP/1.1\r\nHost: service\r\n\r\n", "x".repeat(70_000));
    let answer = Exchange::on_a_socket(service.address, &request).await;
    assert_problem(ProblemKind::URI_TOO_LONG, "problems/414-uri-too-long.snap", &answer);
}

#[tokio::test]
async fn a_body_of_another_media_type() {
    let service = start().await;
    let request = request(&service, Method::POST, "").header("content-type", "text/xml").body("<CART/>");
    let answer = exchange(&service, request).await;
    assert_problem(ProblemKind::UNSUPPORTED_MEDIA_TYPE, "problems/415-unsupported-media-type.snap", &answer);
}

#[tokio::test]
async fn a_request_for_another_interface() {
    let service = start().await;
    let answer = exchange(&service, get(&service, "").header("smart-id", "PROC-OTHER-V1")).await;
    assert_problem(ProblemKind::MISDIRECTED, "problems/421-misdirected.snap", &answer);
}

#[tokio::test]
async fn a_cart_with_four_mistakes() {
    let service = start().await;
    let mut mistaken = cart(1);
    mistaken["HEADER"]["ZZ_SALES_ORG"] = json!("");
    mistaken["HEADER"]["ZZ_CUST_CATEGORY"] = json!("Z");
    mistaken["ITEM"][0]["UNIT"] = json!("FURLONG");
    mistaken["ITEM"][0]["QUANTITY"] = json!("many");
    let answer = send(&service, &mistaken).await;
    assert_problem(ProblemKind::INVALID_CART, "problems/422-invalid-cart.snap", &answer);
}

#[tokio::test]
async fn a_client_over_its_rate() {
    let service = start_with("server.rate_limit_per_client = 1").await;
    exchange(&service, get(&service, "")).await;
    let answer = exchange(&service, get(&service, "")).await;
    assert_problem(ProblemKind::RATE_LIMITED, "problems/429-rate-limited.snap", &answer);
}

#[tokio::test]
async fn headers_over_their_limit() {
    let service = start_with("server.limits.headers = \"8KiB\"").await;
    let request = service.client.get(service.url("/livez")).header("x-long", "x".repeat(8_200));
    let answer = exchange(&service, request).await;
    assert_problem(ProblemKind::HEADERS_TOO_LARGE, "problems/431-headers-too-large.snap", &answer);
}

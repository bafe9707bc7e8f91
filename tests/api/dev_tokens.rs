//! Tokens that a developer gets from the sandbox's issuer: with chosen scopes and lifetime, from a page of another origin too; and
//! the sandbox's help with faults.

use std::time::Duration;

use purchase_order_webhook::sandbox::issuer::SCOPES;
use serde_json::json;

use crate::support::{Answer, ORDERS, Service};

/// Asks the token endpoint as SRM.
async fn ask(service: &Service, parameters: &[(&str, &str)]) -> Answer {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials").extend_pairs(parameters);
    let request = service.client.post(service.issuer.token_url()).basic_auth("srm7", Some("srm7-secret"));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.finish());
    Answer::of(request.send().await.unwrap()).await
}

async fn token(service: &Service, parameters: &[(&str, &str)]) -> String {
    ask(service, parameters).await.body["access_token"].as_str().unwrap().to_owned()
}

async fn list(service: &Service, token: &str) -> Answer {
    Answer::of(service.client.get(service.url(ORDERS)).bearer_auth(token).send().await.unwrap()).await
}

#[tokio::test]
async fn a_token_permits_what_was_asked_for() {
    let service = Service::start().await;
    let answer = ask(&service, &[]).await;
    assert_eq!(answer.body["scope"], SCOPES, "all scopes, if none is asked for");
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let everything = answer.body["access_token"].as_str().unwrap();
    assert_eq!(service.send_with(everything).await.status, 201);
    assert_eq!(list(&service, everything).await.status, 200);

    let reading = token(&service, &[("scope", "purchase-orders.read")]).await;
    assert_eq!(list(&service, &reading).await.status, 200);
    service.send_with(&reading).await.is_problem(403, "insufficient-scope");
    let writing = token(&service, &[("scope", "purchase-orders.write")]).await;
    assert_eq!(service.send_with(&writing).await.status, 200);
    list(&service, &writing).await.is_problem(403, "insufficient-scope");
    assert!(!service.issuer.has_issued(everything), "it is no token for 11VMS");
}

#[tokio::test]
async fn a_token_lives_as_long_as_was_asked_for() {
    let service = Service::start().await;
    let answer = ask(&service, &[("expires_in", "600")]).await;
    assert_eq!(answer.body["expires_in"], 600);
    let short = answer.body["access_token"].as_str().unwrap();
    assert_eq!(service.send_with(short).await.status, 201);
    // Its lifetime, and more than `auth.leeway`.
    service.clock.advance(Duration::from_secs(640));
    service.send_with(short).await.is_problem(401, "invalid-token");

    let expired = token(&service, &[("expires_in", "-60")]).await;
    let answer = list(&service, &expired).await;
    answer.is_problem(401, "invalid-token");
    assert!(answer.body["detail"].as_str().unwrap().contains("expired"), "{}", answer.text);
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_what_is_expected() {
    let service = Service::start().await;
    for (parameter, status, error, description) in [
        (("scope", "purchase-orders.read orders"), 400, "invalid_scope", "scope: orders is unknown; expected some of"),
        (
            ("expires_in", "soon"),
            400,
            "invalid_request",
            "expires_in: soon is no number of seconds from -3600 to 86400",
        ),
        (("expires_in", "86401"), 400, "invalid_request", "expires_in: 86401 is no number"),
    ] {
        let answer = ask(&service, &[parameter]).await;
        assert_eq!((answer.status, answer.body["error"].as_str().unwrap()), (status, error));
        let found = answer.body["error_description"].as_str().unwrap();
        assert!(found.starts_with(description), "{found}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "the page has to read why");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_may_ask() {
    let service = Service::start().await;
    let preflight = service
        .client
        .request(reqwest::Method::OPTIONS, service.issuer.token_url())
        .header("origin", "http://127.0.0.1:8080")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,x-requested-with");
    let answer = Answer::of(preflight.send().await.unwrap()).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type, x-requested-with");
    assert_eq!(service.issuer.token_requests(), 0, "a preflight asks for no token");
    assert_eq!(ask(&service, &[]).await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn the_sandbox_explains_its_faults() {
    let service = Service::start().await;
    let url = format!("{}sandbox/faults", service.vms.url());
    let help = service.client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(help.contains(&format!("curl {url} -d")), "{help}");
    for effect in [
        "normal",
        "hang-up-before",
        "hang-up-after",
        "garbage",
        "status",
        "redirect",
        "created-but-status",
        "created-at",
    ] {
        assert!(help.contains(&format!("\"{effect}\"")), "{effect}: {help}");
    }
    let post = |body: &'static str| service.client.post(&url).body(body).send();
    let wrong = Answer::of(post("[{},{\"effects\":\"garbage\"}]").await.unwrap()).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.body["message"], "fault 1: effects is unknown; expected delayMs and effect");
    let right = Answer::of(post("{\"effect\":{\"status\":503}}").await.unwrap()).await;
    assert_eq!((right.status, &right.body), (200, &json!({ "queued": 1 })));
}

//! The recipes of docs/identity.md for callers' tokens, each with the claims that its system issues. The systems are imitated
//! from their documentation.

use std::collections::BTreeMap;

use purchase_order_webhook::config::Settings;
use purchase_order_webhook::sandbox::issuer::Issuer;
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::support::Service;

const PAGE: &str = include_str!("../../docs/identity.md");

/// The settings below a heading of the page.
fn recipe(system: &str) -> toml::Table {
    let section = PAGE.split(&format!("\n#### {system}\n")).nth(1).unwrap_or_else(|| panic!("no recipe for {system}"));
    let block = section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or_else(|| panic!("no settings for {system}")).parse().unwrap()
}

/// Settings as lines of dotted keys, as other lines may stand before and after them.
fn flat(prefix: &str, table: &toml::Table, lines: &mut Vec<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flat(&key, inner, lines),
            value => lines.push(format!("{key} = {value}")),
        }
    }
}

/// A service with the settings of a recipe, for an issuer that answers here.
async fn service(system: &str) -> (Service, String) {
    let issuer = Issuer::start().await.unwrap();
    let mut settings = recipe(system);
    let auth = settings["auth"].as_table_mut().unwrap();
    let name = auth["issuer"].as_str().unwrap().to_owned();
    // The keys are here; the name stays, as the tokens have it.
    auth.insert("jwks_url".to_owned(), format!("{}/jwks", issuer.url()).into());
    let mut lines = Vec::new();
    flat("", &settings, &mut lines);
    let vms = SandboxVms::start(issuer.clone()).await.unwrap();
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    (Service::start_beside(issuer, vms, folder, &lines.join("\n")).await, name)
}

/// The claims of a system, beside its name and times.
async fn accepts(system: &str, claims: Value, refused: &[(&str, Value, u16)]) {
    let (service, name) = service(system).await;
    let times = service.issuer.claims();
    let token = |changes: &Value| {
        let mut all = json!({ "iss": name, "iat": times["iat"], "nbf": times["iat"], "exp": times["exp"] });
        for more in [&claims, changes] {
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        service.issuer.sign(&json!({ "alg": "RS256", "typ": "JWT", "kid": service.issuer.kid() }), &all)
    };
    let answer = service.send_with(&token(&json!({}))).await;
    assert_eq!(answer.status, 201, "{system}: {}", answer.text);
    for (what, changes, status) in refused {
        let answer = service.send_with(&token(changes)).await;
        assert_eq!(answer.status, *status, "{system}, {what}: {}", answer.text);
    }
}

#[test]
fn the_example_of_several_issuers_is_one() {
    const TARGET: &str = "[target]\nbase_url = \"https://x.example\"\n[target.oauth2]\n\
        token_url = \"https://x.example\"\nclient_id = \"x\"\nclient_secret = \"x\"\n";
    let section = PAGE.split("\n### Several issuers\n").nth(1).unwrap();
    let block = section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let settings = Settings::parse("page", &format!("{block}{TARGET}"), &BTreeMap::new()).unwrap();
    assert_eq!(settings.auth.issuers().count(), 2);
}

#[tokio::test]
async fn xsuaa() {
    let claims = json!({
        "jti": "0b8f7c3d", "sub": "sb-srm!t42", "client_id": "sb-srm!t42", "cid": "sb-srm!t42", "azp": "sb-srm!t42",
        "zid": "5c8f", "grant_type": "client_credentials", "rev_sig": "c3a1", "scope": ["orders!t42.Write", "uaa.resource"],
        "aud": ["uaa", "sb-srm!t42", "orders!t42"],
    });
    let others = [
        ("another application", json!({ "aud": ["other!t7"], "cid": "x" }), 401),
        ("no scope", json!({ "scope": [] }), 403),
    ];
    accepts("XSUAA", claims, &others).await;
}

#[tokio::test]
async fn ias() {
    let client = "5a1c9f0e-2b7d-4c55-9d0f-6f0c7a1e0001";
    let claims =
        json!({ "aud": "8d3b2f6a-7c11-4f0e-b1de-0c9a5e770002", "azp": client, "sub": client, "app_tid": "tenant" });
    let others = [
        ("another client", json!({ "azp": "another" }), 403),
        ("another application", json!({ "aud": "another" }), 401),
    ];
    accepts("IAS", claims, &others).await;
}

#[tokio::test]
async fn entra_v1() {
    let claims = json!({
        "aud": "api://purchase-orders", "appid": "c0ffee00-0000-4000-8000-000000000001", "appidacr": "1", "idp": "x",
        "oid": "o", "sub": "o", "roles": ["PurchaseOrders.Write"], "tid": "t", "uti": "u", "ver": "1.0",
    });
    let others = [
        ("no role", json!({ "roles": null }), 403),
        ("another application", json!({ "aud": "api://x" }), 401),
        ("an ID token with roles", json!({ "nonce": "n" }), 401),
    ];
    accepts("Entra ID, version 1", claims, &others).await;
}

#[tokio::test]
async fn the_audit_trail_names_a_client_of_entra_v1_by_its_appid() {
    const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
    let (service, name) = service("Entra ID, version 1").await;
    let mut claims = service.issuer.claims();
    let all = claims.as_object_mut().unwrap();
    all.retain(|claim, _| !matches!(claim.as_str(), "client_id" | "azp" | "scope"));
    all.extend([
        ("iss".to_owned(), json!(name)),
        ("aud".to_owned(), json!("api://purchase-orders")),
        ("appid".to_owned(), json!(CLIENT)),
        ("sub".to_owned(), json!("o")),
        ("roles".to_owned(), json!(["PurchaseOrders.Write", "PurchaseOrders.Read", "PurchaseOrders.Operate"])),
    ]);
    let token = service.issuer.sign(&json!({ "alg": "RS256", "kid": service.issuer.kid() }), &claims);
    assert_eq!(service.send_with(&token).await.status, 201);
    let audit = service.client.get(service.url("/v2/audit")).bearer_auth(&token).send().await.unwrap();
    let audit: Value = audit.json().await.unwrap();
    let (by, client) = (&audit["entries"][0]["by"], &audit["entries"][0]["client"]);
    assert_eq!((by, client), (&json!(format!("o ({CLIENT})")), &json!(CLIENT)), "{audit}");
}

#[tokio::test]
async fn entra_v2() {
    let claims = json!({
        "aud": "0e1a2b3c-4d5e-4f60-8a9b-000000000002", "azp": "c0ffee00-0000-4000-8000-000000000001", "azpacr": "1",
        "oid": "o", "sub": "o", "roles": ["PurchaseOrders.Write"], "tid": "t", "uti": "u", "ver": "2.0",
    });
    let others = [
        ("a user's scope", json!({ "roles": null, "scp": "PurchaseOrders.Other" }), 403),
        ("an ID token with roles", json!({ "nonce": "n" }), 401),
        ("another application", json!({ "aud": "x" }), 401),
    ];
    accepts("Entra ID, version 2", claims, &others).await;
}

#[tokio::test]
async fn keycloak() {
    let claims = json!({
        "jti": "j", "aud": ["purchase-order-webhook", "account"], "sub": "s", "typ": "Bearer", "azp": "srm7", "acr": "1",
        "realm_access": { "roles": ["offline_access", "purchase-orders.write"] },
        "resource_access": { "account": { "roles": ["view-profile"] } },
        "scope": "profile email", "clientHost": "10.0.0.1", "client_id": "srm7",
    });
    let others = [
        ("no role", json!({ "realm_access": { "roles": [] } }), 403),
        ("an ID token", json!({ "typ": "ID" }), 401),
        ("account alone", json!({ "aud": "account" }), 401),
    ];
    accepts("Keycloak", claims, &others).await;
    let of_client = json!({
        "aud": "purchase-order-webhook", "sub": "s", "typ": "Bearer", "azp": "srm7",
        "resource_access": { "purchase-order-webhook": { "roles": ["purchase-orders.write"] } }, "scope": "email",
    });
    accepts("Keycloak", of_client, &[]).await;
}

#[tokio::test]
async fn cognito() {
    let claims = json!({
        "sub": "1h57kf5cpq17m0eml12EXAMPLE", "token_use": "access", "scope": "purchase-orders/write", "auth_time": 1,
        "version": 2, "jti": "j", "client_id": "1h57kf5cpq17m0eml12EXAMPLE",
    });
    let others = [
        ("another client", json!({ "client_id": "another" }), 401),
        (
            "another client with the audience",
            json!({ "client_id": "another", "aud": "1h57kf5cpq17m0eml12EXAMPLE" }),
            401,
        ),
        ("no client", json!({ "client_id": null }), 401),
        ("a user called like the client", json!({ "client_id": null, "sub": "1h57kf5cpq17m0eml12EXAMPLE" }), 401),
        ("an ID token", json!({ "token_use": "id", "aud": "1h57kf5cpq17m0eml12EXAMPLE" }), 401),
        ("an ID token for another client", json!({ "aud": "x", "client_id": null }), 401),
    ];
    accepts("Amazon Cognito", claims, &others).await;
}

#[tokio::test]
async fn ad_fs() {
    let claims = json!({
        "aud": "microsoft:identityserver:purchase-orders", "apptype": "Confidential", "appid": "srm7", "ver": "1.0",
        "authmethod": "x", "scp": "openid purchase-orders.write",
    });
    let others = [("another resource", json!({ "aud": "x" }), 401), ("no scope", json!({ "scp": "openid" }), 403)];
    accepts("AD FS", claims, &others).await;
}

#[tokio::test]
async fn okta() {
    let claims = json!({
        "ver": 1, "jti": "AT.x", "aud": "api://purchase-orders", "cid": "0oa1", "sub": "0oa1", "scp": ["purchase-orders.write"],
    });
    let others = [("another resource", json!({ "aud": "x" }), 401), ("no scope", json!({ "scp": [] }), 403)];
    accepts("Okta", claims, &others).await;
}

#[tokio::test]
async fn ping() {
    let claims = json!({
        "client_id": "srm7", "aud": ["purchase-orders"], "scope": "purchase-orders.write", "env": "e", "org": "o", "sub": "srm7",
    });
    let others = [("another resource", json!({ "aud": "x" }), 401), ("no scope", json!({ "scope": "x" }), 403)];
    accepts("PingOne and PingFederate", claims, &others).await;
}

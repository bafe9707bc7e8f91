//! Tokens of every legal shape are accepted, from the Authorization header alone, and only with the scope of the operation.

use jsonwebtoken::Algorithm::{ES256, EdDSA, PS256, RS256};
use purchase_order_webhook::sandbox::issuer::{AUDIENCE, SigningKey};
use serde_json::{Value, json};

use crate::forge::Forge;
use crate::support::{Answer, ORDERS, Service};

#[tokio::test]
async fn tokens_of_every_legal_shape_are_accepted() {
    let service = Service::start().await;
    let issuer = &service.issuer;
    let forge = Forge::of(issuer);
    let now = forge.claims["iat"].as_i64().unwrap();
    let publish = |algorithm, kid: &str| {
        let key = SigningKey::generate(algorithm, kid).unwrap();
        issuer.publish(key.jwk.clone());
        key.sign(algorithm, &json!({ "alg": format!("{algorithm:?}"), "kid": kid }), &forge.claims)
    };
    let (of_p_256, of_ed25519) = (publish(ES256, "p-256"), publish(EdDSA, "ed25519"));
    let of_any_rsa = {
        let key = SigningKey::generate(RS256, "any-rsa").unwrap();
        issuer.publish(key.jwk_with("alg", Value::Null));
        key.sign(PS256, &json!({ "alg": "PS256", "kid": "any-rsa" }), &forge.claims)
    };
    let table = [
        ("as RFC 9068 has it", forge.good()),
        ("typ JWT", forge.header("typ", json!("JWT"))),
        ("typ in small letters", forge.header("typ", json!("jwt"))),
        ("typ as a media type", forge.header("typ", json!("application/at+jwt"))),
        ("no typ", forge.header("typ", Value::Null)),
        ("a jku, which is not followed", forge.header("jku", json!("http://127.0.0.1:1/"))),
        ("no kid, and several keys that fit", forge.header("kid", Value::Null)),
        ("an audience in a list", forge.claim("aud", json!(["other", AUDIENCE]))),
        ("scopes in a list", forge.claim("scope", json!(["openid", "purchase-orders.write"]))),
        ("valid from now on", forge.claim("nbf", json!(now))),
        ("expired within the leeway", forge.claim("exp", json!(now - 10))),
        ("times with a fraction", forge.claim("exp", json!(f64::from(i32::try_from(now).unwrap()) + 60.5))),
        ("no iat", forge.claim("iat", Value::Null)),
        ("the nonce of the login it came from", forge.claim("nonce", json!("n"))),
        ("Keycloak's typ", forge.claim("typ", json!("Bearer"))),
        ("ES256", of_p_256),
        ("EdDSA", of_ed25519),
        ("PS256, with a key that is for any algorithm of its kind", of_any_rsa),
    ];
    for (what, token) in table {
        let answer = service.send_with(&token).await;
        assert!(matches!(answer.status, 200 | 201), "{what}: {}", answer.text);
    }
    assert_eq!(issuer.jwks_requests(), 1, "the keys are fetched once");
}

#[tokio::test]
async fn a_token_is_read_from_one_authorization_header_and_nowhere_else() {
    let service = Service::start().await;
    let token = service.issuer.token();
    let ask = |request: reqwest::RequestBuilder| async move { Answer::of(request.send().await.unwrap()).await };
    let get = || service.client.get(service.url(ORDERS));
    let table = [
        ("nowhere", get(), false),
        ("Basic", get().header("authorization", "Basic c3JtNzpzZWNyZXQ="), false),
        ("DPoP", get().header("authorization", format!("DPoP {token}")), false),
        ("no scheme", get().header("authorization", token.clone()), false),
        ("no token", get().header("authorization", "Bearer"), false),
        ("a scheme that begins alike", get().header("authorization", format!("Bearer2 {token}")), false),
        ("in the query", service.client.get(format!("{}?access_token={token}", service.url(ORDERS))), false),
        ("in a cookie", get().header("cookie", format!("access_token={token}")), false),
        ("in a header of another name", get().header("x-forwarded-access-token", token.clone()), false),
        ("twice", get().bearer_auth(&token).header("authorization", format!("Bearer {token}")), true),
        ("two in one", get().header("authorization", format!("Bearer {token}, Bearer {token}")), true),
    ];
    for (what, request, names_an_error) in table {
        let answer = ask(request).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm=\"purchase-order-webhook\""), "{what}: {challenge}");
        assert_eq!(challenge.contains("error="), names_an_error, "{what}: {challenge}");
    }
    assert_eq!(ask(get().header("authorization", format!("bEaReR {token}"))).await.status, 200);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let service = Service::start().await;
    let forge = Forge::of(&service.issuer);
    let table = [
        ("another scope", json!("purchase-orders.read")),
        ("one that begins alike", json!("purchase-orders.writer")),
        ("one that ends alike", json!("all.purchase-orders.write")),
        ("one in capitals", json!("PURCHASE-ORDERS.WRITE")),
        ("two glued together", json!("purchase-orders.read,purchase-orders.write")),
        ("none in a list", json!([])),
        ("a list in a list", json!([["purchase-orders.write"]])),
        ("an object", json!({ "purchase-orders.write": true })),
        ("none", Value::Null),
    ];
    for (what, scope) in table {
        let answer = service.send_with(&forge.claim("scope", scope)).await;
        assert_eq!(answer.status, 403, "{what}: {}", answer.text);
        answer.is_problem(403, "insufficient-scope");
        let expected =
            "Bearer realm=\"purchase-order-webhook\", error=\"insufficient_scope\", scope=\"purchase-orders.write\"";
        assert_eq!(answer.header("www-authenticate"), expected, "{what}");
    }
}

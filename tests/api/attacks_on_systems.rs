//! Tokens that try what tolerance for identity systems could have opened: spellings of keys, names of algorithms, absent claims,
//! far times, further issuers, clients instead of audiences, scopes in other places. Each is refused with its reason, and its
//! legal neighbour is accepted. The attacks that concern no system are in `attack_table.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm::{ES256, ES384, EdDSA, RS256};
use purchase_order_webhook::sandbox::issuer::{Issuer, SigningKey};
use serde_json::{Value, json};

use crate::forge::{Forge, hmac, with};
use crate::support::Service;

const SIGNATURE: &str = "the token's signature is wrong";
const ALGORITHM: &str = "the token's algorithm is not accepted";
const KEY: &str = "the token's key is not one of the issuer's";
const TIMES: &str = "one of the token's times (exp, nbf, iat) can't be read";
const ISSUER: &str = "the token is from another issuer";
const CLIENT: &str = "the token's client is not known here";
const KIND: &str = "the token is no access token";
const SCOPE: &str = "the token lacks the scope purchase-orders.write";
const NO_JWT: &str = "the token is no JWT";

/// What it is, the token, and why it is refused; nothing if it is a legal neighbour.
type Row = (&'static str, String, &'static str);

/// The second issuer's tokens have no audience: their clients are named.
const OF_SECOND: &str = "audience_rule = \"client\"\nclients.read = [\"known-client\"]\n\
    scopes.claim = [\"scope\", \"/realm_access/roles\", \"roles\"]\n";

/// Tokens that are refused; `attack_table.rs` has the others of the 140 that there have to be.
const AT_LEAST: usize = 75;

struct Stage {
    service: Service,
    first: Forge,
    second: Forge,
    /// It serves its keys as long as it is here.
    _other: Issuer,
}

impl Stage {
    async fn new() -> Self {
        let other = Issuer::start().await.unwrap();
        let settings = format!(
            "auth.algorithms = [\"RS256\", \"ES256\", \"Ed25519\"]\nauth.jwks_cool_down = \"1h\"\n\
             [[auth.issuers]]\nissuer = {:?}\n{OF_SECOND}",
            other.url()
        );
        let service = Service::start_with(&settings).await;
        let (first, mut second) = (Forge::of(&service.issuer), Forge::of(&other));
        second.claims = with(&with(&second.claims, "aud", Value::Null), "client_id", json!("known-client"));
        Self { service, first, second, _other: other }
    }

    /// Publishes a key that differs from a good one in a member, and signs with it.
    fn published(&self, kid: &str, name: &str, value: Value) -> String {
        let key = SigningKey::generate(RS256, kid).unwrap();
        self.service.issuer.publish(key.jwk_with(name, value));
        key.sign(RS256, &json!({ "alg": "RS256", "kid": kid }), &self.first.claims)
    }
}

fn keys(stage: &Stage) -> Vec<Row> {
    let zero = |name: &str, stage: &Stage| {
        let key = SigningKey::generate(RS256, name).unwrap();
        let n = URL_SAFE_NO_PAD.decode(key.jwk["n"].as_str().unwrap()).unwrap();
        (key, STANDARD.encode([vec![0], n].concat()), stage.first.claims.clone())
    };
    let (key, n, claims) = zero("spelled", stage);
    stage.service.issuer.publish(key.jwk_with("n", json!(n)));
    let header = json!({ "alg": "RS256", "kid": "spelled" });
    let symmetric = json!({ "alg": "HS256", "kid": "spelled" });
    // With the exponent 1, a signature is the padded digest itself.
    let one = stage.published("exponent-one", "e", json!("AQ"));
    vec![
        ("a key in SAP's spelling", key.sign(RS256, &header, &claims), ""),
        ("that spelling as the secret of HS256", hmac(&symmetric, &claims, n.as_bytes()), ALGORITHM),
        ("the number behind it as the secret", hmac(&symmetric, &claims, &STANDARD.decode(&n).unwrap()), ALGORITHM),
        ("another key under that kid", stage.first.key.sign(RS256, &header, &claims), SIGNATURE),
        ("a key with the exponent 1", one, KEY),
        ("a key with the exponent 1 behind zero octets", stage.published("one-of-zeros", "e", json!("AAAB")), KEY),
        ("a key with an even exponent", stage.published("even", "e", json!("AQAA")), KEY),
        ("a key that is published with its private part", stage.published("private", "d", json!("AQAB")), KEY),
        ("a key whose kid is a number", stage.published("7", "kid", json!(7)), KEY),
        ("a key that is for encryption by key_ops", stage.published("wraps", "key_ops", json!(["wrapKey"])), KEY),
        ("a key whose kind is another", stage.published("of-ec", "kty", json!("EC")), KEY),
        ("a key whose kind is symmetric", stage.published("of-oct", "kty", json!("oct")), KEY),
        ("a key for encryption by alg", stage.published("oaep", "alg", json!("RSA-OAEP-256")), KEY),
        ("a key with more than its number", stage.published("junk", "n", json!("AQAB!!")), KEY),
        ("a key with no number", stage.published("empty", "n", json!("")), KEY),
    ]
}

fn pem(stage: &Stage) -> Vec<Row> {
    let key = &stage.first.key;
    let private = json!({ "kty": "RSA", "kid": "private-pem", "value": key.pem });
    let no_key = json!({ "kty": "RSA", "kid": "certificate-pem", "value": "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----" });
    let secret = json!({ "kty": "oct", "kid": "uaa-mac", "alg": "HS256", "value": "a-secret-of-uaa" });
    for jwk in [private, no_key, secret] {
        stage.service.issuer.publish(jwk);
    }
    let signed = |kid: &str| key.sign(RS256, &json!({ "alg": "RS256", "kid": kid }), &stage.first.claims);
    let mac = json!({ "alg": "HS256", "kid": "uaa-mac" });
    let disguised = json!({ "alg": "RS256", "kid": "uaa-mac" });
    vec![
        ("a private key in PEM", signed("private-pem"), KEY),
        ("something else in PEM", signed("certificate-pem"), KEY),
        ("UAA's symmetric key", hmac(&mac, &stage.first.claims, b"a-secret-of-uaa"), ALGORITHM),
        (
            "UAA's symmetric key, named as if it were RSA",
            hmac(&disguised, &stage.first.claims, b"a-secret-of-uaa"),
            KEY,
        ),
    ]
}

fn names_of_algorithms(stage: &Stage) -> Vec<Row> {
    let key = SigningKey::generate(EdDSA, "edwards").unwrap();
    stage.service.issuer.publish(key.jwk_with("alg", json!("Ed25519")));
    let of_448 = SigningKey::generate(EdDSA, "for-448").unwrap();
    stage.service.issuer.publish(of_448.jwk_with("alg", json!("Ed448")));
    let curve = SigningKey::generate(ES384, "p-384").unwrap();
    stage.service.issuer.publish(curve.jwk.clone());
    let claims = &stage.first.claims;
    let named = |name: &str| key.sign(EdDSA, &json!({ "alg": name, "kid": "edwards" }), claims);
    let of_another =
        |key: &SigningKey, algorithm, name: &str| key.sign(algorithm, &json!({ "alg": name, "kid": key.kid }), claims);
    vec![
        ("Ed25519", named("Ed25519"), ""),
        ("EdDSA", named("EdDSA"), ""),
        ("Ed448 for a key of the other curve", named("Ed448"), ALGORITHM),
        ("ed25519 in small letters", named("ed25519"), ALGORITHM),
        ("Ed25519ph, another algorithm of the curve", named("Ed25519ph"), ALGORITHM),
        ("Ed25519 in a list", key.sign(EdDSA, &json!({ "alg": ["Ed25519"], "kid": "edwards" }), claims), NO_JWT),
        ("Ed25519 with a key that is for Ed448", of_another(&of_448, EdDSA, "Ed25519"), KEY),
        ("Ed25519 with a key of RSA", of_another(&stage.first.key, RS256, "Ed25519"), KEY),
        ("RS256 with a key of Ed25519", of_another(&key, EdDSA, "RS256"), KEY),
        ("ES384, and not accepted here", of_another(&curve, ES384, "ES384"), ALGORITHM),
        ("ESP384, which RFC 9864 calls ES384", of_another(&curve, ES384, "ESP384"), ALGORITHM),
    ]
}

fn thumbprints(stage: &Stage) -> Vec<Row> {
    let sha1 = |byte: u8| URL_SAFE_NO_PAD.encode([byte; 20]);
    let keys = [1, 2].map(|byte| {
        let key = SigningKey::generate(ES256, &format!("certified-{byte}")).unwrap();
        stage.service.issuer.publish(with(&key.jwk, "x5t", json!(sha1(byte))));
        key
    });
    let stranger = SigningKey::generate(ES256, "stranger").unwrap();
    let signed = |key: &SigningKey, header: Value| key.sign(ES256, &header, &stage.first.claims);
    vec![
        ("x5t of its key", signed(&keys[0], json!({ "alg": "ES256", "x5t": sha1(1) })), ""),
        ("x5t of another key", signed(&keys[0], json!({ "alg": "ES256", "x5t": sha1(2) })), SIGNATURE),
        ("x5t of nobody", signed(&keys[0], json!({ "alg": "ES256", "x5t": sha1(3) })), KEY),
        (
            "a kid that is unknown beside a known x5t",
            { signed(&keys[0], json!({ "alg": "ES256", "x5t": sha1(1), "kid": "unknown" })) },
            KEY,
        ),
        ("a stranger's key under a known x5t", signed(&stranger, json!({ "alg": "ES256", "x5t": sha1(1) })), SIGNATURE),
        ("a stranger's key without a name", signed(&stranger, json!({ "alg": "ES256" })), SIGNATURE),
        ("a stranger's key with itself", signed(&stranger, json!({ "alg": "ES256", "jwk": stranger.jwk })), SIGNATURE),
        ("x5t that is a number", signed(&keys[0], json!({ "alg": "ES256", "x5t": 1 })), NO_JWT),
    ]
}

fn absent_claims_and_far_times(stage: &Stage) -> Vec<Row> {
    let forge = &stage.first;
    let null = |name: &str| {
        let mut claims = forge.claims.clone();
        claims[name] = Value::Null;
        forge.key.sign(RS256, &forge.header, &claims)
    };
    vec![
        ("exp that is null", null("exp"), "the token lacks the claim exp"),
        ("iss that is null", null("iss"), "the token lacks the claim iss"),
        ("aud that is null", null("aud"), "the token lacks the claim aud"),
        ("scope that is null", null("scope"), SCOPE),
        ("iat that is null", null("iat"), ""),
        ("aud of nothing but null", forge.claim("aud", json!([null])), "the token is for another audience"),
        ("crit that is null", forge.header_text(r#"{"alg":"RS256","kid":"key-1","crit":null}"#), {
            "the token has critical headers that are not understood"
        }),
        ("exp at the end of 64 bits", forge.claim("exp", json!(i64::MAX)), ""),
        ("exp beyond 64 bits", forge.claim("exp", json!(u64::MAX)), TIMES),
        ("exp before all time", forge.claim("exp", json!(i64::MIN)), "the token has expired"),
        ("exp as a date", forge.claim("exp", json!("9999-12-31T23:59:59Z")), TIMES),
        ("exp in a list", forge.claim("exp", json!([i64::MAX])), TIMES),
        ("exp that is true", forge.claim("exp", json!(true)), TIMES),
        ("nbf at the end of time", forge.claim("nbf", json!(253_402_300_799_i64)), "the token is not valid yet"),
        ("nbf at the end of 64 bits", forge.claim("nbf", json!(i64::MAX)), "the token is not valid yet"),
        ("nbf beyond 64 bits", forge.claim("nbf", json!(u64::MAX)), TIMES),
        ("iat in milliseconds", forge.claim("iat", json!(1_800_000_000_000_i64)), "the token was issued in the future"),
        ("iat at the end of 64 bits", forge.claim("iat", json!(i64::MAX)), "the token was issued in the future"),
    ]
}

fn issuers(stage: &Stage) -> Vec<Row> {
    let (first, second) = (&stage.first, &stage.second);
    let name = |forge: &Forge| forge.claims["iss"].as_str().unwrap().to_owned();
    // Of a name that occurs twice, the last counts.
    let both = |one: &str, other: &str, by: &Forge| {
        let claims = with(&by.claims, "iss", json!(other)).to_string();
        let claims = claims.replacen('{', &format!("{{\"iss\":\"{one}\","), 1);
        by.key.sign_parts(RS256, &by.header.to_string(), &claims)
    };
    vec![
        ("the second issuer", second.good(), ""),
        ("the first's key for the second", first.key.sign(RS256, &first.header, &second.claims), SIGNATURE),
        ("the second's key for the first", second.key.sign(RS256, &second.header, &first.claims), SIGNATURE),
        ("the first's name in the second's token", second.claim("iss", json!(name(first))), SIGNATURE),
        ("both names, the last of them the other's", both(&name(second), &name(first), second), SIGNATURE),
        ("a third issuer", second.claim("iss", json!("https://third.example")), ISSUER),
        ("both issuers in a list", second.claim("iss", json!([name(first), name(second)])), ISSUER),
        ("an issuer that is an object", second.claim("iss", json!({ "name": name(second) })), ISSUER),
        ("both issuers in one text", second.claim("iss", json!(format!("{}, {}", name(first), name(second)))), ISSUER),
        (
            "the second's rule for the first's token",
            {
                first.key.sign(
                    RS256,
                    &first.header,
                    &with(&with(&first.claims, "aud", Value::Null), "client_id", json!("known-client")),
                )
            },
            "the token lacks the claim aud",
        ),
    ]
}

fn clients(stage: &Stage) -> Vec<Row> {
    let second = &stage.second;
    let client = |name: &str, value: Value| {
        let claims = with(&with(&second.claims, "client_id", Value::Null), name, value);
        second.key.sign(RS256, &second.header, &claims)
    };
    vec![
        ("the client in appid", client("appid", json!("known-client")), ""),
        ("no client", client("client_id", Value::Null), CLIENT),
        ("an empty client", client("client_id", json!("")), CLIENT),
        ("another client", client("client_id", json!("another")), CLIENT),
        ("a client that begins alike", client("client_id", json!("known-client-2")), CLIENT),
        ("a client with a blank", client("client_id", json!("known-client ")), CLIENT),
        ("a client in capitals", client("client_id", json!("KNOWN-CLIENT")), CLIENT),
        ("clients in a list", client("client_id", json!(["known-client"])), CLIENT),
        ("a user called like the client", client("sub", json!("known-client")), CLIENT),
        ("an audience called like the client", client("aud", json!("known-client")), CLIENT),
        (
            "a client that comes first, and a known one",
            {
                let claims = with(&with(&second.claims, "client_id", json!("another")), "appid", json!("known-client"));
                second.key.sign(RS256, &second.header, &claims)
            },
            CLIENT,
        ),
    ]
}

fn scopes(stage: &Stage) -> Vec<Row> {
    let second = &stage.second;
    let place = |name: &str, value: Value| {
        let claims = with(&with(&second.claims, "scope", Value::Null), name, value);
        second.key.sign(RS256, &second.header, &claims)
    };
    // Of a login, as Entra ID and Keycloak write it: roles are in ID tokens, too.
    let of_login = |name: &str, value: Value| {
        let claims = with(&with(&with(&second.claims, "scope", Value::Null), "nonce", json!("n")), name, value);
        second.key.sign(RS256, &with(&second.header, "typ", json!("JWT")), &claims)
    };
    vec![
        ("an ID token with roles", of_login("roles", json!(["purchase-orders.write"])), KIND),
        ("an ID token with roles of the realm", of_login("realm_access", json!({ "roles": ["x"] })), KIND),
        ("an ID token with an empty scope", of_login("scope", json!("")), KIND),
        ("an access token of a login, by scp", of_login("scp", json!("purchase-orders.write")), SCOPE),
        ("an access token of a login, by scope", of_login("scope", json!("purchase-orders.write")), ""),
        ("a role of the realm", place("realm_access", json!({ "roles": ["purchase-orders.write"] })), ""),
        ("roles in one text", place("realm_access", json!({ "roles": "x purchase-orders.write" })), ""),
        ("the realm as the role", place("realm_access", json!("purchase-orders.write")), SCOPE),
        ("roles as names", place("realm_access", json!({ "roles": { "purchase-orders.write": true } })), SCOPE),
        ("a role in a list in the list", place("realm_access", json!({ "roles": [["purchase-orders.write"]] })), SCOPE),
        ("a claim called like the pointer", place("/realm_access/roles", json!(["purchase-orders.write"])), SCOPE),
        ("roles of another place", place("resource_access", json!({ "roles": ["purchase-orders.write"] })), SCOPE),
        ("roles that are null", place("realm_access", json!({ "roles": null })), SCOPE),
    ]
}

#[tokio::test]
async fn what_tolerance_could_have_opened_is_refused_and_legal_neighbours_are_not() {
    let stage = Stage::new().await;
    let table = [
        keys(&stage),
        pem(&stage),
        names_of_algorithms(&stage),
        thumbprints(&stage),
        absent_claims_and_far_times(&stage),
        issuers(&stage),
        clients(&stage),
        scopes(&stage),
    ]
    .concat();
    let refused = table.iter().filter(|(_, _, why)| !why.is_empty()).count();
    assert!(refused >= AT_LEAST, "{refused}");
    let mut wrong = Vec::new();
    for (what, token, why) in table {
        let answer = stage.service.send_with(&token).await;
        let status = match why {
            "" => answer.status < 300,
            SCOPE => answer.status == 403,
            _ => answer.status == 401,
        };
        if !status || answer.body["detail"].as_str().unwrap_or_default() != why {
            wrong.push(format!("{what}: expected {why:?}, got {} {}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

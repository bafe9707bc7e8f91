//! Forged, malformed and stale tokens are refused, each with its reason, and unfit keys of the issuer are not used.
//!
//! Legal tokens have `token_shapes.rs`, the fetching of keys `tokens_in.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm::{ES384, PS256, RS256, RS512};
use purchase_order_webhook::sandbox::issuer::{AUDIENCE, Issuer, SigningKey};
use serde_json::{Value, json};

use crate::forge::{Forge, base64, hmac, parts, with, with_stray_bits};
use crate::support::Service;

const NO_JWT: &str = "the token is no JWT";
const UNREADABLE: &str = "the token can't be read";
const TOO_LONG: &str = "the token is too long";
const SIGNATURE: &str = "the token's signature is wrong";
const ALGORITHM: &str = "the token's algorithm is not accepted";
const KEY: &str = "the token's key is not one of the issuer's";
const CRITICAL: &str = "the token has critical headers that are not understood";
const TYPE: &str = "the token is no access token (typ)";
const KIND: &str = "the token is no access token";
const EXPIRED: &str = "the token has expired";
const EARLY: &str = "the token is not valid yet";
const FUTURE: &str = "the token was issued in the future";
const TIMES: &str = "one of the token's times (exp, nbf, iat) can't be read";
const NO_EXP: &str = "the token lacks the claim exp";
const ISSUER: &str = "the token is from another issuer";
const NO_ISSUER: &str = "the token lacks the claim iss";
const OTHER_AUDIENCE: &str = "the token is for another audience";
const NO_AUDIENCE: &str = "the token lacks the claim aud";
const BOUND: &str = "the token is bound to a client certificate, and none was shown";
const BOUND_OTHERWISE: &str = "the token is bound to a key in a way that is not known here";

/// Tokens of the table: with those of `attacks_on_systems.rs`, there are more than 140.
const AT_LEAST: usize = 110;

type Row = (&'static str, String, &'static str);

fn shapes(forge: &Forge) -> Vec<Row> {
    let good = forge.good();
    let [header, claims, signature] = parts(&good);
    vec![
        ("a word", "garbage".to_owned(), NO_JWT),
        ("empty parts", "..".to_owned(), NO_JWT),
        ("two parts", format!("{header}.{claims}"), NO_JWT),
        ("four parts", format!("{good}.x"), NO_JWT),
        ("five parts, as an encrypted token", format!("{good}.x.x"), NO_JWT),
        ("a blank inside", format!("{header}. {claims}.{signature}"), NO_JWT),
        ("padding", format!("{header}==.{claims}.{signature}"), NO_JWT),
        ("the other alphabet of base64", format!("+/{header}.{claims}.{signature}"), NO_JWT),
        ("a header that is no JSON", forge.header_text("not JSON"), NO_JWT),
        ("a header that is a list", forge.header_text("[\"RS256\"]"), NO_JWT),
        (
            "a header that is a list of the values of a header",
            { forge.header_text(&json!(["RS256", forge.header["kid"], "at+jwt"]).to_string()) },
            NO_JWT,
        ),
        ("a header that is a number", forge.header_text("7"), NO_JWT),
        ("a header without alg", forge.header("alg", Value::Null), NO_JWT),
        ("a header with alg twice", forge.header_text(r#"{"alg":"none","alg":"RS256"}"#), NO_JWT),
        ("a header behind a BOM", forge.header_text("\u{feff}{\"alg\":\"RS256\"}"), NO_JWT),
        (
            "a header with an unreadable number",
            { forge.header_text(r#"{"alg":"RS256","kid":"key-1","x":1e400}"#) },
            NO_JWT,
        ),
        ("a header nested to the depth of a stack", forge.header_text(&"[".repeat(9_000)), NO_JWT),
        ("claims that are no JSON", forge.claim_text("not JSON"), UNREADABLE),
        ("claims that are a list", forge.claim_text("[]"), UNREADABLE),
        ("claims that are a text", forge.claim_text("\"srm7\""), UNREADABLE),
        ("claims nested to the depth of a stack", forge.claim_text(&"[".repeat(9_000)), UNREADABLE),
        ("no claims", forge.claim_text(""), UNREADABLE),
        ("more than the limit", format!("{good}{}", "x".repeat(20_000)), TOO_LONG),
    ]
}

fn signatures(forge: &Forge) -> Vec<Row> {
    let good = forge.good();
    let [header, claims, signature] = parts(&good);
    let another = parts(&forge.claim("sub", json!("another")));
    let richer = base64(&with(&forge.claims, "sub", json!("admin")).to_string());
    let turned: Vec<u8> = URL_SAFE_NO_PAD.decode(&signature).unwrap().into_iter().rev().collect();
    vec![
        ("no signature", format!("{header}.{claims}."), SIGNATURE),
        ("a signature of zeros", format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 256])), SIGNATURE),
        ("a signature turned round", format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(turned)), SIGNATURE),
        ("half a signature", format!("{header}.{claims}.{}", &signature[..signature.len() / 8 * 4]), SIGNATURE),
        ("the signature of another token", format!("{header}.{claims}.{}", another[2]), SIGNATURE),
        ("claims changed behind the signature", format!("{header}.{richer}.{signature}"), SIGNATURE),
        (
            "a header changed behind the signature",
            {
                let header = with(&forge.header, "typ", json!("JWT"));
                format!("{}.{claims}.{signature}", base64(&header.to_string()))
            },
            SIGNATURE,
        ),
        ("a signature with stray bits", format!("{header}.{claims}.{}", with_stray_bits(&signature)), UNREADABLE),
    ]
}

fn algorithms(forge: &Forge) -> Vec<Row> {
    let [_, claims, _] = parts(&forge.good());
    let unsigned = |name: &str| format!("{}.{claims}.", base64(&with(&forge.header, "alg", json!(name)).to_string()));
    let modulus = URL_SAFE_NO_PAD.decode(forge.key.jwk["n"].as_str().unwrap()).unwrap();
    let symmetric = with(&forge.header, "alg", json!("HS256"));
    let sign =
        |algorithm, name: &str| forge.key.sign(algorithm, &with(&forge.header, "alg", json!(name)), &forge.claims);
    vec![
        ("none", unsigned("none"), ALGORITHM),
        ("None", unsigned("None"), ALGORITHM),
        ("nOnE", unsigned("nOnE"), ALGORITHM),
        ("no name at all", unsigned(""), ALGORITHM),
        ("HS256 with the public key as its secret", hmac(&symmetric, &forge.claims, &modulus), ALGORITHM),
        (
            "HS256 with the published key's text as its secret",
            { hmac(&symmetric, &forge.claims, forge.key.jwk.to_string().as_bytes()) },
            ALGORITHM,
        ),
        ("HS256 without a secret", hmac(&symmetric, &forge.claims, b""), ALGORITHM),
        ("one that does not exist", sign(RS256, "XS1"), ALGORITHM),
        ("one in small letters", sign(RS256, "rs256"), ALGORITHM),
        ("one that is signed, and not accepted here", sign(RS512, "RS512"), ALGORITHM),
        ("one of another kind of key", sign(RS256, "ES256"), KEY),
        ("one of a third kind of key", sign(RS256, "EdDSA"), KEY),
        ("one that it is not signed with", sign(RS256, "PS256"), KEY),
        ("one that is signed, and the key is not for", sign(PS256, "PS256"), KEY),
        ("a list of them", forge.header("alg", json!(["RS256"])), NO_JWT),
    ]
}

fn keys(forge: &Forge, stranger: &Issuer) -> Vec<Row> {
    let foreign = |name: &str, value: Value| {
        stranger.key().unwrap().sign(RS256, &with(&forge.header, name, value), &forge.claims)
    };
    let kid = |kid: Value| forge.header("kid", kid);
    let jwk = stranger.jwk();
    vec![
        ("an unknown kid", kid(json!("elsewhere")), KEY),
        ("an empty kid", kid(json!("")), KEY),
        ("a kid that is a path", kid(json!("../../key-1")), KEY),
        ("a kid that is a query", kid(json!("key-1' OR '1'='1")), KEY),
        ("a kid that is a number", kid(json!(1)), NO_JWT),
        ("a stranger's key under the issuer's kid", foreign("kid", forge.header["kid"].clone()), SIGNATURE),
        ("a stranger's key under its own kid", foreign("kid", json!("key-of-a-stranger")), KEY),
        ("a stranger's key in the token", foreign("jwk", jwk.clone()), SIGNATURE),
        ("a stranger's key behind jku", foreign("jku", json!(format!("{}/jwks", stranger.url()))), SIGNATURE),
        ("a stranger's key behind x5u", foreign("x5u", json!(format!("{}/jwks", stranger.url()))), SIGNATURE),
        ("a stranger's certificate in the token", foreign("x5c", json!([STANDARD.encode("MII")])), SIGNATURE),
    ]
}

fn headers(forge: &Forge) -> Vec<Row> {
    vec![
        ("a critical header", forge.header("crit", json!(["exp"])), CRITICAL),
        ("a critical header that is made up", forge.header("crit", json!(["http://x.example/must"])), CRITICAL),
        ("an empty list of critical headers", forge.header("crit", json!([])), CRITICAL),
        ("critical headers that are null", forge.header_text(r#"{"alg":"RS256","kid":"key-1","crit":null}"#), CRITICAL),
        (
            "an unencoded payload (RFC 7797)",
            { forge.header_text(r#"{"alg":"RS256","kid":"key-1","b64":false,"crit":["b64"]}"#) },
            CRITICAL,
        ),
        ("a logout token", forge.header("typ", json!("logout+jwt")), TYPE),
        ("a security event", forge.header("typ", json!("secevent+jwt")), TYPE),
        ("a proof of DPoP", forge.header("typ", json!("dpop+jwt")), TYPE),
        ("an assertion of a client", forge.header("typ", json!("client-authentication+jwt")), TYPE),
        ("a type named twice over", forge.header("typ", json!("application/application/jwt")), TYPE),
        ("an empty type", forge.header("typ", json!("")), TYPE),
        ("a type that is a number", forge.header("typ", json!(7)), NO_JWT),
    ]
}

fn kinds(forge: &Forge) -> Vec<Row> {
    vec![
        ("an ID token of the hybrid flow", forge.claim("at_hash", json!("x")), KIND),
        ("an ID token of the code flow", forge.claim("c_hash", json!("x")), KIND),
        (
            "an ID token of a login",
            {
                let claims = with(&with(&forge.claims, "scope", Value::Null), "nonce", json!("n"));
                forge.key.sign(RS256, &with(&forge.header, "typ", json!("JWT")), &claims)
            },
            KIND,
        ),
        ("an ID token of Keycloak", forge.claim("typ", json!("ID")), KIND),
        ("a refresh token of Keycloak", forge.claim("typ", json!("Refresh")), KIND),
        ("a refresh token that says so", forge.claim("token_use", json!("refresh_token")), KIND),
        ("an ID token of Cognito", forge.claim("token_use", json!("id")), KIND),
        ("a logout token without its type", forge.claim("events", json!({})), KIND),
    ]
}

fn times(forge: &Forge) -> Vec<Row> {
    let now = forge.claims["iat"].as_i64().unwrap();
    vec![
        ("expired by more than the leeway", forge.claim("exp", json!(now - 31)), EXPIRED),
        ("expired years ago", forge.claim("exp", json!(1_000_000_000)), EXPIRED),
        ("expired before 1970", forge.claim("exp", json!(-1)), EXPIRED),
        ("expired at a fraction of a second", forge.claim("exp", json!(1.5)), EXPIRED),
        ("no exp", forge.claim("exp", Value::Null), NO_EXP),
        ("exp that is a word", forge.claim("exp", json!("never")), TIMES),
        ("exp that is a number in a text", forge.claim("exp", json!((now + 60).to_string())), TIMES),
        ("exp that is an object", forge.claim("exp", json!({})), TIMES),
        ("exp beyond all time", forge.claim("exp", json!(1e300)), TIMES),
        ("exp in milliseconds of another age", forge.claim("exp", json!(u64::MAX)), TIMES),
        (
            "exp that is null",
            forge.claim_text(&forge.claims.to_string().replace(&(now + 3600).to_string(), "null")),
            NO_EXP,
        ),
        ("not valid for a minute yet", forge.claim("nbf", json!(now + 60)), EARLY),
        ("nbf that is a word", forge.claim("nbf", json!("now")), TIMES),
        ("issued in an hour", forge.claim("iat", json!(now + 3600)), FUTURE),
        ("iat that is a word", forge.claim("iat", json!("now")), TIMES),
    ]
}

fn parties(forge: &Forge) -> Vec<Row> {
    let issuer = forge.claims["iss"].as_str().unwrap();
    vec![
        ("another issuer", forge.claim("iss", json!("https://elsewhere.example")), ISSUER),
        ("the issuer with a slash", forge.claim("iss", json!(format!("{issuer}/"))), ISSUER),
        ("the issuer with a path", forge.claim("iss", json!(format!("{issuer}/tenant"))), ISSUER),
        ("the issuer in capitals", forge.claim("iss", json!(issuer.to_uppercase())), ISSUER),
        ("the issuer in a list", forge.claim("iss", json!([issuer, "https://elsewhere.example"])), ISSUER),
        ("an issuer that is a number", forge.claim("iss", json!(7)), ISSUER),
        ("no issuer", forge.claim("iss", Value::Null), NO_ISSUER),
        ("another audience", forge.claim("aud", json!("other")), OTHER_AUDIENCE),
        ("other audiences", forge.claim("aud", json!(["other", "another"])), OTHER_AUDIENCE),
        ("the audience and more in one text", forge.claim("aud", json!(format!("{AUDIENCE} other"))), OTHER_AUDIENCE),
        ("the audience with an end", forge.claim("aud", json!(format!("{AUDIENCE}.sub"))), OTHER_AUDIENCE),
        ("the audience in capitals", forge.claim("aud", json!(AUDIENCE.to_uppercase())), OTHER_AUDIENCE),
        ("the audience in a list in a list", forge.claim("aud", json!([[AUDIENCE]])), OTHER_AUDIENCE),
        ("the audience as a name", forge.claim("aud", json!({ AUDIENCE: true })), OTHER_AUDIENCE),
        ("an empty audience", forge.claim("aud", json!([])), OTHER_AUDIENCE),
        ("no audience", forge.claim("aud", Value::Null), NO_AUDIENCE),
    ]
}

fn bindings(forge: &Forge) -> Vec<Row> {
    let thumbprint = URL_SAFE_NO_PAD.encode([7; 32]);
    vec![
        ("bound to a certificate", forge.claim("cnf", json!({ "x5t#S256": thumbprint })), BOUND),
        ("bound to a key of DPoP", forge.claim("cnf", json!({ "jkt": thumbprint })), BOUND_OTHERWISE),
        ("bound to nothing that is known", forge.claim("cnf", json!({})), BOUND_OTHERWISE),
        ("bound to half a certificate", forge.claim("cnf", json!({ "x5t#S256": &thumbprint[..20] })), BOUND_OTHERWISE),
        (
            "bound to a certificate and to a key of DPoP",
            { forge.claim("cnf", json!({ "x5t#S256": thumbprint, "jkt": thumbprint })) },
            BOUND_OTHERWISE,
        ),
        ("bound to a word", forge.claim("cnf", json!("x5t#S256")), BOUND_OTHERWISE),
    ]
}

#[tokio::test]
async fn forged_malformed_and_stale_tokens_are_refused_with_the_reason() {
    let (service, stranger) = (Service::start().await, Issuer::start().await.unwrap());
    // Bound to its algorithm, as most issuers publish their keys.
    let forge = Forge::of(&service.issuer);
    let table = [
        shapes(&forge),
        signatures(&forge),
        algorithms(&forge),
        keys(&forge, &stranger),
        headers(&forge),
        kinds(&forge),
        times(&forge),
        parties(&forge),
        bindings(&forge),
    ]
    .concat();
    assert!(table.len() >= AT_LEAST, "{}", table.len());
    let mut wrong = Vec::new();
    for (what, token, why) in table {
        let answer = service.send_with(&token).await;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        let expected =
            format!("Bearer realm=\"purchase-order-webhook\", error=\"invalid_token\", error_description=\"{why}\"");
        if (answer.status, detail, answer.header("www-authenticate")) != (401, why, &expected) {
            wrong.push(format!("{what}: expected {why:?}, got {} {}", answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(stranger.jwks_requests(), 0, "no key is fetched from an address in a token");
    assert!(service.vms.received().is_empty(), "nothing was sent");
    assert_eq!(service.send_with(&forge.good()).await.status, 201);
}

/// The tokens are signed well, but with keys that must not be used.
#[tokio::test]
async fn published_keys_that_are_unfit_for_tokens_are_not_used() {
    let service = Service::start().await;
    let forge = Forge::of(&service.issuer);
    let publish = |algorithm, kid: &str, name: &str, value: Value| {
        let key = SigningKey::generate(algorithm, kid).unwrap();
        service.issuer.publish(key.jwk_with(name, value));
        let named = format!("{algorithm:?}");
        key.sign(algorithm, &json!({ "alg": named, "kid": kid }), &forge.claims)
    };
    service.issuer.publish(json!({ "kty": "oct", "kid": "symmetric", "k": base64("secret"), "alg": "RS256" }));
    service.issuer.publish(json!({ "kty": "future", "kid": "unheard-of" }));
    service.issuer.publish(json!("nonsense"));
    let short = short_rsa_key();
    service.issuer.publish(short.1.clone());
    let table = [
        ("a symmetric key, named as if it were RSA", {
            hmac(&json!({ "alg": "RS256", "kid": "symmetric" }), &forge.claims, b"secret")
        }),
        ("a key for encryption", publish(RS256, "encrypts", "use", json!("enc"))),
        ("a key that may only sign", publish(RS256, "signs", "key_ops", json!(["sign"]))),
        ("a key for another algorithm", publish(RS256, "other", "alg", json!("RS512"))),
        ("an RSA key of 1024 bits", short.0.sign(&forge.claims)),
        ("a key of a curve that the algorithm is not for", {
            let key = SigningKey::generate(ES384, "p-384").unwrap();
            service.issuer.publish(key.jwk_with("alg", Value::Null));
            key.sign(ES384, &json!({ "alg": "ES256", "kid": "p-384" }), &forge.claims)
        }),
    ];
    for (what, token) in table {
        let answer = service.send_with(&token).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        assert_eq!(answer.body["detail"], KEY, "{what}");
    }
    assert_eq!(service.send_with(&forge.good()).await.status, 201, "they hide no other key");
}

/// No library here makes keys that short: OpenSSL does.
struct ShortKey {
    folder: tempfile::TempDir,
}

impl ShortKey {
    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "kid": "short" });
        let message = format!("{}.{}", base64(&header.to_string()), base64(&claims.to_string()));
        std::fs::write(self.folder.path().join("message"), &message).unwrap();
        openssl(self.folder.path(), &["dgst", "-sha256", "-sign", "key.pem", "-out", "signature", "message"]);
        let signature = std::fs::read(self.folder.path().join("signature")).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn openssl(folder: &std::path::Path, arguments: &[&str]) -> Vec<u8> {
    let output = std::process::Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn short_rsa_key() -> (ShortKey, Value) {
    let folder = tempfile::tempdir().unwrap();
    openssl(folder.path(), &["genrsa", "-out", "key.pem", "1024"]);
    let modulus = openssl(folder.path(), &["rsa", "-in", "key.pem", "-noout", "-modulus"]);
    let hex = String::from_utf8(modulus).unwrap().trim().trim_start_matches("Modulus=").to_owned();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let jwk = json!({ "kty": "RSA", "kid": "short", "n": URL_SAFE_NO_PAD.encode(bytes), "e": "AQAB", "use": "sig" });
    (ShortKey { folder }, jwk)
}

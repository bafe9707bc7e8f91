//! Certificates in the header of a trusted proxy: of a chain of proxies, that of the caller counts, and nothing that the caller
//! has written.

use serde_json::json;

use crate::certificates::{Ca, Pair};
use crate::support::{ORDERS, Service};

/// A token that is bound to a certificate (RFC 8705).
fn bound_to(service: &Service, pair: &Pair) -> String {
    let mut claims = service.issuer.claims();
    claims["cnf"] = json!({ "x5t#S256": pair.thumbprint() });
    service.issuer.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": service.issuer.kid() }), &claims)
}

fn escaped(pair: &Pair) -> String {
    let pem = std::fs::read_to_string(&pair.certificate).unwrap();
    percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[tokio::test]
async fn of_a_forwarded_certificate_only_what_trusted_proxies_wrote_counts() {
    let ca = Ca::new();
    let (mine, yours) = (ca.client("mine"), ca.client("yours"));
    let (own, stolen) = (format!("Hash=00;Cert=\"{}\"", escaped(&yours)), escaped(&mine));
    let bare = "By=spiffe://sidecar;Hash=00;URI=spiffe://gateway";
    // The token is bound to `mine`; the thief has `yours`.
    for (hops, value, status) in [
        ("", format!("Hash=00;Cert=\"{stolen}\""), 200),
        ("", own.clone(), 401),
        ("", format!("{own};URI=\"https://x/?Cert=\\\"{stolen}\\\"\""), 401),
        ("", format!("Hash=00;URI=\"https://x/;Cert={stolen}\""), 401),
        ("", format!("Hash=00;URI=https://x/;Cert=\"{stolen}\";Cert=\"{}\"", escaped(&yours)), 401),
        ("", format!("{own};Subject=\"CN=a\\\",Cert=\\\"{stolen}\\\"\""), 401),
        ("", format!("Cert=\"{stolen}\",{own}"), 401),
        ("", format!("Cert=\"{stolen}\",{bare}"), 401),
        ("server.proxy.hops = 1", format!("Cert=\"{stolen}\",{own}"), 401),
        ("server.proxy.hops = 1", format!("{own},Cert=\"{stolen}\""), 200),
        ("server.proxy.hops = 2", format!("Cert=\"{stolen}\",{bare}"), 200),
        ("server.proxy.hops = 2", format!("Cert=\"{stolen}\",{own},{bare}"), 401),
        ("server.proxy.hops = 2", format!("Cert=\"{stolen}\""), 401),
        // Envoy quotes no URI, and a certificate may name one with anything in it.
        ("server.proxy.hops = 1", format!("By=g;{own};URI=https://x/,Cert={stolen}"), 401),
        ("server.proxy.hops = 2", format!("By=g;{own};URI=https://x/,Cert={stolen},{bare}"), 401),
        ("server.proxy.hops = 2", format!("By=g;Hash=00;Cert=\"{stolen}\";URI=https://x/,{bare}"), 200),
    ] {
        let settings = format!(
            "server.proxy.addresses = [\"127.0.0.1\"]\nserver.proxy.certificate_header = \"x-forwarded-client-cert\"\n{hops}"
        );
        let service = Service::start_with(&settings).await;
        let request = service.client.get(service.url(ORDERS)).bearer_auth(bound_to(&service, &mine));
        let answer = request.header("x-forwarded-client-cert", &value).send().await.unwrap();
        assert_eq!(answer.status(), status, "{hops}: {value}");
    }
}

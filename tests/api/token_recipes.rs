//! Every recipe of docs/identity.md for the service's own tokens, and for the client of its introspection, is asked for a token.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use purchase_order_webhook::sandbox::issuer::{Issuer, SCOPES};
use purchase_order_webhook::sandbox::vms::SandboxVms;
use serde_json::{Value, json};

use crate::certificates::{Ca, Files, Kind, Pair};
use crate::raw_server::{RawAnswer, RawServer};
use crate::support::{Service, cart};

const PAGE: &str = include_str!("../../docs/identity.md");

/// The blocks of a section, by name, as dotted lines.
fn recipes(section: &str) -> Vec<(String, Vec<String>)> {
    let blocks = PAGE.split("```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    let of_section = blocks.filter_map(|block| {
        let (name, rest) = block.strip_prefix("# ")?.split_once('\n')?;
        let settings = rest.strip_prefix(&format!("[{section}]\n"))?;
        Some((name.to_owned(), settings.lines().map(|line| format!("{section}.{line}")).collect()))
    });
    of_section.collect()
}

/// The lines with files of their own, and with the endpoint of the test.
fn on_this_machine(lines: &[String], files: &Files, pair: &Pair, endpoint: &str) -> String {
    let secret = files.put("secret", "x$y=+/z!");
    let changed = lines.iter().map(|line| {
        let (key, value) = line.split_once(" = ").unwrap();
        match key.rsplit('.').next().unwrap() {
            "token_url" | "url" => format!("{key} = \"{endpoint}/token\""),
            "client_secret_file" => format!("{key} = {:?}", secret.to_str().unwrap()),
            "private_key_file" => format!("{key} = {:?}", pair.key.to_str().unwrap()),
            "certificate_file" => format!("{key} = {:?}", pair.certificate.to_str().unwrap()),
            _ => format!("{key} = {value}"),
        }
    });
    changed.collect::<Vec<_>>().join("\n")
}

fn fields(request: &str) -> Vec<(String, String)> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

fn field(request: &str, name: &str) -> Option<String> {
    fields(request).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The header of the client's assertion.
fn assertion_header(request: &str) -> Value {
    let assertion = field(request, "client_assertion").unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&header).unwrap_or_default()
}

#[tokio::test]
async fn each_recipe_for_the_services_tokens_asks_as_its_server_wants_it() {
    let (ca, files) = (Ca::new(), Files::new());
    let pair = ca.server("webhook", Kind::Rsa);
    let recipes = recipes("target.oauth2");
    let names: Vec<&str> = recipes.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "XSUAA",
        "XSUAA with a certificate",
        "IAS",
        "Entra ID v2",
        "Entra ID v1",
        "Keycloak",
        "Cognito",
        "AD FS",
        "Okta",
        "Ping",
    ];
    assert_eq!(names, expected);
    for (name, lines) in recipes {
        let answer = r#"{"access_token":"t","expires_in":"3599","token_type":"Bearer"}"#;
        let endpoint = RawServer::start(move |_| RawAnswer::whole(200, &[], answer)).await;
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        vms.accept_any_token();
        let settings = on_this_machine(&lines, &files, &pair, &endpoint.url());
        let service =
            Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &format!("{settings}\n")).await;
        let created = service.send(&cart(1)).await;
        assert_eq!(created.status, 201, "{name}: {}", created.text);
        let request = endpoint.requests().remove(0);
        assert_eq!(field(&request, "grant_type").as_deref(), Some("client_credentials"), "{name}");
        let has_parameter = settings.contains("parameters");
        assert_eq!(field(&request, "resource").is_some(), has_parameter, "{name}");
        assert_eq!(field(&request, "scope").is_some(), settings.contains("scopes"), "{name}");
        let is_encoded = request.contains("x-cf-encoded-credentials: true\r\n");
        assert_eq!(is_encoded, matches!(name.as_str(), "XSUAA" | "Cognito"), "{name}");
        assert_eq!(field(&request, "client_secret").is_some(), name == "Ping", "{name}");
        let header = assertion_header(&request);
        let (algorithm, key) = match name.as_str() {
            "Entra ID v2" => ("PS256", "x5t#S256"),
            "Entra ID v1" | "AD FS" => ("RS256", "x5t"),
            "Keycloak" | "Okta" => ("RS256", "kid"),
            _ => ("", ""),
        };
        if !algorithm.is_empty() {
            assert_eq!((&header["alg"], header[key].is_string()), (&json!(algorithm), true), "{name}: {header}");
        }
    }
}

#[tokio::test]
async fn the_recipe_for_the_introspection_asks_with_an_assertion() {
    let (ca, files) = (Ca::new(), Files::new());
    let pair = ca.server("webhook", Kind::Rsa);
    let recipes = recipes("auth.introspection");
    assert!(!recipes.is_empty());
    for (name, lines) in recipes {
        let answer = json!({ "active": true, "scope": SCOPES, "client_id": "srm7" }).to_string();
        let endpoint = RawServer::start(move |_| RawAnswer::whole(200, &[], &answer)).await;
        let issuer = Issuer::start().await.unwrap();
        let vms = SandboxVms::start(issuer.clone()).await.unwrap();
        let settings = on_this_machine(&lines, &files, &pair, &endpoint.url());
        let settings = format!("target.oauth2.client_secret = \"webhook-secret\"\n{settings}\n");
        let service = Service::start_beside(issuer, vms, Arc::new(tempfile::tempdir().unwrap()), &settings).await;
        let listed = service.send_with("an-opaque-token").await;
        assert_eq!(listed.status, 201, "{name}: {}", listed.text);
        assert!(assertion_header(&endpoint.requests()[0])["kid"].is_string(), "{name}");
    }
}

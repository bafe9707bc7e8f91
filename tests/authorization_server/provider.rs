//! A private authorization server: `provider/server.mjs`, which runs npm's oidc-provider.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use purchase_order_webhook::sandbox::issuer::{AUDIENCE, SigningKey};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::certificates::{Ca, Kind, Pair};

const RESOURCE: &str = "https://purchase-order-webhook.example";
const SCOPES: &str = "purchase-orders.write purchase-orders.read purchase-orders.operate";

/// A running server; stopped with this handle.
pub struct Provider {
    pub issuer: String,
    /// Signs its certificate, and those of clients.
    pub ca: Ca,
    /// The certificate of `webhook-mtls`.
    pub webhook: Pair,
    /// The certificate of `srm7-bound`, which is self-signed.
    pub alone: Pair,
    server: Child,
    _folder: TempDir,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Provider {
    /// Starts a server that knows a key of `webhook-key`. `None`, said loudly, where it is not installed; on CI that is a
    /// failure.
    pub fn start(client_key: Option<&SigningKey>) -> Option<Self> {
        let Some(place) = provider_directory() else {
            let text = "NOT RUN: oidc-provider is not installed (scripts/test does it, with npm)";
            assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
            eprintln!("{text}");
            return None;
        };
        let ca = Ca::new();
        let (server, webhook, alone) = (ca.server("provider", Kind::Rsa), ca.client("webhook"), ca.self_signed("srm7"));
        let unused = SigningKey::generate(jsonwebtoken::Algorithm::ES256, "unused").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "certificate": server.certificate, "key": server.key, "clientCa": ca.certificate(),
            "resourceAudience": AUDIENCE, "clientJwk": client_key.unwrap_or(&unused).jwk,
            "mtlsSubjectDn": "CN=webhook", "selfSignedCertificate": alone.certificate, "lifetime": 86_400,
        });
        let file = folder.path().join("config.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut server = Command::new("node")
            .arg(place.join("server.mjs"))
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the server prints its issuer");
        let issuer = ready["issuer"].as_str().unwrap().to_owned();
        Some(Self { issuer, ca, webhook, alone, server, _folder: folder })
    }

    pub fn client(&self) -> Client {
        Client::builder().no_proxy().tls_certs_only([self.ca.trusted()]).build().unwrap()
    }

    pub fn client_with(&self, pair: &Pair) -> Client {
        let builder = Client::builder().no_proxy().tls_certs_only([self.ca.trusted()]);
        builder.identity(pair.identity()).build().unwrap()
    }

    /// A token of SRM for the service.
    pub async fn token(&self, kind: &str) -> String {
        self.ask(&self.client(), "srm7", Some(kind)).await
    }

    /// A token of a client: for the service, of a kind, or else for 11VMS.
    pub async fn ask(&self, http: &Client, client: &str, kind: Option<&str>) -> String {
        let mut form = vec![("grant_type", "client_credentials".to_owned())];
        match kind {
            Some(kind) => form.extend([("resource", format!("{RESOURCE}/{kind}")), ("scope", SCOPES.to_owned())]),
            None => form.push(("scope", "orders".to_owned())),
        }
        let mut request = http.post(format!("{}/token", self.issuer));
        if client == "srm7" {
            request = request.basic_auth(client, Some("srm7-secret"));
        } else {
            form.push(("client_id", client.to_owned()));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Replaces its signing keys.
    pub async fn rotate(&self) {
        assert_eq!(self.client().post(format!("{}/test/rotate", self.issuer)).send().await.unwrap().status(), 204);
    }

    /// How often each of its endpoints was asked.
    pub async fn counts(&self) -> Value {
        self.client().get(format!("{}/test/counts", self.issuer)).send().await.unwrap().json().await.unwrap()
    }
}

/// Where `scripts/test` has put it.
fn provider_directory() -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/oidc-provider");
    directory.join("node_modules/oidc-provider").is_dir().then_some(directory)
}

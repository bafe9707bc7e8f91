//! A collector that takes OTLP over gRPC from clients with a certificate alone, as SAP Cloud Logging does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Ca, Files, Kind, Pair};
use crate::support::{Service, cart};

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Names of spans that arrived, and handshakes that failed.
#[derive(Debug, Clone, Default)]
struct Seen {
    spans: Arc<Mutex<Vec<String>>>,
    refused: Arc<AtomicUsize>,
}

fn acceptor(ca: &Ca, pair: &Pair) -> TlsAcceptor {
    let chain = |file| CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap);
    let (mut roots, provider) = (RootCertStore::empty(), Arc::new(default_provider()));
    roots.add_parsable_certificates(chain(ca.certificate()));
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_file(&pair.key).unwrap();
    let config = builder.with_client_cert_verifier(clients);
    let mut config = config.with_single_cert(chain(pair.certificate.as_path()).collect(), key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn start(ca: &Ca, seen: &Seen) -> SocketAddr {
    let spans = Arc::clone(&seen.spans);
    let take = async move |headers: HeaderMap, body: Bytes| {
        assert_eq!(headers["content-type"], "application/grpc");
        let request = ExportTraceServiceRequest::decode(&body[5..]).unwrap();
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans).map(|span| span.name));
        [("content-type", "application/grpc"), ("grpc-status", "0")]
    };
    let router = Router::new().route(PATH, post(take));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (acceptor, refused) = (acceptor(ca, &ca.server("collector", Kind::Ec)), Arc::clone(&seen.refused));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match acceptor.accept(stream).await {
                Ok(stream) => {
                    let service = TowerToHyperService::new(router.clone());
                    let connection = async move {
                        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
                    };
                    tokio::spawn(async move { drop(connection.await) });
                }
                Err(_) => drop(refused.fetch_add(1, Ordering::Relaxed)),
            }
        }
    });
    address
}

/// The settings of a service that trusts the collector, and shows it a certificate.
fn settings(ca: &Ca, address: SocketAddr, identity: Option<&Pair>) -> String {
    let shown = identity.map(|pair| {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        format!("telemetry.otlp_certificate = \"{certificate}\"\ntelemetry.otlp_key = \"{key}\"\n")
    });
    format!(
        "telemetry.otlp_endpoint = \"https://{address}\"\ntelemetry.otlp_protocol = \"grpc\"\n\
         telemetry.otlp_ca = \"{}\"\n{}",
        ca.certificate().display(),
        shown.unwrap_or_default()
    )
}

#[tokio::test]
async fn a_collector_that_wants_a_certificate_gets_spans_with_it_and_none_without() {
    let (ca, seen) = (Ca::new(), Seen::default());
    let address = start(&ca, &seen).await;
    let client = ca.client("purchase-order-webhook");
    let mut service = Service::start_with(&settings(&ca, address, None)).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    while seen.refused.load(Ordering::Relaxed) == 0 {
        service.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    service.stop().await;
    assert_eq!(*seen.spans.lock().unwrap(), Vec::<String>::new());
    let mut service = Service::start_with(&settings(&ca, address, Some(&client))).await;
    assert_eq!(service.send(&cart(1)).await.status, 201);
    service.stop().await;
    let spans = seen.spans.lock().unwrap();
    assert!(spans.iter().any(|name| name == "settle order"), "{spans:?}");
}

#[test]
fn a_certificate_and_its_key_go_together() {
    let (ca, files) = (Ca::new(), Files::new());
    let (one, other) = (ca.client("one"), ca.client("other"));
    let certificate = format!("telemetry.otlp_certificate = {:?}\n", one.certificate);
    let key = |pair: &Pair| format!("telemetry.otlp_key = {:?}\n", pair.key);
    let absent = format!("telemetry.otlp_key = {:?}\n", files.path("absent.key"));
    for (identity, expected) in [
        (certificate.clone() + &key(&one), None),
        (certificate.clone(), Some("telemetry.otlp_key: is missing: the private key of telemetry.otlp_certificate")),
        (key(&one), Some("telemetry.otlp_certificate: is missing: the certificate of telemetry.otlp_key")),
        (certificate.clone() + &key(&other), Some("telemetry.otlp_key: expected a private key in PEM")),
        (certificate + &absent, Some("absent.key")),
    ] {
        let found = crate::support::mistakes(&format!("telemetry.otlp_endpoint = \"https://x\"\n{identity}"));
        match expected {
            None => assert_eq!(found, Vec::<String>::new()),
            Some(expected) => assert!(found.len() == 1 && found[0].contains(expected), "{identity}: {found:?}"),
        }
    }
}

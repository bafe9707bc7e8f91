//! `healthcheck`: one question to a running service, for platforms whose probes are commands, and for images without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use super::arguments::file_path;
use super::failure::Failure;
use super::process::{print, runtime};
use crate::clock::SystemClock;
use crate::config::{ForwardProxy, Server, environment};
use crate::outbound::{AnswerBody, CertificateSettings, ClientSettings, Outbound, error_chain};

/// For the whole question: a service that does not answer its probe for so long is not well, and platforms kill a check
/// that takes longer (Docker after 30 s).
const TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer that is read; a readiness has some KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The arguments of the command.
#[derive(Debug, clap::Args)]
pub struct HealthcheckArguments {
    /// The settings; else PO_WEBHOOK_CONFIG, else /etc/purchase-order-webhook/config.toml
    #[arg(long, value_name = "FILE", value_parser = file_path(), conflicts_with = "url")]
    config: Option<PathBuf>,
    /// Ask this address, such as http://purchase-order-webhook:9090/readyz, and read no settings
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
}

/// Asks whether the service is alive, by default on its own management listener, and prints the answer.
pub fn run(arguments: &HealthcheckArguments) -> Result<(), Failure> {
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => own_liveness(arguments.config.as_deref())?,
    };
    let (status, body) = runtime()?.block_on(ask(&url))?;
    let said = described(&body);
    if status == StatusCode::OK {
        return print(&format!("{url}: {status}{said}\n"));
    }
    Err(Failure::new(format!("{url}: expected 200 OK, found {status}{said}")))
}

/// Liveness, and not readiness: who restarts a container that is not healthy (Docker Swarm, ECS) would cure neither a
/// ledger that is down nor a mapping that is refused.
fn own_liveness(file: Option<&Path>) -> Result<Url, Failure> {
    let address =
        Server::load_management_address(file, &environment()).map_err(|mistakes| Failure::of_lines(mistakes.0))?;
    let address = SocketAddr::new(reachable(address.ip()), address.port());
    Url::parse(&format!("http://{address}/livez")).map_err(|error| Failure::new(format!("{address}: {error}")))
}

/// The address to connect to where a service listens: "all addresses" is none.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

#[expect(clippy::disallowed_methods, reason = "healthcheck is the caller here")]
async fn ask(url: &Url) -> Result<(StatusCode, AnswerBody), Failure> {
    let client = ClientSettings {
        certificates: CertificateSettings { setting_names: "healthcheck".into(), ca: None, identity: None },
        connect_timeout: TIMEOUT,
        timeout: TIMEOUT,
        max_connection_age: TIMEOUT,
        // It is this host itself.
        forward_proxy: ForwardProxy::default(),
    };
    let outbound = Outbound::try_new(client, Arc::new(SystemClock)).map_err(|error| Failure::new(error.to_string()))?;
    let answer = outbound.client().get(url.clone()).send().await;
    let answer = answer.map_err(|error| Failure::new(format!("{url}: no answer: {}", error_chain(&error))))?;
    Ok((answer.status(), AnswerBody::read(answer, MAX_ANSWER_BYTES).await))
}

/// What the answer says: the state of a probe, or the detail of a problem.
fn described(body: &AnswerBody) -> String {
    let body: Value = body.value().ok().flatten().unwrap_or_default();
    let text = ["status", "detail"].iter().find_map(|name| body.get(name)?.as_str());
    text.map(|text| format!(", {text}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_loopback() {
        for (listening, asked) in [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.1.2.3", "10.1.2.3"), ("::1", "::1")] {
            assert_eq!(reachable(listening.parse().unwrap()), asked.parse::<IpAddr>().unwrap());
        }
    }
}

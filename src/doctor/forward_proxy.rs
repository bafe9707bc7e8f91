//! The forward proxy: whether it connects to each address that is reached through it.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use super::finding::Finding;
use super::limit::within_limit;
use crate::app::WaysOut;
use crate::config::{ProxyAddress, Settings, outbound_addresses};

/// A status line is shorter.
const MAX_ANSWER_BYTES: usize = 1024;

/// How each address is reached, then what the proxy says when it is asked to connect to each.
pub async fn examine_forward_proxy(settings: &Settings) -> Vec<Finding> {
    let ways = WaysOut::of(settings);
    let warnings = ways.warnings.into_iter().map(|text| Finding::warn(text, "list it in outbound.no_proxy"));
    let mut findings: Vec<Finding> = ways.lines.into_iter().map(Finding::ok).chain(warnings).collect();
    let Ok(routes) = settings.target.forward_proxy.read() else { return findings };
    let routes = Arc::new(routes);
    let addresses = outbound_addresses(settings).into_iter().filter(|address| address.url.scheme() == "https");
    let targets: BTreeSet<(String, u16)> = addresses
        .filter(|address| routes.to(&address.url).is_some())
        .filter_map(|address| Some((address.url.host_str()?.to_owned(), address.url.port_or_known_default()?)))
        .collect();
    for (host, port) in targets {
        let Some(proxy) = url_of(&host, port).and_then(|url| routes.to(&url).cloned()) else { continue };
        // TLS to the proxy itself needs the clients' own certificates: the questions below go through it anyway.
        if proxy.url().scheme() != "http" {
            continue;
        }
        let target = format!("{host}:{port}");
        findings.push(match within_limit(connect(&proxy, &target)).await {
            Ok(()) => Finding::ok(format!("forward proxy: {proxy} connects to {target}")),
            Err(problem) => Finding::fail(format!("forward proxy: {proxy}: {problem}"), remedy(&proxy)),
        });
    }
    findings
}

fn remedy(proxy: &ProxyAddress) -> String {
    format!(
        "check {}, and what the proxy lets through; what has to be reached without it belongs into outbound.no_proxy",
        proxy.name
    )
}

fn url_of(host: &str, port: u16) -> Option<Url> {
    format!("https://{host}:{port}").parse().ok()
}

/// Asks for a tunnel (RFC 9110 §9.3.6), and lets it go.
async fn connect(proxy: &ProxyAddress, target: &str) -> Result<(), String> {
    let host = proxy.url().host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = proxy.url().port_or_known_default().unwrap_or_default();
    let stream = TcpStream::connect((host, port)).await;
    let mut stream = stream.map_err(|error| format!("it can't be reached: {error}"))?;
    let authorization =
        proxy.authorization().map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    let hung_up = |error: std::io::Error| format!("it hung up when it was to connect to {target}: {error}");
    stream.write_all(request.as_bytes()).await.map_err(hung_up)?;
    let mut answer = Vec::new();
    while !answer.contains(&b'\n') && answer.len() < MAX_ANSWER_BYTES {
        if stream.read_buf(&mut answer).await.map_err(hung_up)? == 0 {
            break;
        }
    }
    let line = String::from_utf8_lossy(answer.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default());
    match line.split_whitespace().nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        Some(_) => Err(format!("it answers CONNECT {target} with {:?}", line.split_once(' ').unwrap_or_default().1)),
        None => Err(format!("it gives no answer of HTTP to CONNECT {target}")),
    }
}

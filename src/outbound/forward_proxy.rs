//! The forward proxy of a client: which requests go through it, and what is said when it is at fault.

use reqwest::header::HeaderValue;
use reqwest::{ClientBuilder, Error, Proxy};
use url::Url;

use super::error_chain::error_chain;
use super::http_versions::HttpVersions;
use crate::config::{ProxyAddress, ProxyRoutes};

/// How hyper's tunnel begins its errors.
const TUNNEL: &str = "tunnel error: ";

/// Adds the proxies. Without any, nothing is read of the environment either.
pub fn add_proxies(builder: ClientBuilder, routes: &ProxyRoutes, versions: HttpVersions) -> ClientBuilder {
    // It has one authorization for all addresses, so that each scheme has one of its own.
    ["https", "http"].into_iter().fold(builder.no_proxy(), |builder, scheme| {
        let Some(proxy) = routes.of(scheme).cloned() else { return builder };
        let (address, routes) = (proxy.url().clone(), routes.clone());
        let through = Proxy::custom(move |url| {
            (url.scheme() == scheme && through(&routes, url, versions).is_some()).then(|| address.clone())
        });
        let authorization = proxy.authorization().and_then(|value| HeaderValue::from_str(value).ok());
        builder.proxy(match authorization {
            Some(mut value) => {
                value.set_sensitive(true);
                through.custom_http_auth(value)
            }
            None => through,
        })
    })
}

/// The proxy of a URL. HTTP/2 without TLS can't be forwarded: a proxy speaks HTTP/1.1.
pub fn through<'r>(routes: &'r ProxyRoutes, url: &Url, versions: HttpVersions) -> Option<&'r ProxyAddress> {
    routes.to(url).filter(|_| versions == HttpVersions::Negotiated || url.scheme() == "https")
}

/// Why a request has failed, in words that tell whether the proxy or what is behind it is at fault.
pub fn explain(error: &Error, proxy: Option<&ProxyAddress>) -> String {
    let chain = error_chain(error);
    let Some(proxy) = proxy else { return chain };
    let Some((_, problem)) = chain.split_once(TUNNEL) else {
        let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
        return if is_plain && error.is_connect() {
            format!("the forward proxy {proxy} ({}) can't be reached: {chain}", proxy.name)
        } else {
            format!("{chain} (through the forward proxy {proxy})")
        };
    };
    let target = error.url().map(host_and_port).unwrap_or_default();
    match problem {
        "proxy authorization required" => refused_credentials(proxy),
        "unsuccessful" => format!(
            "the forward proxy {proxy} made no connection to {target}: it can't reach it, it must not, or it refuses the credentials (doctor shows its answer)"
        ),
        "unexpected end of file" => format!("the forward proxy {proxy} hung up when it was to connect to {target}"),
        other => match other.split_once("failed to create underlying connection") {
            Some((_, problem)) => {
                let problem = problem.trim_start_matches([':', ' ']);
                format!("the forward proxy {proxy} ({}) can't be reached: {problem}", proxy.name)
            }
            None => format!("the forward proxy {proxy} made no connection to {target}: {other}"),
        },
    }
}

/// What 407 means: only a proxy answers it (RFC 9110 §15.5.8).
pub fn refused_credentials(proxy: &ProxyAddress) -> String {
    let name = proxy.name;
    match proxy.authorization() {
        Some(_) => format!("the forward proxy {proxy} wants other credentials than those of {name} (407)"),
        None => format!("the forward proxy {proxy} wants credentials (407): user:password@ in {name}"),
    }
}

fn host_and_port(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

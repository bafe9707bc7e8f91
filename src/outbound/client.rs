//! HTTP clients whose certificates are exchanged when their files change, and whose connections when they are old.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use reqwest::dns::Resolve;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy as Redirects;
use reqwest::{Client, Response, StatusCode};
use rustls::ClientConfig;
use tracing::{info, warn};

use super::calls::{Call, CallDurations, Operation};
use super::error_chain::error_chain;
use super::forward_proxy::{add_proxies, explain, refused_credentials, through};
use super::http_versions::HttpVersions;
use super::tls::{CertificateFiles, CertificateSettings, OutboundError};
use crate::clock::{Clock, Moment};
use crate::config::{ForwardProxy, ProxyRoutes};
use crate::reload::{Reload, Reloadable, Settling};

/// Idle connections are closed before common servers and load balancers do it: a request on a connection that the
/// other side is just closing has an unknown outcome.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// Between two readings of the files, while the client is used: a renewed certificate overlaps with the old one for days.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// What can be read of answers, best first. A server that has nothing of it may send what it has: its status counts.
const MEDIA_TYPES: &str = "application/json, application/*+json;q=0.9, */*;q=0.1";

/// The content codings that `content_encoding.rs` reads.
const CODINGS: &str = "gzip, deflate";

/// Trust, identity, time-outs and connections of a client.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The files of its certificates.
    pub certificates: CertificateSettings,
    /// For the TCP and TLS handshake.
    pub connect_timeout: Duration,
    /// For a whole request.
    pub timeout: Duration,
    /// A connection that is older serves no new request, so that a name that moved is followed under steady traffic.
    pub max_connection_age: Duration,
    /// The proxy between.
    pub forward_proxy: ForwardProxy,
}

/// The setting of the forward proxy.
const PROXY: &str = "outbound.proxy_file";

/// The digest of the files, or the reason why they can't be read.
type Content = Result<[u8; 32], String>;

/// Another resolver of names than the system's.
#[derive(Clone)]
struct NameResolver(Arc<dyn Resolve>);

impl fmt::Debug for NameResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameResolver")
    }
}

/// A client with its connections.
#[derive(Debug)]
struct Pool {
    client: Client,
    /// The TLS with which they were made.
    tls: Arc<ClientConfig>,
    /// The proxies through which they were made.
    routes: Arc<ProxyRoutes>,
    opened_at: Moment,
}

/// An HTTP client, exchanged when its files change or its connections are old.
#[derive(Debug)]
pub struct Outbound {
    settings: ClientSettings,
    clock: Arc<dyn Clock>,
    resolver: Option<NameResolver>,
    versions: HttpVersions,
    tls: Reloadable<Content, ClientConfig>,
    routes: Reloadable<Result<ProxyRoutes, String>, ProxyRoutes>,
    pool: ArcSwap<Pool>,
    checked_at: Mutex<Moment>,
    /// Held while a pool is exchanged, so that two callers do not both do it.
    exchange: Mutex<()>,
    calls: Arc<CallDurations>,
}

impl Outbound {
    /// Builds the client, without connecting.
    ///
    /// # Errors
    /// If a file can't be read or does not hold what it must, or no HTTP client can be built.
    pub fn try_new(settings: ClientSettings, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        Self::with_resolver(settings, clock, None, HttpVersions::Negotiated)
    }

    /// The same, for a server that speaks nothing but HTTP/2, also without TLS: gRPC.
    ///
    /// # Errors
    /// As [`Outbound::try_new`].
    pub fn try_new_http2(settings: ClientSettings, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        Self::with_resolver(settings, clock, None, HttpVersions::Http2)
    }

    /// Builds the client with another resolver of names than the system's.
    fn with_resolver(
        settings: ClientSettings,
        clock: Arc<dyn Clock>,
        resolver: Option<NameResolver>,
        versions: HttpVersions,
    ) -> Result<Self, OutboundError> {
        let files = settings.certificates.read()?;
        let config = settings.certificates.client_config(&files)?;
        let tls = Reloadable::new(Ok(files.digest()), config, Settling::Immediate);
        let routes = settings
            .forward_proxy
            .read()
            .map_err(|problem| OutboundError::File { setting_names: PROXY.into(), problem })?;
        let routes = Reloadable::new(Ok(routes.clone()), routes, Settling::Immediate);
        let now = clock.moment();
        let client = settings.client(&tls.current(), &routes.current(), resolver.as_ref(), versions)?;
        let pool = Pool { client, tls: tls.current(), routes: routes.current(), opened_at: now };
        let pool = ArcSwap::from_pointee(pool);
        Ok(Self {
            settings,
            clock,
            resolver,
            versions,
            tls,
            routes,
            pool,
            checked_at: Mutex::new(now),
            exchange: Mutex::default(),
            calls: Arc::default(),
        })
    }

    /// The client with the current certificates, and with connections that are not too old. Files that can't be used leave
    /// the client before in use; a client that was exchanged ends its requests, and then its connections.
    pub fn client(&self) -> Client {
        let now = self.clock.moment();
        let (of_tls, of_proxy) = (self.settings.certificates.has_files(), self.settings.forward_proxy.has_files());
        if (of_tls || of_proxy) && self.check_is_due(now) {
            if of_tls {
                self.reload_if_changed();
            }
            if of_proxy {
                self.reload_proxy_if_changed();
            }
        }
        let pool = self.pool.load();
        if self.is_current(&pool, now) { pool.client.clone() } else { self.exchange_pool(now) }
    }

    /// Begins a call, which lasts until it is dropped.
    pub fn begin_call(&self, operation: Operation) -> Call<'_> {
        Call::begin(&self.calls, &self.clock, operation)
    }

    /// Why a request has failed, in words that tell whether the forward proxy or what is behind it is at fault.
    pub fn explain(&self, error: &reqwest::Error) -> String {
        let routes = self.routes.current();
        explain(error, error.url().and_then(|url| through(&routes, url, self.versions)))
    }

    /// Why an answer is none of the server that was asked: a forward proxy has refused to forward the request.
    pub fn refused_by_proxy(&self, answer: &Response) -> Option<String> {
        let routes = self.routes.current();
        let proxy = through(&routes, answer.url(), self.versions)?;
        (answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED).then(|| refused_credentials(proxy))
    }

    /// The same client, whose calls are counted together with others.
    #[must_use]
    pub fn counting_into(self, calls: Arc<CallDurations>) -> Self {
        Self { calls, ..self }
    }

    /// How long its calls took.
    pub fn calls(&self) -> Arc<CallDurations> {
        Arc::clone(&self.calls)
    }

    fn is_current(&self, pool: &Pool, now: Moment) -> bool {
        Arc::ptr_eq(&pool.tls, &self.tls.current())
            && Arc::ptr_eq(&pool.routes, &self.routes.current())
            && now.since(pool.opened_at) < self.settings.max_connection_age
    }

    /// Begins with new connections. Reads no file.
    fn exchange_pool(&self, now: Moment) -> Client {
        let _one_at_a_time = lock(&self.exchange);
        let pool = self.pool.load();
        if self.is_current(&pool, now) {
            return pool.client.clone();
        }
        let (tls, routes) = (self.tls.current(), self.routes.current());
        match self.settings.client(&tls, &routes, self.resolver.as_ref(), self.versions) {
            Ok(client) => {
                self.pool.store(Arc::new(Pool { client: client.clone(), tls, routes, opened_at: now }));
                client
            }
            Err(error) => {
                warn!(
                    setting.name = &*self.settings.certificates.setting_names,
                    error.message = %error,
                    "no new HTTP client can be built; the one before stays in use with its connections"
                );
                pool.client.clone()
            }
        }
    }

    fn check_is_due(&self, now: Moment) -> bool {
        let mut checked_at = lock(&self.checked_at);
        let is_due = now.since(*checked_at) >= CHECK_INTERVAL;
        if is_due {
            *checked_at = now;
        }
        is_due
    }

    fn reload_proxy_if_changed(&self) {
        let read = self.settings.forward_proxy.read();
        match self.routes.offer(read.clone(), |_| read) {
            Reload::Unchanged => {}
            Reload::Exchanged { .. } => {
                info!(setting.name = PROXY, "a changed forward proxy for outbound calls is in use");
            }
            Reload::Refused(problem) => warn!(
                setting.name = PROXY,
                error.message = problem,
                "a changed forward proxy for outbound calls can't be used; the one before stays in use"
            ),
        }
    }

    fn reload_if_changed(&self) {
        let certificates = &self.settings.certificates;
        let files = certificates.read();
        let content = files.as_ref().map(CertificateFiles::digest).map_err(ToString::to_string);
        match self.tls.offer(content, |_| files.and_then(|files| certificates.client_config(&files))) {
            Reload::Unchanged => {}
            Reload::Exchanged { .. } => {
                info!(
                    setting.name = &*certificates.setting_names,
                    file.path = certificates.paths(),
                    "changed certificates for outbound calls are in use"
                );
            }
            Reload::Refused(error) => {
                if matches!(error, OutboundError::Build { .. }) {
                    // The system's certificate store takes part: the same files may do next time.
                    self.tls.try_again();
                }
                warn!(
                    setting.name = &*certificates.setting_names,
                    file.path = certificates.paths(),
                    error.message = %error,
                    "changed certificates for outbound calls can't be used; the ones before stay in use"
                );
            }
        }
    }
}

impl ClientSettings {
    /// An HTTP client that does nothing on its own: no redirects, no retries, no proxy but that of the settings.
    fn client(
        &self,
        tls: &ClientConfig,
        routes: &ProxyRoutes,
        resolver: Option<&NameResolver>,
        versions: HttpVersions,
    ) -> Result<Client, OutboundError> {
        let mut tls = tls.clone();
        if versions == HttpVersions::Http2 {
            tls.alpn_protocols.retain(|protocol| protocol == b"h2");
        }
        let builder = Client::builder()
            .user_agent(concat!("purchase-order-webhook/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([
                (ACCEPT, HeaderValue::from_static(MEDIA_TYPES)),
                (ACCEPT_ENCODING, HeaderValue::from_static(CODINGS)),
            ]))
            .redirect(Redirects::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .pool_idle_timeout(POOL_IDLE)
            // `timeout` alone limits how long an answer may take.
            .tcp_user_timeout(None)
            .tls_backend_preconfigured(tls);
        let builder = add_proxies(builder, routes, versions);
        let builder = if versions == HttpVersions::Http2 { builder.http2_prior_knowledge() } else { builder };
        let builder = match resolver {
            Some(NameResolver(resolver)) => builder.dns_resolver(Arc::clone(resolver)),
            None => builder,
        };
        builder.build().map_err(|error| OutboundError::Build {
            setting_names: self.certificates.setting_names.clone(),
            problem: error_chain(&error),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

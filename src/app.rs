//! The composition root: builds the parts, binds, serves, drains. Only it names concrete adapters.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use url::Url;

use crate::api::{ApiState, ClientRateLimiter};
use crate::auth::TokenVerifier;
use crate::auth::introspection::Introspector;
use crate::auth::jwks::KeySet;
use crate::clock::{Clock, SystemClock};
use crate::config::{Auth, Limits, Settings, Storage};
use crate::edge::{ConnectionServer, ServerTls, TlsError};
use crate::ledger::outage_log::OutageLog;
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger, LedgerError};
use crate::mapping::{Defect, LiveMapping};
use crate::outbound::{ClientSettings, Outbound, OutboundError};
use crate::relay::{Dependencies, JitterSource, Relay, lease_length};
use crate::server::{management_router, public_router};
use crate::vms::client::VmsClient;

/// An attempt usually fetches a token, looks up, and sends, each within `target.timeout`. With a 401 in between it may
/// need more, and is then cut off.
const CALLS_IN_AN_ATTEMPT: u32 = 3;

/// Behind `server.drain`: those who still wait are told where their order stands.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Connections that may wait to be accepted, as many as Linux allows unless told otherwise: a batch job opens all of its
/// connections in one moment, and what does not fit is lost for seconds.
const BACKLOG: u32 = 4096;

/// Connections to the probes at the same time: a kubelet and a scraper need two.
const PROBES: usize = 256;

/// How often settled orders that are past their retention are removed.
const PURGE: Duration = Duration::from_hours(1);

/// Why the service can't start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The mapping folder has defects.
    #[error("{}", shown(directory, defects))]
    Mapping {
        /// The folder.
        directory: String,
        /// Every defect.
        defects: Vec<Defect>,
    },
    /// The ledger can't be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No HTTP client can be built.
    #[error(transparent)]
    Client(#[from] OutboundError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address can't be had.
    #[error("{key} {address} can't be had: {source}")]
    Bind {
        /// The setting.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Defects with their folder, one a line.
pub fn shown(directory: &str, defects: &[Defect]) -> String {
    let lines: Vec<String> = defects.iter().map(|defect| format!("{directory}/{defect}")).collect();
    lines.join("\n")
}

/// What is wrong with the certificates and keys that the settings name.
pub fn check_files(settings: &Settings) -> Vec<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.server.tls.clone().map(ServerTls::try_new).transpose().err().map(|error| error.to_string());
    let issuer = verifier(settings.auth.clone(), &clock).err().map(|error| error.to_string());
    let target = VmsClient::from_config(&settings.target, clock).err().map(|error| error.to_string());
    [tls, issuer, target].into_iter().flatten().collect()
}

/// Names the settings whose tokens or secrets would travel in the clear.
fn warn_of_plain_text(settings: &Settings) {
    let introspection = settings.auth.introspection.as_ref().map(|introspection| &introspection.url);
    let issuer = settings.auth.issuer.parse().ok();
    let urls = [
        ("target.base_url", Some(&settings.target.base_url)),
        ("target.oauth2.token_url", Some(&settings.target.oauth2.token_url)),
        ("auth.introspection.url", introspection),
        ("auth.jwks_url", settings.auth.jwks_url.as_ref()),
        ("auth.issuer", issuer.as_ref().filter(|_| settings.auth.jwks_url.is_none())),
    ];
    let is_here = |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    for (setting, url) in urls {
        if url.is_some_and(|url: &Url| url.scheme() == "http" && !is_here(url)) {
            warn!(
                setting,
                "this URL is without TLS: whoever is on the way can read tokens and secrets, or replace keys"
            );
        }
    }
}

/// The service, bound and ready to run.
#[derive(Debug)]
pub struct App {
    api: Arc<ApiState>,
    public: TcpListener,
    management: TcpListener,
    tls: Option<Arc<ServerTls>>,
    drain: Duration,
    retention: Duration,
}

impl App {
    /// Builds every part and binds both addresses. Nothing is fetched or sent yet.
    ///
    /// # Errors
    /// If a part can't be had; see [`StartError`].
    pub async fn build(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        warn_of_plain_text(&settings);
        let Settings { server, auth, target, retry, ledger, mapping, .. } = settings;
        let directory = mapping.directory.display().to_string();
        let mapping = LiveMapping::load(mapping.directory, mapping.amounts)
            .map_err(|defects| StartError::Mapping { directory, defects })?;
        let attempt_limit = target.timeout.saturating_mul(CALLS_IN_AN_ATTEMPT);
        let orders = open(&ledger.storage, lease_length(attempt_limit)).await?;
        let orders: Arc<dyn Ledger> = Arc::new(OutageLog::new(orders, Arc::clone(&clock)));
        let relay = Relay::new(Dependencies {
            ledger: Arc::clone(&orders),
            vms: Arc::new(VmsClient::from_config(&target, Arc::clone(&clock))?),
            clock: Arc::clone(&clock),
            policy: retry,
            response_rules: target.response_rules,
            max_concurrency: target.max_concurrency,
            breaker: target.breaker,
            attempt_limit,
            jitter: JitterSource(Arc::new(|| rand::random_range(-1.0..=1.0))),
        });
        let tls = server.tls.clone().map(ServerTls::try_new).transpose()?.map(Arc::new);
        let (listen, management_listen, drain) = (server.listen, server.management_listen, server.drain);
        let limits = server.limits;
        let api = ApiState {
            relay,
            ledger: orders,
            mapping: Arc::new(mapping),
            tokens: verifier(auth, &clock)?,
            in_flight: Arc::new(Semaphore::new(limits.max_in_flight)),
            queries: Arc::new(Semaphore::new(limits.queries)),
            batches: Arc::new(Semaphore::new(limits.batches)),
            rates: ClientRateLimiter::new(limits.rate_per_client, limits.clients, Arc::clone(&clock)),
            clock,
            server,
        };
        Ok(Self {
            api: Arc::new(api),
            public: bind("server.listen", listen)?,
            management: bind("server.management_listen", management_listen)?,
            tls,
            drain,
            retention: ledger.retention,
        })
    }

    /// Where the API listens.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// Where probes listen.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn management_address(&self) -> std::io::Result<SocketAddr> {
        self.management.local_addr()
    }

    /// Serves until `stop`; then finishes what is under way within `server.drain`. What does not finish is in the
    /// ledger, and goes on at the next start.
    pub async fn run(self, stop: CancellationToken) {
        let Self { api, public, management, tls, drain, retention } = self;
        let relay = tokio::spawn(Arc::clone(&api.relay).run());
        let stop_too = stop.clone();
        tokio::spawn(async move {
            if let Err(error) = relay.await {
                error!(%error, "the relay failed; the service stops, and its next start goes on");
                stop_too.cancel();
            }
        });
        tokio::spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&api.mapping).watch(Arc::clone(&api.clock))));
        tokio::spawn(stop.clone().run_until_cancelled_owned(purge(Arc::clone(&api), retention)));
        let warm = Arc::clone(&api);
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move { warm.tokens.warm().await }));

        let served = CancellationToken::new();
        if let Some(tls) = &tls {
            let watched = Arc::clone(tls).watch(Arc::clone(&api.clock));
            tokio::spawn(stop.clone().run_until_cancelled_owned(watched));
        }
        let limits = api.server.limits;
        let few = Limits { connections: PROBES, ..limits };
        let connections = ConnectionServer::new(management_router(&api), None, few);
        let probes = tokio::spawn(connections.serve(management, served.clone(), LAST_ANSWERS));
        let connections = ConnectionServer::new(public_router(&api), tls, limits);
        let requests = connections.serve(public, stop.clone(), drain + LAST_ANSWERS);
        let work = async {
            stop.cancelled().await;
            api.relay.stop(drain).await;
        };
        tokio::join!(requests, work);
        served.cancel();
        if let Err(error) = probes.await {
            error!(%error, "the probes' listener failed");
        }
        info!("stopped");
    }
}

/// Who decides about tokens.
fn verifier(auth: Auth, clock: &Arc<dyn Clock>) -> Result<TokenVerifier, OutboundError> {
    let route = ClientSettings {
        setting_names: "auth.ca",
        connect_timeout: auth.timeout,
        timeout: auth.timeout,
        ca: auth.ca.clone(),
        identity: None,
    };
    let issuer = Arc::new(Outbound::try_new(route, Arc::clone(clock))?);
    let keys = KeySet::new(&auth, Arc::clone(&issuer), Arc::clone(clock));
    let introspector =
        auth.introspection.clone().map(|settings| Introspector::new(settings, auth.clone(), issuer, Arc::clone(clock)));
    Ok(TokenVerifier::new(auth, keys, introspector, Arc::clone(clock)))
}

/// The ledger that the settings name.
async fn open(storage: &Storage, lease: Duration) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(match storage {
        Storage::Sqlite(path) => Arc::new(SqliteLedger::open(path)?),
        Storage::Postgres(url) => {
            let url = url.clone();
            Arc::new(PostgresLedger::open(Arc::new(move || url.read()), lease).await?)
        }
    })
}

fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart does not wait for the last connections of the life before.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| StartError::Bind { key, address, source })
}

async fn purge(api: Arc<ApiState>, retention: Duration) {
    loop {
        match api.ledger.purge(api.clock.now(), retention).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "orders past their retention were removed"),
            Err(problem) => error!(%problem, "orders past their retention can't be removed"),
        }
        api.clock.sleep(PURGE).await;
    }
}

//! The composition root: builds the parts, binds, serves, drains. Only it names concrete adapters.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::auth::TokenVerifier;
use crate::auth::jwks::KeySet;
use crate::clock::Clock;
use crate::config::{Settings, Storage};
use crate::http::{self, ASIDE, Api, BATCHES, Limits, Rates};
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::{Ledger, LedgerError};
use crate::mapping::{Defect, LiveMapping};
use crate::relay::{Chance, FRESH, Parts, Relay};
use crate::vms::client::{VmsClient, http_client};

/// For the issuer's metadata and keys.
const ISSUER_TIMEOUT: Duration = Duration::from_secs(5);

/// An attempt usually fetches a token, looks up, and sends, each within `target.timeout`. With a 401 in between it may
/// need more, and is then cut off.
const CALLS_IN_AN_ATTEMPT: u32 = 3;

/// How much longer a lease of the ledger is than the longest attempt and what goes before it.
const LEASE_MARGIN: Duration = Duration::from_secs(1);

/// Behind `server.drain`: those who still wait are told where their order stands.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Connections that may wait to be accepted, as many as Linux allows unless told otherwise: a batch job opens all of its
/// connections in one moment, and what does not fit is lost for seconds.
const BACKLOG: u32 = 4096;

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
    #[error("the HTTP client can't be built: {0}")]
    Client(#[from] reqwest::Error),
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

/// The service, bound and ready to run.
#[derive(Debug)]
pub struct App {
    api: Arc<Api>,
    public: TcpListener,
    management: TcpListener,
    drain: Duration,
    retention: Duration,
}

impl App {
    /// Builds every part and binds both addresses. Nothing is fetched or sent yet.
    ///
    /// # Errors
    /// If a part can't be had; see [`StartError`].
    pub async fn build(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let Settings { server, auth, target, retry, ledger, mapping, .. } = settings;
        let directory = mapping.directory.display().to_string();
        let mapping = LiveMapping::load(mapping.directory, mapping.amounts)
            .map_err(|defects| StartError::Mapping { directory, defects })?;
        let attempt_limit = target.timeout.saturating_mul(CALLS_IN_AN_ATTEMPT);
        let orders = open(&ledger.storage, attempt_limit.saturating_add(FRESH + LEASE_MARGIN)).await?;
        let relay = Relay::new(Parts {
            ledger: Arc::clone(&orders),
            vms: Arc::new(VmsClient::from_config(&target, Arc::clone(&clock))?),
            clock: Arc::clone(&clock),
            policy: retry,
            reading: target.reading,
            max_concurrency: target.max_concurrency,
            breaker: target.breaker,
            attempt_limit,
            chance: Chance(Arc::new(|| rand::random_range(-1.0..=1.0))),
        });
        let keys = KeySet::new(&auth, http_client(ISSUER_TIMEOUT, ISSUER_TIMEOUT)?, Arc::clone(&clock));
        let rates = Rates::new(server.rate_limit_per_client, Arc::clone(&clock));
        let api = Api {
            relay,
            ledger: orders,
            mapping: Arc::new(mapping),
            tokens: TokenVerifier::new(auth, keys, Arc::clone(&clock)),
            clock,
            limits: Limits::from_config(&server),
            in_flight: Arc::new(Semaphore::new(server.max_in_flight)),
            aside: Arc::new(Semaphore::new(ASIDE)),
            batches: Semaphore::new(BATCHES),
            rates,
        };
        Ok(Self {
            api: Arc::new(api),
            public: bind("server.listen", server.listen)?,
            management: bind("server.management_listen", server.management_listen)?,
            drain: server.drain,
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
        let Self { api, public, management, drain, retention } = self;
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
        let probes = tokio::spawn(http::serve(management, http::management_router(&api), served.clone(), LAST_ANSWERS));
        let requests = http::serve(public, http::public_router(&api), stop.clone(), drain + LAST_ANSWERS);
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

async fn purge(api: Arc<Api>, retention: Duration) {
    loop {
        match api.ledger.purge(api.clock.now(), retention).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "orders past their retention were removed"),
            Err(problem) => error!(%problem, "orders past their retention can't be removed"),
        }
        api.clock.sleep(PURGE).await;
    }
}

//! The composition root: builds the parts, binds, serves, drains. The only module that names concrete adapters.

mod alerting;
mod background;
mod census;
mod certificate_dates;
mod exports;
mod file_checks;
mod forward_proxy;
mod ledger_start;
mod mapping_check;
mod plain_text;
mod purge;
mod socket;
mod start_error;
mod verifier;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::api::{ApiState, ClientRateLimiter, ProtectedResource};
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{Limits, Settings, Storage};
use crate::edge::{ConnectionServer, ServerTls};
use crate::ledger::outbox::Outbox;
use crate::mapping::{LiveMapping, LiveState};
use crate::relay::observer::{Observer, Observers};
use crate::relay::{Concurrency, Dependencies, JitterSource, Relay, lease_length};
use crate::server::{management_router, public_router};
use crate::shutdown::Shutdown;
use crate::telemetry::metrics::{DeliveryMetrics, Metrics, OrderMetrics, Sources};
use crate::telemetry::{BreakerCondition, LogRecords, OrderLog};
use crate::vms::Vms;
use crate::vms::client::VmsClient;
use alerting::Alerting;
use background::Background;
use census::count_open_orders;
pub use certificate_dates::{CertificateDates, DateFinding, Severity};
use exports::Exports;
use file_checks::database_files;
pub use file_checks::{check_dates, check_files, check_future_restore, check_ledger_file, check_restore};
pub use forward_proxy::WaysOut;
use ledger_start::{OpenedLedger, open_ledger};
pub use mapping_check::{ExpectedExamples, MappingCheck, check_mapping};
use plain_text::warn_of_plain_text_urls;
use purge::purge_old_orders;
pub use start_error::{StartError, defect_lines};
pub use verifier::token_verifier;

/// Time after `server.drain` in which callers that still wait get the state of their orders.
const FINAL_ANSWERS: Duration = Duration::from_secs(1);

/// Connections to the probes at the same time: a kubelet and a scraper need two, and a flood must not use up file
/// descriptors.
const PROBE_CONNECTIONS: usize = 256;

/// The service, bound and ready to run.
#[derive(Debug)]
pub struct App {
    api: Arc<ApiState>,
    public: TcpListener,
    management: TcpListener,
    tls: Option<Arc<ServerTls>>,
    certificates: CertificateDates,
    exports: Exports,
    alerting: Alerting,
    outbox: Arc<dyn Outbox>,
    retention: Duration,
}

impl App {
    /// Builds every part and binds both addresses. Nothing is fetched or sent yet. Waits for a database that can't be used
    /// yet, at most for `ledger.start_timeout`.
    ///
    /// # Errors
    /// If a part can't be built; see [`StartError`].
    pub async fn build(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let conditions = Conditions::default();
        let (mapping, certificates) = read_files(&settings, &clock, &conditions)?;
        let Settings { server, auth, target, retry, ledger, pages, alerts, telemetry, .. } = settings;
        let (attempt_limit, resource) = (target.attempt_limit(), ProtectedResource::of(&auth));
        let (order_metrics, deliveries) = (Arc::<OrderMetrics>::default(), Arc::<DeliveryMetrics>::default());
        let alerting = Alerting::try_new(alerts, &clock, Arc::<DeliveryMetrics>::clone(&deliveries))?;
        let (tracer, exports) = Exports::try_new(telemetry, &clock)?;
        let start = open_ledger(&ledger, lease_length(attempt_limit), &clock, alerting.recipients.clone(), &conditions);
        let OpenedLedger { ledger: orders, outbox, audit, restored } = Box::pin(start).await?;
        let vms = Arc::new(VmsClient::from_config(&target, Arc::clone(&clock), conditions.clone())?);
        let relay = Relay::new(Dependencies {
            ledger: Arc::clone(&orders),
            vms: Arc::clone(&vms) as Arc<dyn Vms>,
            clock: Arc::clone(&clock),
            concurrency: Concurrency::usual(target.max_concurrency, retry.guard),
            policy: retry,
            response_rules: target.response_rules,
            breaker: target.breaker,
            attempt_limit,
            jitter: JitterSource(Arc::new(|| rand::random_range(-1.0..=1.0))),
            observers: observers(&order_metrics, &conditions, &clock),
            tracer: tracer.clone(),
            restored,
        });
        let tokens = token_verifier(&auth, target.max_connection_age, &clock, &conditions)?;
        let api = ApiState {
            metrics: Metrics::new(Sources {
                calls: [vms.calls(), tokens.calls()],
                orders: order_metrics,
                relay: Arc::clone(&relay),
                ledger: orders.statistics(),
                keys: tokens.key_statistics(),
                mapping: Arc::clone(&mapping),
                conditions: conditions.clone(),
                deliveries,
                exports: Arc::clone(&exports.metrics),
                certificates: certificates.expiries(),
                clock: Arc::clone(&clock),
            }),
            relay,
            ledger: orders,
            audit,
            mapping,
            keep_carts: ledger.keep_carts,
            tokens,
            resource,
            in_flight: Arc::new(Semaphore::new(server.limits.max_in_flight)),
            queries: Arc::new(Semaphore::new(server.limits.queries)),
            batches: Arc::new(Semaphore::new(server.limits.batches)),
            rates: ClientRateLimiter::new(server.limits.rate_per_client, server.limits.clients, Arc::clone(&clock)),
            clock,
            conditions,
            stop_announced: CancellationToken::new(),
            tracer,
            server,
            pages,
        };
        Ok(Self {
            public: bind("server.listen", api.server.listen)?,
            management: bind("server.management_listen", api.server.management_listen)?,
            tls: api.server.tls.clone().map(ServerTls::try_new).transpose()?.map(Arc::new),
            api: Arc::new(api),
            certificates,
            exports,
            alerting,
            outbox,
            retention: ledger.retention,
        })
    }

    /// Exports these log records too: those of the process's log, which has a beginning before the service has.
    #[must_use]
    pub fn with_log_records(mut self, records: Option<LogRecords>) -> Self {
        self.exports.records = records;
        self
    }

    /// The mapping in use.
    pub fn mapping_state(&self) -> LiveState {
        self.api.mapping.state()
    }

    /// The address of the API, with the port that was bound.
    ///
    /// # Errors
    /// If the system does not know it.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// The address of the probes, with the port that was bound.
    ///
    /// # Errors
    /// If the system does not know it.
    pub fn management_address(&self) -> std::io::Result<SocketAddr> {
        self.management.local_addr()
    }

    /// Serves until a stop is announced, and for `server.stop_delay` after that, no longer ready; then finishes work in
    /// progress within `server.drain`. Orders that are still open then continue at the next start.
    pub async fn run(self, shutdown: impl Into<Shutdown>) {
        let Self { api, public, management, tls, certificates, exports, alerting, outbox, retention } = self;
        let shutdown = shutdown.into();
        let background = Background::until(shutdown.draining());
        start_background_tasks(&background, &api, tls.as_ref(), retention, &shutdown);
        background.spawn(certificates.watch(Arc::clone(&api.clock), api.conditions.clone()));
        for task in alerting.tasks(&outbox, &api, &background.tasks) {
            background.spawn(task);
        }
        let exports = exports.start(&api);
        let drained = Shutdown::default();
        let probes = spawn_probes(&api, management, drained.clone());
        let connections =
            ConnectionServer::new(public_router(&api), tls, api.server.limits, Arc::clone(api.metrics.refusals()));
        let requests = connections.serve(public, shutdown.clone(), api.server.drain + FINAL_ANSWERS);
        let work = async {
            shutdown.announced().cancelled().await;
            api.stop_announced.cancel();
            // The platform needs this time to send no more callers here.
            let _ = tokio::time::timeout(api.server.stop_delay, shutdown.draining().cancelled()).await;
            shutdown.begin_drain();
            api.relay.stop(api.server.drain).await;
        };
        tokio::join!(requests, work);
        // Whoever starts again on the same ledger finds it free.
        background.end().await;
        drained.begin_drain();
        if let Err(error) = probes.await {
            error!(error.message = %error, "the server of the probes failed; orders are not affected");
        }
        // Last: what happened in the drain is told as well.
        exports.finish().await;
        // The ledger waits for whoever still reads it, and they may need this thread.
        let _ = tokio::task::spawn_blocking(move || drop((api, outbox))).await;
        info!("the service has stopped; open orders continue at its next start");
    }
}

/// Reads the files that the settings name, and reports what is to be said of them.
fn read_files(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> Result<(Arc<LiveMapping>, CertificateDates), StartError> {
    let mapping = load_mapping(settings, clock, conditions)?;
    warn_of_plain_text_urls(settings);
    let certificates = CertificateDates::of(settings);
    certificates.report(clock.now(), conditions);
    check_database_files(&settings.ledger.storage)?;
    Ok((mapping, certificates))
}

/// Loads the mapping's folder, and writes the first lines of a start.
fn load_mapping(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    conditions: &Conditions,
) -> Result<Arc<LiveMapping>, StartError> {
    let crate::config::Mapping { directory, options } = settings.mapping.clone();
    let name = directory.display().to_string();
    let mapping = LiveMapping::load(directory, options, clock.now(), conditions.clone())
        .map_err(|defects| StartError::Mapping { directory: name, defects })?;
    log_start(settings, &mapping.state());
    mapping.warn_of_examples();
    Ok(Arc::new(mapping))
}

/// Checks the certificates of the database's URL before anything waits for the database.
fn check_database_files(storage: &Storage) -> Result<(), StartError> {
    let mistakes = database_files(storage);
    if mistakes.is_empty() { Ok(()) } else { Err(StartError::DatabaseFiles { mistakes }) }
}

/// Those who hear what the relay reports.
fn observers(metrics: &Arc<OrderMetrics>, conditions: &Conditions, clock: &Arc<dyn Clock>) -> Observers {
    let metrics = Arc::clone(metrics) as Arc<dyn Observer>;
    let breaker = BreakerCondition::new(conditions.clone(), Arc::clone(clock));
    Observers::new(vec![Arc::new(OrderLog), metrics, Arc::new(breaker)])
}

/// Starts everything that runs beside the requests, until the drain begins.
fn start_background_tasks(
    background: &Background,
    api: &Arc<ApiState>,
    tls: Option<&Arc<ServerTls>>,
    retention: Duration,
    shutdown: &Shutdown,
) {
    let relay = tokio::spawn(Arc::clone(&api.relay).run());
    let failing = shutdown.clone();
    background.tasks.spawn(async move {
        if let Err(error) = relay.await {
            error!(error.message = %error, "the relay failed: the service stops, and open orders continue at its next start");
            failing.begin_drain();
        }
    });
    background.spawn(Arc::clone(&api.mapping).watch(Arc::clone(&api.clock)));
    background.spawn(count_open_orders(Arc::clone(&api.ledger), Arc::clone(&api.clock)));
    background.spawn(purge_old_orders(Arc::clone(&api.ledger), Arc::clone(&api.clock), retention));
    let warmed = Arc::clone(api);
    background.spawn(async move { warmed.tokens.warm().await });
    if let Some(tls) = tls {
        background.spawn(Arc::clone(tls).watch(Arc::clone(&api.clock)));
    }
}

/// Serves the probes until all requests are finished: a platform sees a draining service as alive.
fn spawn_probes(api: &Arc<ApiState>, listener: TcpListener, drained: Shutdown) -> JoinHandle<()> {
    let limits = Limits { connections: PROBE_CONNECTIONS, ..api.server.limits };
    let connections = ConnectionServer::new(management_router(api), None, limits, Arc::default());
    tokio::spawn(connections.serve(listener, drained, FINAL_ANSWERS))
}

/// Writes the first line of a start: version, ledger, mapping, TLS and addresses.
fn log_start(settings: &Settings, mapping: &LiveState) {
    info!(
        service.version = env!("CARGO_PKG_VERSION"),
        ledger.backend = settings.ledger.storage.backend(),
        ledger.location = settings.ledger.storage.location(),
        mapping.directory = %settings.mapping.directory.display(),
        mapping.version = mapping.version,
        mapping.since = %mapping.since,
        server.address = %settings.server.listen,
        server.management.address = %settings.server.management_listen,
        server.tls = settings.server.tls.is_some(),
        "the service starts"
    );
}

fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    socket::listen(address).map_err(|source| StartError::Bind { key, address, source })
}

//! Connections to the database: the hosts in turn, TLS as it is asked for, and sessions that can write UTF-8.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::seq::SliceRandom as _;
use secrecy::ExposeSecret as _;
use sqlx::postgres::{PgConnectOptions, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::time::{Instant, timeout};
use url::Url;

use super::certificates::{self, Certificates};
use super::failure::{Fault, OpenError, POOLING, no_answer, opening};
use crate::ledger::LedgerError;
use crate::postgres_url::{Host, HostOrder, PostgresUrl, TlsMode};

/// Time for a connection to one host, from name resolution to the end of its handshakes: a lost packet of each is sent again
/// within it, and a caller that waits still gets an answer. `connect_timeout` in the URL replaces it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time for one statement: for a waiting caller, a database that takes longer is gone.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for one statement of a rehearsal, where nobody waits for an answer: the count of all orders reads the whole table.
const COUNT_TIMEOUT: Duration = Duration::from_mins(5);

/// Time for a lock: replicas hold one for milliseconds. Whoever holds one for longer must not stop a whole group.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for a whole query, even if the network is silent: a statement, and the way there and back.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(12);

/// Time for the check of a pooler: shorter than what the server permits to a session that is idle in a transaction.
const POOLING_CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// A session that was idle for longer is pinged before it is used: a failover or a firewall may have cut it silently. In a
/// burst nothing is pinged.
const PING_AFTER_IDLE: Duration = Duration::from_secs(5);

/// Time for that ping: long for a network, short for the callers that wait.
pub const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// A session that is older is exchanged, also under steady traffic, so that a name that moved is followed in the end.
const MAX_SESSION_AGE: Duration = Duration::from_mins(30);

/// The usual folders of a local socket: Debian's and the server's own.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Returns the database's current URL: it may hold a password, which may change.
pub type UrlSource = Arc<dyn Fn() -> Result<PostgresUrl, String> + Send + Sync>;

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reads and writes of orders, with limits in time that the server enforces too.
    Orders,
    /// A change of the schema, which may take its time.
    Migration,
    /// Reads of carts, by a user that need not be able to write: a standby will do.
    Carts,
}

/// Opens sessions.
#[derive(Clone)]
pub struct Connector {
    url: UrlSource,
    /// The host that had the last session that can write. It comes first: others may be silent, and cost time.
    primary: Arc<Mutex<Option<Host>>>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL is a secret.
        f.write_str("Connector")
    }
}

/// An open session that can write.
#[derive(Debug)]
pub struct Session {
    pub connection: PgConnection,
    opened_at: Instant,
    idle_since: Instant,
    /// The process that serves the session.
    pub backend: BackendId,
}

/// A process of the server: process ids come again, not with the same start.
#[derive(Debug, Clone)]
pub struct BackendId {
    pub pid: String,
    pub started_at: String,
}

impl Session {
    /// The session after a rest, if it still can be used.
    pub async fn awake(mut self) -> Option<Self> {
        if self.opened_at.elapsed() > MAX_SESSION_AGE {
            return None;
        }
        let is_trusted = self.idle_since.elapsed() < PING_AFTER_IDLE;
        let works =
            is_trusted || timeout(PING_TIMEOUT, self.connection.ping()).await.is_ok_and(|answer| answer.is_ok());
        works.then_some(self)
    }

    /// The session at the beginning of a rest.
    pub fn at_rest(self) -> Self {
        Self { idle_since: Instant::now(), ..self }
    }
}

impl Connector {
    pub fn new(url: UrlSource) -> Self {
        Self { url, primary: Arc::default() }
    }

    /// Opens a session on the first host that has one that can write.
    ///
    /// # Errors
    /// Each host with its reason. Permanent, if no host's reason may pass.
    pub async fn connect(&self, purpose: Purpose) -> Result<Session, OpenError> {
        let permanent = |problem: String| OpenError::Permanent(LedgerError::unavailable(problem));
        let url = (self.url)().map_err(permanent)?;
        let certificates = Certificates::read(&url.tls).map_err(permanent)?;
        let (mut problems, mut passes) = (Vec::with_capacity(url.hosts.len()), false);
        for host in self.hosts(&url) {
            match connect_to(&url, host, &certificates, purpose).await {
                Ok(session) => {
                    *self.primary.lock().unwrap_or_else(PoisonError::into_inner) = Some(host.clone());
                    return Ok(session);
                }
                Err(error) => {
                    passes |= matches!(error, OpenError::Transient(_));
                    problems.push(format!("{host}: {}", LedgerError::from(error).reason()));
                }
            }
        }
        let error = LedgerError::unavailable(problems.join("; "));
        Err(if passes { OpenError::Transient(error) } else { OpenError::Permanent(error) })
    }

    /// The hosts in the order in which they are tried.
    fn hosts<'u>(&self, url: &'u PostgresUrl) -> Vec<&'u Host> {
        let mut hosts: Vec<&Host> = url.hosts.iter().collect();
        if url.order == HostOrder::Random {
            hosts.shuffle(&mut rand::rng());
        }
        let primary = self.primary.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.sort_by_key(|host| Some(*host) != primary.as_ref());
        hosts
    }

    /// Checks that two sessions at the same time are served by two processes, and that one keeps its own: a pooler of
    /// transactions gives a session's server to others in between.
    ///
    /// # Errors
    /// If the sessions are not kept, or break.
    pub async fn check_pooling(one: &mut Session, other: &mut Session) -> Result<(), OpenError> {
        let mut check = async || -> Result<bool, sqlx::Error> {
            let mut transaction = other.connection.begin().await?;
            let held: PgRow = transaction.fetch_one(sqlx::raw_sql("SELECT pg_backend_pid()::text")).await?;
            let free: PgRow = one.connection.fetch_one(sqlx::raw_sql("SELECT pg_backend_pid()::text")).await?;
            transaction.rollback().await?;
            let (held, free) = (held.try_get::<&str, _>(0)?, free.try_get::<&str, _>(0)?);
            Ok(held != free && free == one.backend.pid && held == other.backend.pid)
        };
        match timeout(POOLING_CHECK_TIMEOUT, check()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(OpenError::Permanent(LedgerError::unavailable(POOLING))),
            Ok(Err(error)) => Err(opening(error)),
            // A pooler with one connection for all gives the second session none while the first one has a transaction.
            Err(_) => Err(OpenError::Transient(LedgerError::unavailable(format!(
                "the database does not answer in a second session; if that stays so: {POOLING}"
            )))),
        }
    }
}

/// The mistakes in the files that a URL names; no session is opened.
pub fn file_mistakes(url: &PostgresUrl) -> Vec<String> {
    certificates::mistakes(&url.tls)
}

/// Opens a session on one host. Like libpq, `allow` and `prefer` have a second try, without TLS or with it.
async fn connect_to(
    url: &PostgresUrl,
    host: &Host,
    certificates: &Certificates,
    purpose: Purpose,
) -> Result<Session, OpenError> {
    let modes: &[PgSslMode] = match (host, url.tls.mode) {
        // A socket has no TLS, whatever the mode is.
        (Host::Socket { .. }, _) | (_, TlsMode::Disable) => &[PgSslMode::Disable],
        (_, TlsMode::Allow) => &[PgSslMode::Disable, PgSslMode::Require],
        (_, TlsMode::Prefer) => &[PgSslMode::Prefer, PgSslMode::Disable],
        (_, TlsMode::Require) => &[PgSslMode::Require],
        (_, TlsMode::VerifyCa) => &[PgSslMode::VerifyCa],
        (_, TlsMode::VerifyFull) => &[PgSslMode::VerifyFull],
    };
    let mut first = None;
    for mode in modes {
        let options = options(url, host, *mode, certificates).map_err(opening)?;
        let connecting = async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let state: PgRow = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(session_query(purpose)))).await?;
            Ok((connection, state))
        };
        let connected = timeout(url.connect_timeout.unwrap_or(CONNECT_TIMEOUT), connecting).await;
        match connected.map_err(|_| OpenError::Transient(no_answer()))? {
            Ok((connection, state)) => return accepted(connection, &state, purpose),
            Err(error) if is_about_tls(&error) => first = first.or(Some(error)),
            Err(error) => return Err(opening(first.unwrap_or(error))),
        }
    }
    Err(first.map_or_else(|| OpenError::Transient(no_answer()), opening))
}

/// Whether the same connection may succeed with the other kind of transport.
fn is_about_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        // invalid_authorization_specification: pg_hba.conf has no entry for this transport.
        sqlx::Error::Database(error) => error.code().as_deref() == Some("28000"),
        // A handshake that broke off.
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// The driver's options for one host. The driver also reads `~/.pgpass` for a password that is not set here.
fn options(
    url: &PostgresUrl,
    host: &Host,
    mode: PgSslMode,
    certificates: &Certificates,
) -> Result<PgConnectOptions, sqlx::Error> {
    let (address, port) = match host {
        Host::Network { address: Some(address), port, .. } => (address.to_string(), *port),
        Host::Network { name, address: None, port } => (name.clone(), *port),
        Host::Socket { folder, port } => (socket_folder(folder.as_deref(), *port).display().to_string(), *port),
    };
    let mut parameters = Url::parse("postgres:///").map_err(|error| sqlx::Error::Configuration(error.into()))?;
    parameters
        .query_pairs_mut()
        .append_pair("host", &address)
        .append_pair("port", &port.to_string())
        .append_pair("dbname", &url.database)
        .extend_pairs(url.user.iter().map(|user| ("user", user)))
        .extend_pairs(url.options.iter().map(|options| ("options", options)));
    let mut options = PgConnectOptions::from_str(parameters.as_str())?
        .ssl_mode(mode)
        // Poolers refuse a start with it, and no float is stored.
        .extra_float_digits(None)
        .application_name(url.application_name.as_deref().unwrap_or("purchase-order-webhook"));
    if let Some(password) = &url.password {
        options = options.password(password.expose_secret());
    }
    if let Some(capacity) = url.cached_statements {
        options = options.statement_cache_capacity(capacity);
    }
    if let Some(roots) = &certificates.roots {
        options = options.ssl_root_cert_from_pem(roots.clone());
    }
    if let Some((certificate, key)) = &certificates.client {
        options = options.ssl_client_cert_from_pem(certificate).ssl_client_key_from_pem(key);
    }
    Ok(options)
}

/// The folder of a socket; where none is named, the usual one that has it.
fn socket_folder(folder: Option<&Path>, port: u16) -> PathBuf {
    let has_socket = |folder: &&&str| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
    let usual = || SOCKET_FOLDERS.iter().find(has_socket).or(SOCKET_FOLDERS.first()).copied().unwrap_or_default();
    folder.map_or_else(|| PathBuf::from(usual()), Path::to_owned)
}

/// Asks what the session can do, and sets time limits that the server enforces too, and commits that are on disk when they
/// return. Stronger settings, such as `remote_apply`, are the operator's choice and stay. Without a prepared statement,
/// which a pooler might lose.
fn session_query(purpose: Purpose) -> String {
    let limit = match purpose {
        Purpose::Orders => STATEMENT_TIMEOUT.as_millis(),
        Purpose::Carts => COUNT_TIMEOUT.as_millis(),
        Purpose::Migration => 0,
    };
    let lock_limit = LOCK_TIMEOUT.as_millis();
    format!(
        "SELECT pg_is_in_recovery()::text, current_setting('transaction_read_only'), current_setting('server_encoding'),
            current_setting('client_encoding'), pg_backend_pid()::text,
            coalesce((SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()), ''),
            set_config('statement_timeout', '{limit}', false),
            set_config('lock_timeout', '{lock_limit}', false),
            set_config('idle_in_transaction_session_timeout', '{limit}', false),
            set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
                THEN 'on' ELSE current_setting('synchronous_commit') END, false)"
    )
}

/// The session, if it keeps every character and can write, where that is needed.
fn accepted(connection: PgConnection, state: &PgRow, purpose: Purpose) -> Result<Session, OpenError> {
    let text = |column: usize| state.try_get::<&str, _>(column).map_err(opening);
    let (in_recovery, read_only, stored, sent) = (text(0)?, text(1)?, text(2)?, text(3)?);
    if stored != "UTF8" || sent != "UTF8" {
        let problem = format!(
            "the encoding is {stored} in the database and {sent} in the session, which can't hold every name; expected UTF8 \
             (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)"
        );
        return Err(OpenError::Permanent(LedgerError::unavailable(problem)));
    }
    let writes = purpose != Purpose::Carts;
    if writes && in_recovery == "true" {
        return Err(OpenError::Transient(LedgerError::unavailable("the server is a standby; expected the primary")));
    }
    if writes && read_only != "off" {
        let problem = "its sessions are read-only (default_transaction_read_only); expected the primary, and a user that may write";
        return Err(OpenError::Transient(LedgerError::unavailable(problem)));
    }
    let now = Instant::now();
    let backend = BackendId { pid: text(4)?.to_owned(), started_at: text(5)?.to_owned() };
    Ok(Session { connection, opened_at: now, idle_since: now, backend })
}

/// Whether a session can go on after an error.
pub fn survives(error: &sqlx::Error) -> bool {
    matches!(Fault::of(error), Fault::Contention | Fault::Value | Fault::Locked)
}

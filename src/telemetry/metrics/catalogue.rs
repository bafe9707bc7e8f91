//! Every metric: its name, type, labels and meaning. Names are those of OpenTelemetry in Prometheus' form where it has one,
//! in base units. docs/metrics.md has the same list.

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only goes up, from the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Values by their size.
    Histogram,
}

impl Kind {
    /// The type's name in the text format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, on one line.
    pub help: &'static str,
}

/// Declares the metrics, and `ALL` with every one of them.
macro_rules! metrics {
    ($($constant:ident: $kind:ident = $name:literal [$($label:literal),*], $help:literal;)+) => {
        $(#[doc = $help]
        pub const $constant: Metric =
            Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };)+

        /// Every metric, in the order of the text.
        pub const ALL: &[Metric] = &[$($constant),+];
    };
}

metrics! {
    REQUESTS: Histogram = "http_server_request_duration_seconds" ["http_request_method", "http_route", "http_response_status_code"],
        "Time from a request's arrival at the public listener to its answer. http_route is empty where no route serves the path.";
    REFUSED: Counter = "requests_refused_total" ["reason"],
        "Requests that were refused, by the name of the problem; also those that no route saw. What became of an order is no refusal.";
    TOKENS: Counter = "token_checks_total" ["result"],
        "Callers' tokens that were checked: valid, missing, invalid, or unknown because the issuer is unavailable.";
    CALLS: Histogram = "http_client_request_duration_seconds" ["operation", "http_response_status_code"],
        "Time of a call to another service until its answer was read. The status is empty where no answer came.";

    ADMITTED: Counter = "purchase_orders_admitted_total" ["admission"],
        "Carts that the ledger has taken or knows: started, restarted (tried anew), joined (open), replayed (created before), conflicting (another cart).";
    SETTLED: Counter = "purchase_orders_settled_total" ["state"],
        "Orders that this process settled, by the state in which they are since; by hand among them.";
    ATTEMPTS: Counter = "purchase_order_attempts_total" ["outcome"],
        "Attempts whose end this process stored, by outcome.";
    INTERVENTIONS: Counter = "purchase_order_interventions_total" ["action"],
        "What people did to orders: replayed, resolved, cancelled.";
    DURATION: Histogram = "purchase_order_duration_seconds" [],
        "Time from a cart's arrival, or from the order's last restart, until the service settled it: created, rejected or parked.";
    OPEN: Gauge = "purchase_orders_open" ["state"],
        "Open orders in the ledger. Replicas of one ledger all show the same number, at most some seconds old.";
    PARKED: Gauge = "purchase_orders_parked" [],
        "Parked orders in the ledger: each waits for a person.";
    OLDEST: Gauge = "purchase_orders_oldest_open_age_seconds" [],
        "Time since the first cart of an open order arrived, also if it was restarted since; 0 if none is open.";
    OVERDUE: Gauge = "purchase_orders_retries_overdue" [],
        "Retrying orders whose next attempt was due more than 30 s ago: the relay is stuck, or 11VMS is not asked.";
    BREAKER: Gauge = "circuit_breaker_open" [],
        "1 while this process sends nothing to 11VMS, or one order alone to probe it, because it keeps failing; else 0.";

    COMMIT_DURATION: Histogram = "ledger_commit_duration_seconds" [],
        "Time of a commit of the ledger that went well, with its wait for the disk or the database.";
    COMMIT_WRITES: Histogram = "ledger_commit_writes" [],
        "Writes that shared a commit of the ledger.";
    COMMITS_FAILED: Counter = "ledger_commits_failed_total" [],
        "Commits of the ledger that failed because of the storage.";

    KEYS: Counter = "jwks_refreshes_total" ["result"],
        "Fetches of the issuer's keys: success or failure.";
    KEYS_TIME: Gauge = "jwks_last_success_timestamp_seconds" [],
        "Time at which the issuer's keys were last fetched; 0 if they never were.";
    MAPPING: Gauge = "mapping_info" ["version"],
        "1 with the version of the mapping that is in use.";
    MAPPING_RELOADS: Counter = "mapping_reloads_total" ["result"],
        "Changes of the mapping's folder: exchanged (in use), unchanged (it means the same), refused (the one before stays in use).";
    CONDITIONS: Gauge = "failing_conditions" ["condition"],
        "What does not work at this moment, by the name of its alert: the number of settings, files or servers concerned.";
    CERTIFICATES: Gauge = "certificate_expiry_timestamp_seconds" ["use"],
        "End of the validity of the certificates of a setting: of a chain the first to expire, of a bundle of authorities the last.";

    DELIVERIES_PENDING: Gauge = "deliveries_pending" ["channel"],
        "Messages that wait in the outbox for their delivery.";
    DELIVERIES: Counter = "deliveries_total" ["channel", "result"],
        "Tries to deliver a message, by result.";
    TELEMETRY_DROPPED: Counter = "telemetry_dropped_total" ["signal"],
        "Spans (traces), log records (logs) and sets of metrics (metrics) that their receiver did not get: they found no room, were refused, or were given up.";

    BUILD: Gauge = "build_info" ["version"],
        "1 with the version of this service.";
    CPU: Counter = "process_cpu_seconds_total" [],
        "Processor time of the process, in user and kernel mode.";
    RESIDENT: Gauge = "process_resident_memory_bytes" [],
        "Memory of the process that is in RAM.";
    VIRTUAL: Gauge = "process_virtual_memory_bytes" [],
        "Memory of the process in its address space.";
    OPEN_FILES: Gauge = "process_open_fds" [],
        "Open file descriptors.";
    MAX_FILES: Gauge = "process_max_fds" [],
        "The limit on open file descriptors.";
    THREADS: Gauge = "process_threads" [],
        "Threads of the process.";
    START: Gauge = "process_start_time_seconds" [],
        "Time at which the process started.";
}

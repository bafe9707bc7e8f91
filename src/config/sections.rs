//! What each section holds: keys, defaults, and what is expected of a value.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::Algorithm;

use super::reader::Reader;
use super::{
    Auth, ClientAuth, Ledger, LogFormat, Mapping, OnDeadline, Scopes, Server, Settings, Target, TargetOAuth2,
    Telemetry, units,
};
use crate::mapping::Amounts;
use crate::order::breaker::BreakerPolicy;
use crate::order::retry::{DuplicateGuard, Policy, Reading};

/// SRM sends a cart again within hours, not days.
const LEAST_RETENTION: Duration = Duration::from_hours(24);

/// All settings; `None` if one of them is a mistake.
pub fn settings(reader: &mut Reader) -> Option<Settings> {
    refuse_what_comes_later(reader);
    let server = server(reader);
    let auth = auth(reader);
    let retry = retry(reader);
    let target = target(reader, retry.as_ref());
    let ledger = ledger(reader);
    let mapping = mapping(reader);
    let telemetry = telemetry(reader);
    Some(Settings {
        server: server?,
        auth: auth?,
        target: target?,
        retry: retry?,
        ledger: ledger?,
        mapping: mapping?,
        telemetry: telemetry?,
    })
}

/// What a later version will have is refused by name: nothing that was set is ignored.
fn refuse_what_comes_later(reader: &mut Reader) {
    for key in [
        "server.tls",
        "auth.introspection",
        "target.oauth2.private_key",
        "target.oauth2.private_key_file",
        "alerts",
        "telemetry.otlp_endpoint",
    ] {
        reader.not_available_yet(key);
    }
}

const MOST_REQUESTS_A_SECOND: u32 = 1_000_000;
const REQUESTS_A_SECOND: &str = "requests a second, a whole number from 1 to 1000000";

fn server(reader: &mut Reader) -> Option<Server> {
    let listen: Option<SocketAddr> =
        reader.parsed("server.listen", "0.0.0.0:8080", "an address and port such as 0.0.0.0:8080", |text| {
            text.parse().ok()
        });
    let management_listen =
        reader.parsed("server.management_listen", "0.0.0.0:9090", "an address and port such as 0.0.0.0:9090", |text| {
            text.parse().ok()
        });
    let deadline = reader.time_out("server.deadline", "50s");
    let on_deadline = reader.choice(
        "server.on_deadline",
        "accepted",
        &[("accepted", OnDeadline::Accepted), ("error", OnDeadline::Error)],
    );
    let max_body = reader.parsed("server.max_body", "1MiB", units::SIZE, units::size);
    let max_in_flight = reader.count("server.max_in_flight", "1024");
    let rate_limit_per_client = reader.optional("server.rate_limit_per_client", REQUESTS_A_SECOND, |text| {
        text.parse().ok().filter(|rate: &NonZeroU32| rate.get() <= MOST_REQUESTS_A_SECOND)
    });
    let drain = reader.duration("server.drain", "25s");
    if listen == management_listen && listen.is_some_and(|address| address.port() != 0) {
        reader.mistake("server.management_listen", "expected another address than server.listen");
    }
    Some(Server {
        listen: listen?,
        management_listen: management_listen?,
        deadline: deadline?,
        on_deadline: on_deadline?,
        max_body: max_body?,
        max_in_flight: max_in_flight?,
        rate_limit_per_client: rate_limit_per_client?,
        drain: drain?,
    })
}

fn auth(reader: &mut Reader) -> Option<Auth> {
    let issuer = reader.issuer();
    let audience = reader.required_list("auth.audience", "the audience, or a list of them");
    let jwks_url = reader.optional("auth.jwks_url", units::URL, units::url);
    let algorithms = reader.some("auth.algorithms", &["RS256", "PS256", "ES256", "EdDSA"], ALGORITHMS, algorithm);
    let leeway = reader.duration("auth.leeway", "30s");
    let mut scope = |key, default| reader.parsed(key, default, "one scope, without blanks", units::scope);
    let write = scope("auth.scopes.write", "purchase-orders.write");
    let read = scope("auth.scopes.read", "purchase-orders.read");
    let operate = scope("auth.scopes.operate", "purchase-orders.operate");
    let scopes = || Some(Scopes { write: write?, read: read?, operate: operate? });
    Some(Auth {
        issuer: issuer?,
        audience: audience?,
        jwks_url: jwks_url?,
        algorithms: algorithms?,
        leeway: leeway?,
        scopes: scopes()?,
    })
}

const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA (never a symmetric one)";

fn algorithm(name: &str) -> Option<Algorithm> {
    let algorithm: Algorithm = name.parse().ok()?;
    let symmetric = matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    (!symmetric).then_some(algorithm)
}

fn target(reader: &mut Reader, retry: Option<&Policy>) -> Option<Target> {
    let base_url = reader.required("target.base_url", units::URL, units::url);
    let connect_timeout = reader.time_out("target.connect_timeout", "3s");
    let timeout = reader.time_out("target.timeout", "30s");
    let max_concurrency = reader.count("target.max_concurrency", "32");
    let number_pointer =
        reader.parsed("target.number_pointer", "/poNumber", "a JSON pointer such as /poNumber", units::json_pointer);
    let transient_codes =
        reader.list("target.transient_codes", &["REQUEST_LIMIT_EXCEEDED"], "error codes", |code| Some(code.to_owned()));
    let breaker = breaker(reader, retry);
    let oauth2 = target_oauth2(reader);
    Some(Target {
        base_url: base_url?,
        connect_timeout: connect_timeout?,
        timeout: timeout?,
        max_concurrency: max_concurrency?,
        reading: Reading { number_pointer: number_pointer?, transient_codes: transient_codes? },
        breaker: breaker?,
        oauth2: oauth2?,
    })
}

fn breaker(reader: &mut Reader, retry: Option<&Policy>) -> Option<BreakerPolicy> {
    // Longer than most restarts of 11VMS take, shorter than anyone wants to wait once it is back.
    const USUAL_PAUSE: Duration = Duration::from_secs(5);
    const USUAL_LONGEST: Duration = Duration::from_mins(1);
    let expected = "a whole number from 1 to 1000000";
    let failures = reader.parsed("target.breaker_failures", "20", expected, |text| {
        text.parse().ok().filter(|failures| (1..=1_000_000).contains(failures))
    });
    let pause = reader.optional("target.breaker_pause", units::DURATION, units::duration);
    let retry = retry?;
    let pause = pause?.unwrap_or_else(|| retry.initial_delay.min(USUAL_PAUSE));
    let longest_pause = retry.max_delay.min(USUAL_LONGEST).max(pause);
    Some(BreakerPolicy { failures: failures?, pause, longest_pause })
}

fn target_oauth2(reader: &mut Reader) -> Option<TargetOAuth2> {
    let token_url = reader.required("target.oauth2.token_url", units::URL, units::url);
    let client_id = reader.text("target.oauth2.client_id", "the client's id");
    let client_secret = reader.secret("target.oauth2.client_secret");
    let auth = reader.choice_with_later(
        "target.oauth2.auth",
        "basic",
        &[("basic", ClientAuth::Basic), ("post", ClientAuth::Post)],
        &["private_key_jwt", "mtls"],
    );
    let scopes = reader.list("target.oauth2.scopes", &[], "scopes", |scope| Some(scope.to_owned()));
    let audience = reader.optional("target.oauth2.audience", "a text", |text| Some(text.to_owned()));
    Some(TargetOAuth2 {
        token_url: token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        auth: auth?,
        scopes: scopes?,
        audience: audience?,
    })
}

fn retry(reader: &mut Reader) -> Option<Policy> {
    const MOST_RETRIES: u32 = 100;
    let retries = reader.parsed("retry.attempts", "3", "a whole number from 0 to 100", |text| {
        text.parse().ok().filter(|retries| *retries <= MOST_RETRIES)
    });
    let initial_delay = reader.duration("retry.initial_delay", "30s");
    let multiplier =
        reader.parsed("retry.multiplier", "2.0", "a number from 1 to 100", |text| units::number(text, 1.0..=100.0));
    let max_delay = reader.duration("retry.max_delay", "10m");
    let jitter = reader.parsed("retry.jitter", "0.1", "a number from 0 to 1", |text| units::number(text, 0.0..=1.0));
    let guards = [
        ("lookup", DuplicateGuard::LookUp),
        ("idempotency-key", DuplicateGuard::IdempotencyKey),
        ("none", DuplicateGuard::None),
    ];
    let guard = reader.choice("target.duplicate_guard", "lookup", &guards);
    let unknown_grace = reader.optional("target.unknown_grace", units::DURATION, units::duration);
    let initial_delay = initial_delay?;
    Some(Policy {
        retries: retries?,
        initial_delay,
        multiplier: multiplier?,
        max_delay: max_delay?,
        jitter: jitter?,
        unknown_grace: unknown_grace?.unwrap_or(initial_delay),
        guard: guard?,
    })
}

fn ledger(reader: &mut Reader) -> Option<Ledger> {
    let storage = reader.storage("ledger.url", "sqlite:data/orders.db");
    // A cart whose order was forgotten would be ordered again.
    let expected = "a duration of at least \"1d\"";
    let retention = reader.parsed("ledger.retention", "400d", expected, |text| {
        units::duration(text).filter(|retention| *retention >= LEAST_RETENTION)
    });
    Some(Ledger { storage: storage?, retention: retention? })
}

/// The section `[mapping]`.
pub fn mapping(reader: &mut Reader) -> Option<Mapping> {
    let directory = reader.text_or("mapping.directory", "mapping").map(PathBuf::from);
    let amounts =
        reader.choice("mapping.shifted_amounts", "false", &[("true", Amounts::Shifted), ("false", Amounts::AsTheyAre)]);
    Some(Mapping { directory: directory?, amounts: amounts? })
}

fn telemetry(reader: &mut Reader) -> Option<Telemetry> {
    let log_format = reader.choice_with_later(
        "telemetry.log_format",
        "json",
        &[("json", LogFormat::Json), ("text", LogFormat::Text)],
        &["ecs"],
    );
    let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
    let log_level = reader.choice("telemetry.log_level", "info", &levels);
    Some(Telemetry { log_format: log_format?, log_level: log_level?.to_owned() })
}

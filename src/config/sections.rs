//! The sections together, and the small ones: keys, defaults, and what is expected of a value.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;
use super::{Ledger, LogFormat, Mapping, Settings, Telemetry, auth, server, target, units};
use crate::mapping::Amounts;
use crate::order::retry::{DuplicateGuard, RetryPolicy};

/// SRM sends a cart again within hours, not days.
const LEAST_RETENTION: Duration = Duration::from_hours(24);

/// All settings; `None` if one of them is a mistake.
pub fn settings(reader: &mut Reader) -> Option<Settings> {
    refuse_what_comes_later(reader);
    let server = server::read(reader);
    let auth = auth::read(reader);
    let retry = retry(reader);
    let target = target::read(reader, retry.as_ref());
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
    for key in ["alerts", "telemetry.otlp_endpoint"] {
        reader.not_available_yet(key);
    }
}

fn retry(reader: &mut Reader) -> Option<RetryPolicy> {
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
    Some(RetryPolicy {
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
        reader.choice("mapping.shifted_amounts", "false", &[("true", Amounts::Shifted), ("false", Amounts::Unshifted)]);
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

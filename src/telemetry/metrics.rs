//! The metrics of one service: names, labels and text. What is counted belongs to the rooms that count it, and is read here
//! when somebody asks; nothing is shared between two services of one process.

pub mod catalogue;
mod certificates;
mod deliveries;
mod exports;
mod exposition;
mod orders;
mod process;
mod requests;

use std::sync::Arc;

use jiff::Timestamp;

pub use certificates::CertificateExpiries;
pub use deliveries::DeliveryMetrics;
pub use exports::ExportMetrics;
pub use orders::OrderMetrics;
pub use requests::{AnsweredRequest, RequestDurations, TokenChecks};

use crate::auth::jwks::{KeyStatistics, fetched_at};
use crate::clock::{Clock, between};
use crate::condition::{ConditionKind, Conditions};
use crate::ledger::statistics::LedgerStatistics;
use crate::mapping::LiveMapping;
use crate::order::State;
use crate::order::breaker::BreakerState;
use crate::outbound::CallDurations;
use crate::problem::Refusals;
use crate::relay::Relay;
use exposition::Exposition;

/// The media type of the text (Prometheus' text format, version 0.0.4).
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where others count.
#[derive(Debug)]
pub struct Sources {
    /// Calls to 11VMS and its token endpoint, and to the issuer.
    pub calls: [Arc<CallDurations>; 2],
    /// Orders.
    pub orders: Arc<OrderMetrics>,
    /// The circuit breaker.
    pub relay: Arc<Relay>,
    /// Commits, and open orders.
    pub ledger: Arc<LedgerStatistics>,
    /// The keys of each issuer.
    pub keys: Vec<Arc<KeyStatistics>>,
    /// The mapping in use, and its changes.
    pub mapping: Arc<LiveMapping>,
    /// What does not work.
    pub conditions: Conditions,
    /// Deliveries from the outbox.
    pub deliveries: Arc<DeliveryMetrics>,
    /// Telemetry that was dropped.
    pub exports: Arc<ExportMetrics>,
    /// The ends of certificates.
    pub certificates: Arc<CertificateExpiries>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Everything that is counted of one service.
#[derive(Debug)]
pub struct Metrics {
    /// Requests of callers.
    pub requests: RequestDurations,
    /// Checks of their tokens.
    pub tokens: TokenChecks,
    refusals: Arc<Refusals>,
    sources: Sources,
}

impl Metrics {
    /// Nothing is counted yet, but for what the sources have.
    pub fn new(sources: Sources) -> Self {
        let (requests, tokens, refusals) = Default::default();
        Self { requests, tokens, refusals, sources }
    }

    /// Where requests are counted that were refused.
    pub const fn refusals(&self) -> &Arc<Refusals> {
        &self.refusals
    }

    /// The text of all metrics at this moment. Reads no order.
    pub fn text(&self) -> String {
        let mut text = Exposition::default();
        self.expose_requests(&mut text);
        self.expose_calls(&mut text);
        self.expose_orders(&mut text);
        self.expose_open_orders(&mut text);
        self.expose_ledger(&mut text);
        self.expose_keys_and_mapping(&mut text);
        self.expose_conditions(&mut text);
        self.expose_deliveries_and_exports(&mut text);
        text.begin(&catalogue::BUILD).add(&[env!("CARGO_PKG_VERSION")], 1.0);
        process::expose(&mut text);
        text.into_text()
    }

    fn expose_requests(&self, text: &mut Exposition) {
        let mut requests = text.begin(&catalogue::REQUESTS);
        self.requests.for_each(|AnsweredRequest { method, route, status }, duration| {
            requests.add_histogram(&[method, route.unwrap_or_default(), &status.to_string()], duration);
        });
        let mut refused = text.begin(&catalogue::REFUSED);
        for (reason, count) in self.refusals.all() {
            refused.add_count(&[reason], count);
        }
        let mut tokens = text.begin(&catalogue::TOKENS);
        for (result, count) in self.tokens.all() {
            tokens.add_count(&[result], count);
        }
    }

    fn expose_calls(&self, text: &mut Exposition) {
        let mut samples = text.begin(&catalogue::CALLS);
        for ((operation, status), duration) in self.sources.calls.iter().flat_map(|calls| calls.all()) {
            let status = status.map(|status| status.to_string()).unwrap_or_default();
            samples.add_histogram(&[operation.name(), &status], &duration.0);
        }
    }

    fn expose_orders(&self, text: &mut Exposition) {
        let orders = &self.sources.orders;
        let mut admitted = text.begin(&catalogue::ADMITTED);
        orders.admitted.all().for_each(|(admission, count)| admitted.add_count(&[admission], count));
        let mut settled = text.begin(&catalogue::SETTLED);
        orders.settled.all().for_each(|(state, count)| settled.add_count(&[state], count));
        let mut attempts = text.begin(&catalogue::ATTEMPTS);
        orders.attempts.all().for_each(|(outcome, count)| attempts.add_count(&[outcome], count));
        let mut interventions = text.begin(&catalogue::INTERVENTIONS);
        orders.interventions.all().for_each(|(action, count)| interventions.add_count(&[action], count));
        text.begin(&catalogue::DURATION).add_histogram(&[], &orders.durations);
    }

    fn expose_open_orders(&self, text: &mut Exposition) {
        let census = self.sources.ledger.open_orders.census();
        let mut open = text.begin(&catalogue::OPEN);
        for state in State::ALL.into_iter().filter(|state| state.is_open()) {
            open.add(&[state.name()], number(census.count(state)));
        }
        text.value(&catalogue::PARKED, number(census.count(State::Parked)));
        let age = census.oldest_open.map(|oldest| between(oldest, self.sources.clock.now()));
        text.value(&catalogue::OLDEST, age.unwrap_or_default().as_secs_f64());
        text.value(&catalogue::OVERDUE, number(census.overdue));
        let is_open = self.sources.relay.breaker() != BreakerState::Closed;
        text.value(&catalogue::BREAKER, f64::from(u8::from(is_open)));
    }

    fn expose_ledger(&self, text: &mut Exposition) {
        let ledger = &self.sources.ledger;
        text.begin(&catalogue::COMMIT_DURATION).add_histogram(&[], &ledger.commit_durations);
        text.begin(&catalogue::COMMIT_WRITES).add_histogram(&[], &ledger.commit_writes);
        text.begin(&catalogue::COMMITS_FAILED).add_count(&[], ledger.failed_commits.get());
    }

    fn expose_keys_and_mapping(&self, text: &mut Exposition) {
        let keys = &self.sources.keys;
        let mut refreshes = text.begin(&catalogue::KEYS);
        refreshes.add_count(&["success"], keys.iter().map(|keys| keys.fetched.get()).sum());
        refreshes.add_count(&["failure"], keys.iter().map(|keys| keys.failed.get()).sum());
        text.value(&catalogue::KEYS_TIME, fetched_at(keys).map_or(0.0, seconds));
        text.begin(&catalogue::MAPPING).add(&[self.sources.mapping.current().version()], 1.0);
        let (reloads, mut samples) = (self.sources.mapping.reloads(), text.begin(&catalogue::MAPPING_RELOADS));
        for (result, counter) in
            [("exchanged", &reloads.exchanged), ("unchanged", &reloads.unchanged), ("refused", &reloads.refused)]
        {
            samples.add_count(&[result], counter.get());
        }
    }

    fn expose_conditions(&self, text: &mut Exposition) {
        let failing = self.sources.conditions.current();
        let mut conditions = text.begin(&catalogue::CONDITIONS);
        for kind in ConditionKind::ALL {
            let count = failing.iter().filter(|condition| condition.kind == kind).count();
            conditions.add_count(&[kind.name()], u64::try_from(count).unwrap_or(u64::MAX));
        }
        let mut certificates = text.begin(&catalogue::CERTIFICATES);
        for (setting, end) in self.sources.certificates.all() {
            certificates.add(&[&setting], seconds(end));
        }
    }

    fn expose_deliveries_and_exports(&self, text: &mut Exposition) {
        let mut pending = text.begin(&catalogue::DELIVERIES_PENDING);
        for (channel, messages) in self.sources.deliveries.pending() {
            pending.add(&[channel], number(messages));
        }
        let mut tries = text.begin(&catalogue::DELIVERIES);
        for (labels, count) in self.sources.deliveries.tries() {
            tries.add_count(&labels, count);
        }
        let mut dropped = text.begin(&catalogue::TELEMETRY_DROPPED);
        for (signal, count) in self.sources.exports.all() {
            dropped.add_count(&[signal], count);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no ledger has 2^53 orders")]
fn number(count: i64) -> f64 {
    count as f64
}

/// A time in seconds since 1970.
fn seconds(time: Timestamp) -> f64 {
    time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

#[cfg(test)]
mod tests;

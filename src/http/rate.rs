//! The rate of each client, by the client of its token; never by an address, which a proxy shares and a header forges.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as Measured;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use jiff::Timestamp;

use crate::clock::{Clock, between};

/// The service's clock, as the rate limiter reads it.
#[derive(Debug, Clone)]
struct ServiceClock(Arc<dyn Clock>);

impl Measured for ServiceClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        between(Timestamp::UNIX_EPOCH, self.0.now()).into()
    }
}

type Limiter = RateLimiter<String, DashMapStateStore<String>, ServiceClock, NoOpMiddleware<Nanos>>;

/// How many requests a second each client may make; a second's worth may come at once.
#[derive(Debug)]
pub struct Rates {
    limiter: Option<Limiter>,
    /// Clients that are remembered before those are forgotten that have rested.
    remembered: usize,
    clock: ServiceClock,
}

impl Rates {
    /// `None` limits nobody.
    pub fn new(requests_a_second: Option<NonZeroU32>, remembered: usize, clock: Arc<dyn Clock>) -> Self {
        let clock = ServiceClock(clock);
        let limiter =
            requests_a_second.map(|rate| RateLimiter::dashmap_with_clock(Quota::per_second(rate), clock.clone()));
        Self { limiter, remembered, clock }
    }

    /// Counts a request of a client.
    ///
    /// # Errors
    /// How long the client has to wait, if it is over its rate.
    pub fn count(&self, client: &str) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() > self.remembered {
            limiter.retain_recent();
        }
        limiter.check_key(&client.to_owned()).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

//! The rate limit of each client, identified by its token; never by an address, which a proxy shares and a header forges.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as Measured;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;

/// The service's clock behind the limiter's trait.
#[derive(Debug, Clone)]
struct LimiterClock(Arc<dyn Clock>);

impl Measured for LimiterClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.moment().distance().into()
    }
}

type Limiter = RateLimiter<String, DashMapStateStore<String>, LimiterClock, NoOpMiddleware<Nanos>>;

/// The limit on requests a second for each client; a second's worth may arrive at once.
#[derive(Debug)]
pub struct ClientRateLimiter {
    limiter: Option<Limiter>,
    /// The number of clients beyond which idle ones are forgotten.
    max_clients: usize,
    cleaned_at: AtomicU64,
    clock: LimiterClock,
}

impl ClientRateLimiter {
    /// Creates a limiter; without a rate it limits nobody.
    pub fn new(requests_a_second: Option<NonZeroU32>, max_clients: usize, clock: Arc<dyn Clock>) -> Self {
        let clock = LimiterClock(clock);
        let limiter =
            requests_a_second.map(|rate| RateLimiter::dashmap_with_clock(Quota::per_second(rate), clock.clone()));
        Self { limiter, max_clients, cleaned_at: AtomicU64::new(u64::MAX), clock }
    }

    /// Forgets clients that made no request for a second, once there are too many. At most once a second, because every
    /// client is visited.
    fn forget_idle_clients(&self, limiter: &Limiter) {
        let now = self.clock.0.moment().distance().as_secs();
        if self.cleaned_at.load(Ordering::Relaxed) != now && limiter.len() > self.max_clients {
            self.cleaned_at.store(now, Ordering::Relaxed);
            limiter.retain_recent();
        }
    }

    /// Counts a request of a client.
    ///
    /// # Errors
    /// The time that the client has to wait, if it is over its rate.
    pub fn count(&self, client: &str) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        self.forget_idle_clients(limiter);
        limiter.check_key(&client.to_owned()).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn idle_clients_are_forgotten_once_there_are_too_many() {
        let clock = Arc::new(ManualClock::default());
        let rates = ClientRateLimiter::new(NonZeroU32::new(1), 5, Arc::clone(&clock) as Arc<dyn Clock>);
        let remembered = || rates.limiter.as_ref().unwrap().len();
        for client in 0..20 {
            rates.count(&format!("client-{client}")).unwrap();
        }
        assert_eq!(remembered(), 20, "none of them is idle");
        assert!(rates.count("client-0").is_err());
        clock.advance(Duration::from_secs(2));
        rates.count("another").unwrap();
        assert_eq!(remembered(), 1);
    }
}

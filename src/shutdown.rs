//! The end of the service in two steps: it is announced, then the drain begins.
//!
//! Owns only which step is reached. Who announces, how long the first step lasts, and what each step does, is decided
//! elsewhere.

use tokio_util::sync::CancellationToken;

/// The steps of a stop, shared by all that take part in it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    announced: CancellationToken,
    draining: CancellationToken,
}

impl Shutdown {
    /// Announces the stop: the service is no longer ready, and still serves.
    pub fn announce(&self) {
        self.announced.cancel();
    }

    /// Lets the drain begin, whether the stop was announced or not.
    pub fn begin_drain(&self) {
        self.announced.cancel();
        self.draining.cancel();
    }

    /// Cancelled when the stop is announced.
    pub const fn announced(&self) -> &CancellationToken {
        &self.announced
    }

    /// Cancelled when the drain begins: nothing new is accepted from then on.
    pub const fn draining(&self) -> &CancellationToken {
        &self.draining
    }
}

impl From<CancellationToken> for Shutdown {
    /// A stop that this token announces.
    fn from(announced: CancellationToken) -> Self {
        Self { announced, draining: CancellationToken::new() }
    }
}

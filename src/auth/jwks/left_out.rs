//! The keys of the issuer that can't verify tokens, each reported once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};
use url::Url;

use crate::auth::key::{LeftOutKey, Unfit};

/// Most keys that are reported of one key set, a line each: no issuer has as many by intention.
const MAX_REPORTED: usize = 64;

/// The keys that were reported, as long as the issuer publishes them.
#[derive(Debug, Default)]
pub struct LeftOutKeys {
    reported: Mutex<BTreeSet<LeftOutKey>>,
}

impl LeftOutKeys {
    /// Logs each key that the last key set did not have. Keys for encryption are nobody's mistake.
    pub fn report(&self, url: &Url, left_out: &[LeftOutKey]) {
        let current: BTreeSet<LeftOutKey> = left_out.iter().take(MAX_REPORTED).cloned().collect();
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        for LeftOutKey { kid, reason } in current.difference(&reported) {
            match reason {
                Unfit::OtherPurpose(_) => info!(
                    url.full = %url,
                    jwks.kid = kid,
                    error.message = %reason,
                    "a key of the issuer is for something else, and left out"
                ),
                Unfit::Defective(_) => warn!(
                    url.full = %url,
                    jwks.kid = kid,
                    error.message = %reason,
                    "a key of the issuer can't be used, and is left out: tokens that it has signed get 401"
                ),
            }
        }
        *reported = current;
    }
}

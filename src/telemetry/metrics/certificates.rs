//! When certificates expire, as their files were last read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// The end of the validity of each setting's certificates.
#[derive(Debug, Default)]
pub struct CertificateExpiries(Mutex<BTreeMap<String, Timestamp>>);

impl CertificateExpiries {
    /// Sets what was read of all settings; one that is not there can't be read.
    pub fn set(&self, expiries: BTreeMap<String, Timestamp>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = expiries;
    }

    /// Every setting with its time.
    pub fn all(&self) -> BTreeMap<String, Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! Certificates (X.509, RFC 5280) in files of PEM: what a file has to hold, whose its certificates are, and when they are
//! valid.
//!
//! Knows nothing of settings, of clocks, and of what the certificates are for.

mod content;
mod identity;

use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use x509_cert::certificate::{CertificateInner, Raw, Version};
use x509_cert::der::Decode as _;
use x509_cert::time::Time;

use content::{SectionKind, certificates_problem};

use crate::pem::{self, Section};

pub use identity::{IdentityError, certified_key, read_identity, read_private_key};

/// How long before its end a certificate counts as about to expire: a renewal by hand, with a request to the authority and a
/// change that somebody has to approve, takes weeks. SAP's own alerts for certificates (STRUST) begin there too.
pub const EXPIRES_SOON: Duration = Duration::from_hours(30 * 24);

/// A certificate that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    subject: String,
    version: Version,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// A certificate at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Its time has not begun.
    NotYetValid,
    /// It is valid, for longer than [`EXPIRES_SOON`].
    Valid,
    /// It is valid, but not for longer than [`EXPIRES_SOON`].
    ExpiresSoon,
    /// Its time is over.
    Expired,
}

impl Certificate {
    /// Reads every certificate of a text in PEM (RFC 7468); private keys and parameters beside them are skipped.
    ///
    /// # Errors
    /// What the content looks like, if it has no certificate; else every entry that is no certificate or can't be read, by its
    /// number.
    pub fn read_all(content: &[u8]) -> Result<Vec<Self>, String> {
        Self::read_each(content, |_| Ok(()))
    }

    /// The same for certificates that are to be trusted, against which others are verified.
    ///
    /// # Errors
    /// As [`Certificate::read_all`], and every entry that can't be trusted.
    pub fn read_roots(content: &[u8]) -> Result<Vec<Self>, String> {
        Self::read_each(content, |certificate| {
            let added = RootCertStore::empty().add(certificate.der.clone());
            added.map_err(|error| format!("can't be trusted: {error}"))
        })
    }

    fn read_each(content: &[u8], check: impl Fn(&Self) -> Result<(), String>) -> Result<Vec<Self>, String> {
        let (mut read, mut problems, mut number) = (Vec::new(), Vec::new(), 0);
        for section in pem::sections(content)? {
            match SectionKind::of(section.label()) {
                SectionKind::Beside => {}
                SectionKind::Other(problem) => problems.push(format!("it has {problem}: {}", section.place())),
                SectionKind::Certificate => {
                    number += 1;
                    match Self::from_section(&section).and_then(|one| check(&one).map(|()| one)) {
                        Ok(certificate) => read.push(certificate),
                        Err(problem) => {
                            problems.push(format!("its certificate number {number} {problem} ({})", section.place()));
                        }
                    }
                }
            }
        }
        match (problems.is_empty(), read.is_empty()) {
            (false, _) => Err(problems.join("; ")),
            (true, true) => Err(certificates_problem(content).to_owned()),
            (true, false) => Ok(read),
        }
    }

    fn from_section(section: &Section) -> Result<Self, String> {
        let read = Self::from_der(CertificateDer::from(section.der().to_vec()));
        read.map_err(|problem| format!("can't be read: {problem}"))
    }

    fn from_der(der: CertificateDer<'static>) -> Result<Self, String> {
        // `Raw` accepts what old authorities issued against RFC 5280, such as serial numbers of more than 20 bytes.
        let parsed = CertificateInner::<Raw>::from_der(&der).map_err(|error| error.to_string())?;
        let signed = parsed.tbs_certificate;
        let subject = signed.subject.to_string();
        let subject = if subject.is_empty() { serial_number(signed.serial_number.as_bytes()) } else { subject };
        let (not_before, not_after) = (timestamp(signed.validity.not_before), timestamp(signed.validity.not_after));
        Ok(Self { der, subject, version: signed.version, not_before, not_after })
    }

    /// Its encoding.
    pub const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whose it is: the subject's name (RFC 4514), or the serial number where there is none.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Why it can't be shown by a side of a connection; old tools, and openssl x509 -req without extensions, make such
    /// certificates. As a root it can be trusted: of a root only the name and the key count.
    fn identity_problem(&self) -> Option<&'static str> {
        match self.version {
            Version::V1 => Some("version 1; a certificate of version 3 is expected"),
            Version::V2 => Some("version 2; a certificate of version 3 is expected"),
            Version::V3 => None,
        }
    }

    /// The first moment of its validity.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last moment of its validity.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// What it is at a moment.
    pub fn validity(&self, now: Timestamp) -> Validity {
        let soon = now.checked_add(EXPIRES_SOON).unwrap_or(Timestamp::MAX);
        match (now.cmp(&self.not_before), now.cmp(&self.not_after), soon.cmp(&self.not_after)) {
            (_, Ordering::Greater, _) => Validity::Expired,
            (Ordering::Less, _, _) => Validity::NotYetValid,
            (_, _, Ordering::Less) => Validity::Valid,
            _ => Validity::ExpiresSoon,
        }
    }
}

/// As OpenSSL writes it.
fn serial_number(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold("serial number ".to_owned(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

fn timestamp(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    // The largest time of a certificate, the end of the year 9999, is a little beyond the largest timestamp.
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
pub mod tests;

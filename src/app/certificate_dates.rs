//! The dates of every certificate that the settings name: what has expired, and what is about to.
//!
//! Owns which settings name certificates, and what a date means for each; `certificate.rs` reads the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret as _;
use tracing::{error, warn};

use crate::certificate::{Certificate, Validity};
use crate::clock::Clock;
use crate::condition::{ConditionKind, Conditions};
use crate::config::{Credentials, Secret, Settings};
use crate::digest::sha256;
use crate::settings_file;
use crate::telemetry::metrics::CertificateExpiries;

/// Between two readings of the files: a changed certificate is judged as soon as it is in use, more or less.
const POLL: Duration = Duration::from_mins(1);

/// Between two reports of the same dates: often enough to be seen, seldom enough to be read.
const REPORT_INTERVAL: Duration = Duration::from_hours(24);

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The service shows it, with the chain that leads to its root: all of it has to be valid.
    Identity,
    /// It signs the certificates of others: of a bundle, one that is valid may be all that is needed.
    Trust,
}

/// A setting that names certificates.
#[derive(Debug, Clone)]
struct Source {
    setting: String,
    purpose: Purpose,
    content: Secret,
}

/// Every setting that names certificates.
#[derive(Debug, Clone)]
pub struct CertificateDates {
    sources: Vec<Source>,
    expiries: Arc<CertificateExpiries>,
}

/// How much a date matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Connections fail already.
    Mistake,
    /// They work for now.
    Warning,
}

/// A certificate whose date matters, or a whole bundle of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFinding {
    /// How much it matters.
    pub severity: Severity,
    setting: String,
    file: Option<PathBuf>,
    subject: String,
    /// The end of its validity, or the begin of one that is not valid yet.
    date: Timestamp,
    problem: &'static str,
}

impl DateFinding {
    /// Setting, file, certificate, problem and date.
    pub fn line(&self) -> String {
        let file = self.file.as_ref().map(|file| format!(" {}", file.display())).unwrap_or_default();
        format!("{}{file}: {}", self.setting, self.reason())
    }

    fn reason(&self) -> String {
        format!("{} {} {}", self.subject, self.problem, day(self.date))
    }

    fn log(&self) {
        let file = self.file.as_deref().map(Path::display).map(tracing::field::display);
        match self.severity {
            Severity::Mistake => error!(
                setting.name = self.setting,
                file.path = file,
                x509.subject.distinguished_name = self.subject,
                error.message = self.reason(),
                "a certificate is out of date: connections that rely on it fail, or will, until its file is replaced"
            ),
            Severity::Warning => warn!(
                setting.name = self.setting,
                file.path = file,
                x509.subject.distinguished_name = self.subject,
                error.message = self.reason(),
                "a certificate expires soon, or has expired beside valid ones: it has to be replaced in its file"
            ),
        }
    }
}

/// A day in UTC: hours do not matter to whoever renews it.
fn day(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

impl CertificateDates {
    /// Collects the settings that name certificates.
    pub fn of(settings: &Settings) -> Self {
        let mut sources = Vec::new();
        let mut add = |setting: String, purpose: Purpose, content: Secret| {
            sources.push(Source { setting, purpose, content });
        };
        if let Some(tls) = &settings.server.tls {
            add("server.tls.certificate".to_owned(), Purpose::Identity, Secret::File(tls.certificate.clone()));
            if let Some(file) = &tls.client_ca {
                add("server.tls.client_ca".to_owned(), Purpose::Trust, Secret::File(file.clone()));
            }
        }
        let (otlp, cloud_alm) = (&settings.telemetry.otlp, &settings.telemetry.cloud_alm);
        let trusted = [
            ("target.ca", settings.target.ca.as_ref()),
            ("alerts.ca", settings.alerts.ca.as_ref()),
            ("telemetry.otlp_ca", otlp.as_ref().and_then(|otlp| otlp.ca.as_ref())),
            ("telemetry.cloud_alm.ca", cloud_alm.as_ref().and_then(|cloud_alm| cloud_alm.ca.as_ref())),
        ];
        for (section, issuer) in settings.auth.sections() {
            if let Some(file) = &issuer.ca {
                add(format!("{section}.ca"), Purpose::Trust, Secret::File(file.clone()));
            }
        }
        for (setting, file) in trusted {
            if let Some(file) = file {
                add(setting.to_owned(), Purpose::Trust, Secret::File(file.clone()));
            }
        }
        let introspections = settings.auth.issuers().filter_map(|issuer| issuer.introspection.as_ref());
        let clients = introspections.map(|settings| &settings.credentials).chain([&settings.target.oauth2.credentials]);
        for identity in clients.filter_map(Credentials::certificate) {
            let (key, secret) = match &identity.certificate {
                Some(certificate) => (&identity.names.certificate, certificate),
                None => (&identity.names.key, &identity.key),
            };
            let suffix = if secret.file().is_some() { "_file" } else { "" };
            add(format!("{key}{suffix}"), Purpose::Identity, secret.clone());
        }
        let shown = otlp.as_ref().and_then(|otlp| otlp.identity.as_ref()?.certificate.clone());
        if let Some(certificate) = shown {
            add("telemetry.otlp_certificate".to_owned(), Purpose::Identity, certificate);
        }
        for (parameter, file) in settings.ledger.storage.certificate_files() {
            let purpose = if parameter == "sslcert" { Purpose::Identity } else { Purpose::Trust };
            add(format!("ledger.url, {parameter}"), purpose, Secret::File(file));
        }
        Self { sources, expiries: Arc::default() }
    }

    /// The ends of the certificates, as they were last reported.
    pub fn expiries(&self) -> Arc<CertificateExpiries> {
        Arc::clone(&self.expiries)
    }

    /// Every date that matters at a moment. What can't be read has no dates; whoever uses it reports that.
    pub fn findings(&self, now: Timestamp) -> Vec<DateFinding> {
        self.sources.iter().flat_map(|source| source.findings(now)).collect()
    }

    /// The number of certificates that can be read.
    pub fn count(&self) -> usize {
        self.sources.iter().map(|source| source.certificates().len()).sum()
    }

    /// Logs every date that matters at a moment, and records them as conditions.
    pub fn report(&self, now: Timestamp, conditions: &Conditions) {
        let findings = self.findings(now);
        findings.iter().for_each(DateFinding::log);
        record(&findings, now, conditions);
        let end = |source: &Source| Some((source.setting.clone(), source.end()?));
        self.expiries.set(self.sources.iter().filter_map(end).collect());
    }

    /// Reports once a day, and whenever a file changes, for ever. The start has reported already.
    pub async fn watch(self, clock: Arc<dyn Clock>, conditions: Conditions) {
        let (mut digest, mut reported_at) = (self.digest(), clock.moment());
        loop {
            clock.sleep(POLL).await;
            let (now, current) = (clock.moment(), self.digest());
            if now.since(reported_at) >= REPORT_INTERVAL || current != digest {
                self.report(clock.now(), &conditions);
                (digest, reported_at) = (current, now);
            }
        }
    }

    fn digest(&self) -> [u8; 32] {
        let digests = self.sources.iter().map(|source| sha256(&source.read()));
        sha256(&digests.collect::<Vec<_>>().concat())
    }
}

/// One condition for each setting.
fn record(findings: &[DateFinding], now: Timestamp, conditions: &Conditions) {
    let failing = findings.iter().map(|one| (one.setting.clone(), one.line())).collect();
    conditions.replace(ConditionKind::CertificateExpiring, &failing, now);
}

impl Source {
    fn read(&self) -> Vec<u8> {
        match &self.content {
            Secret::Text(text) => text.expose_secret().as_bytes().to_vec(),
            Secret::File(path) => settings_file::read(path).unwrap_or_default(),
        }
    }

    /// When connections begin to fail that rely on it: of a chain all has to be valid, of a bundle one may be enough.
    fn end(&self) -> Option<Timestamp> {
        let certificates = self.certificates();
        let ends = certificates.iter().map(Certificate::not_after);
        match self.purpose {
            Purpose::Identity => ends.min(),
            Purpose::Trust => ends.max(),
        }
    }

    fn certificates(&self) -> Vec<Certificate> {
        Certificate::read_all(&self.read()).unwrap_or_default()
    }

    fn findings(&self, now: Timestamp) -> Vec<DateFinding> {
        let certificates = self.certificates();
        let is_valid = |one: &Certificate| matches!(one.validity(now), Validity::Valid | Validity::ExpiresSoon);
        let fails = match self.purpose {
            Purpose::Trust if certificates.iter().any(is_valid) => Severity::Warning,
            Purpose::Identity | Purpose::Trust => Severity::Mistake,
        };
        let finding = |one: &Certificate| {
            let (severity, problem, date) = match one.validity(now) {
                Validity::Valid => return None,
                Validity::Expired => (fails, "has expired: it was valid until", one.not_after()),
                Validity::NotYetValid => (fails, "is not valid yet: it is valid from", one.not_before()),
                Validity::ExpiresSoon => (Severity::Warning, "expires soon: it is valid until", one.not_after()),
            };
            let (setting, file) = (self.setting.clone(), self.content.file().map(Path::to_owned));
            Some(DateFinding { severity, setting, file, subject: one.subject().to_owned(), date, problem })
        };
        certificates.iter().filter_map(finding).collect()
    }
}

#[cfg(test)]
mod tests;

//! What is reported, and when: at once when a file changes, else once a day.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::clock::ManualClock;

/// Valid until 2027-03-08.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIB1DCCAXugAwIBAgIUFQFbYhCF4kvA/P4fh5+TNvMXMbIwCgYIKoZIzj0EAwIw\n\
    QDELMAkGA1UEBhMCREUxFTATBgNVBAoMDEdyw7bDn2UgR21iSDEaMBgGA1UEAwwR\n\
    d2ViaG9vay5hY21lLnRlc3QwHhcNMjYxMTI4MDQxNTM1WhcNMjcwMzA4MDQxNTM1\n\
    WjBAMQswCQYDVQQGEwJERTEVMBMGA1UECgwMR3LDtsOfZSBHbWJIMRowGAYDVQQD\n\
    DBF3ZWJob29rLmFjbWUudGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOQ2\n\
    Z6um6JdYLLwauv9ujntMynpiEvrMLpFJQxOqhuBhdaw+oDkImUBOme9CF9kWW7Hz\n\
    cipKEdCMVwT315utflmjUzBRMB0GA1UdDgQWBBTOrIA6WavuPmncu2g/18befycp\n\
    rDAfBgNVHSMEGDAWgBTOrIA6WavuPmncu2g/18befycprDAPBgNVHRMBAf8EBTAD\n\
    AQH/MAoGCCqGSM49BAMCA0cAMEQCIDHDg1g0EFOvricCsrO55NmapSgI1LdJxbx7\n\
    6MFGJK1oAiBiOTebf48iH/jQjxD+zqMOPAQMhDaThQVTjpSqka+8Ew==\n\
    -----END CERTIFICATE-----\n";

/// Lines that were logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Lines {
    /// What was logged since the last call.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

fn dates_of(file: &Path) -> CertificateDates {
    let text = format!(
        "auth.issuer = \"https://issuer.example\"\nauth.audience = \"x\"\ntarget.base_url = \"https://vms.example\"\n\
         target.oauth2.token_url = \"https://vms.example/token\"\ntarget.oauth2.client_id = \"x\"\n\
         target.oauth2.client_secret = \"x\"\ntarget.ca = {file:?}\n"
    );
    CertificateDates::of(&Settings::parse("test", &text, &BTreeMap::new()).unwrap())
}

/// Moves the clock, and lets the watch work.
async fn pass(clock: &ManualClock, minutes: u64) {
    for _ in 0..minutes {
        clock.advance(POLL);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn dates_are_reported_once_a_day_and_when_a_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, CERTIFICATE).unwrap();
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let clock = Arc::new(ManualClock::at("2027-02-05T12:00:00Z".parse().unwrap()));
    let dates = dates_of(&file);
    dates.report(clock.now());
    assert_eq!(lines.take(), "", "more than thirty days are left");
    let watch = tokio::spawn(dates.watch(Arc::clone(&clock) as Arc<dyn Clock>));
    tokio::task::yield_now().await;

    pass(&clock, 24 * 60 - 1).await;
    assert_eq!(lines.take(), "");
    pass(&clock, 1).await;
    let report = lines.take();
    assert_eq!(report.lines().count(), 1, "{report}");
    for part in ["WARN", "target.ca", file.to_str().unwrap(), "CN=webhook.acme.test", "expires soon", "2027-03-08"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    pass(&clock, 24 * 60).await;
    assert_eq!(lines.take().lines().count(), 1, "again after a day");

    std::fs::write(&file, format!("{CERTIFICATE}# touched")).unwrap();
    pass(&clock, 1).await;
    assert_eq!(lines.take().lines().count(), 1, "when the file changes");
    std::fs::write(&file, "").unwrap();
    pass(&clock, 24 * 60).await;
    assert_eq!(lines.take(), "", "what can't be read is reported by its user");
    watch.abort();
}

#[tokio::test]
async fn an_expired_certificate_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, CERTIFICATE).unwrap();
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, || dates_of(&file).report("2027-03-09T00:00:00Z".parse().unwrap()));
    let report = lines.take();
    assert!(report.contains("ERROR") && report.contains("has expired: it was valid until 2027-03-08"), "{report}");
}

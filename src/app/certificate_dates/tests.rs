//! What is reported, and when: at once when a file changes, else once a day.

use std::collections::BTreeMap;

use super::*;
use crate::certificate::tests::USUAL as CERTIFICATE;
use crate::clock::ManualClock;
use crate::log_lines::LogLines;

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
    let lines = LogLines::default();
    let _guard = tracing::subscriber::set_default(lines.subscriber());
    let clock = Arc::new(ManualClock::at("2027-02-05T12:00:00Z".parse().unwrap()));
    let dates = dates_of(&file);
    let conditions = Conditions::default();
    dates.report(clock.now(), &conditions);
    assert_eq!(lines.take(), "", "more than thirty days are left");
    let watch = tokio::spawn(dates.watch(Arc::clone(&clock) as Arc<dyn Clock>, conditions.clone()));
    tokio::task::yield_now().await;

    pass(&clock, 24 * 60 - 1).await;
    assert_eq!(lines.take(), "");
    pass(&clock, 1).await;
    let report = lines.take();
    assert_eq!(report.lines().count(), 1, "{report}");
    for part in ["WARN", "target.ca", file.to_str().unwrap(), "CN=webhook.acme.test", "expires soon", "2027-03-08"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert_eq!(conditions.current().first().map(|one| one.subject.as_str()), Some("target.ca"));
    pass(&clock, 24 * 60).await;
    assert_eq!(lines.take().lines().count(), 1, "again after a day");

    std::fs::write(&file, format!("{CERTIFICATE}# touched")).unwrap();
    pass(&clock, 1).await;
    assert_eq!(lines.take().lines().count(), 1, "when the file changes");
    std::fs::write(&file, "").unwrap();
    pass(&clock, 24 * 60).await;
    assert_eq!(lines.take(), "", "what can't be read is reported by its user");
    assert_eq!(conditions.current(), [], "a certificate that was replaced");
    watch.abort();
}

#[tokio::test]
async fn an_expired_certificate_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, CERTIFICATE).unwrap();
    let lines = LogLines::default();
    tracing::subscriber::with_default(lines.subscriber(), || {
        dates_of(&file).report("2027-03-09T00:00:00Z".parse().unwrap(), &Conditions::default());
    });
    let report = lines.take();
    assert!(report.contains("ERROR") && report.contains("has expired: it was valid until 2027-03-08"), "{report}");
}

//! `alert`: sends a test to each channel of alerts, and says how each went. It needs neither a ledger nor 11VMS.

use std::sync::Arc;

use super::arguments::ConfigFile;
use super::failure::Failure;
use super::process::{print, runtime};
use crate::clock::{Clock, SystemClock};
use crate::config::{Alerts, environment};
use crate::deliveries::{Delivery, outlets, test_alert};

/// The arguments of `alert`.
#[derive(Debug, clap::Args)]
pub struct AlertArguments {
    #[command(flatten)]
    config: ConfigFile,
    /// Send one alert to each channel, and say how each went: 0 if all took it
    #[arg(long, required = true)]
    test: bool,
}

/// Tests the channels, all at the same time.
pub fn alert(arguments: &AlertArguments) -> Result<(), Failure> {
    let file = arguments.config.config.as_deref();
    let settings = Alerts::load(file, &environment()).map_err(|mistakes| Failure::of_lines(mistakes.0))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let outlets = outlets(&settings, &clock).map_err(|error| Failure::new(error.to_string()))?;
    if outlets.is_empty() {
        let expected = "expected alerts.sap_alert_notification, alerts.pagerduty, alerts.smtp or alerts.webhook";
        return Err(Failure::new(format!("no channel is set, so nobody is alerted; {expected}")));
    }
    let results = runtime()?.block_on(async {
        let tests: Vec<_> = outlets
            .into_iter()
            .map(|outlet| {
                let message = test_alert(outlet.channel(), clock.as_ref());
                (outlet.channel(), tokio::spawn(async move { outlet.deliver(&message).await }))
            })
            .collect();
        let mut results = Vec::new();
        for (channel, test) in tests {
            let broken = |error| Delivery::failed(format!("the test broke off: {error}"));
            results.push((channel, test.await.unwrap_or_else(broken)));
        }
        results
    });
    let mut failed = 0;
    for (channel, delivery) in &results {
        let line = match delivery {
            Delivery::Delivered => format!("ok    {}: the test was delivered\n", channel.name()),
            Delivery::Refused { detail } | Delivery::Failed { detail, .. } => {
                failed += 1;
                format!("FAIL  {}: {detail}\n", channel.name())
            }
        };
        print(&line)?;
    }
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{failed} of {} channels did not take the test", results.len())))
}

//! An outage of a receiver of telemetry: told once, then now and then, and when it ends. What was lost meanwhile is counted.

use std::time::Duration;

use tracing::{info, warn};

use crate::clock::Moment;

/// Between two lines about the same outage: it harms no order.
const REPEAT_INTERVAL: Duration = Duration::from_mins(10);

/// What is known of one receiver.
#[derive(Debug)]
pub struct ExportOutage {
    /// The setting that names the receiver.
    setting: &'static str,
    began: Option<Moment>,
    reported_at: Moment,
    lost: u64,
}

impl ExportOutage {
    /// A receiver that is taken to work.
    pub const fn new(setting: &'static str) -> Self {
        Self { setting, began: None, reported_at: Moment::at(Duration::ZERO), lost: 0 }
    }

    /// Counts what was dropped; the next line says it.
    pub const fn lose(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
    }

    /// Notes a failure; most write no line.
    pub fn failed(&mut self, detail: &str, now: Moment) {
        let is_new = self.began.is_none();
        self.began.get_or_insert(now);
        if is_new || now.since(self.reported_at) >= REPEAT_INTERVAL {
            self.reported_at = now;
            warn!(
                setting.name = self.setting,
                error.message = detail,
                export.lost = std::mem::take(&mut self.lost),
                "telemetry can't be delivered: it is kept within bounds and tried again; no order waits for it"
            );
        }
    }

    /// Notes something that the receiver will never take. A line is written as for a failure.
    pub fn refused(&mut self, detail: &str, count: u64, now: Moment) {
        self.lose(count);
        self.failed(detail, now);
    }

    /// Notes a success.
    pub fn worked(&mut self, now: Moment) {
        let Some(began) = self.began.take() else { return };
        info!(
            setting.name = self.setting,
            outage.duration = now.since(began).as_secs_f64(),
            export.lost = std::mem::take(&mut self.lost),
            "telemetry is delivered again"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_lines::LogLines;

    #[test]
    fn an_outage_is_reported_once_then_at_intervals_and_at_its_end() {
        let lines = LogLines::default();
        let _log = tracing::subscriber::set_default(lines.subscriber());
        let at = |seconds| Moment::at(Duration::from_secs(seconds));
        let mut outage = ExportOutage::new("telemetry.otlp_endpoint");
        outage.worked(at(1));
        outage.failed("no connection", at(2));
        for second in 3..600 {
            outage.lose(2);
            outage.failed("no connection", at(second));
        }
        assert_eq!(lines.take_with("can't be delivered").len(), 1);
        outage.failed("no connection", at(602));
        let again = lines.take();
        assert!(again.contains("export.lost=1194") && again.contains("telemetry.otlp_endpoint"), "{again}");
        outage.worked(at(604));
        let end = lines.take();
        assert!(end.contains("delivered again") && end.contains("outage.duration=602"), "{end}");
        outage.worked(at(605));
        assert_eq!(lines.take(), "");
    }
}

//! What is told of a receiver of telemetry that fails or refuses, and of what is dropped: each kind once, then at intervals, however
//! often the receiver comes and goes; and what was lost is counted.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::Signal;
use crate::clock::Moment;
use crate::metric::Counter;
use crate::telemetry::metrics::ExportMetrics;

/// Between two lines of one kind: it harms no order.
const REPEAT_INTERVAL: Duration = Duration::from_mins(10);

/// What is known of one receiver.
#[derive(Debug)]
pub struct ExportOutage {
    /// The setting that names the receiver.
    setting: &'static str,
    signal: Signal,
    dropped: Arc<Counter>,
    /// When the receiver began to fail, or to refuse.
    began: Option<Moment>,
    /// Whether a line has told of it, so that its end is worth one.
    is_told: bool,
    /// What was dropped since the last line.
    lost: u64,
    failure: Interval,
    refusal: Interval,
    loss: Interval,
}

/// The time of the last line of a kind.
#[derive(Debug, Default)]
struct Interval(Option<Moment>);

impl Interval {
    /// Whether a line is due; then it is taken to be written.
    fn is_due(&mut self, now: Moment) -> bool {
        let is_due = self.0.is_none_or(|told_at| now.since(told_at) >= REPEAT_INTERVAL);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

impl ExportOutage {
    /// A receiver that is taken to work.
    pub fn new(setting: &'static str, signal: Signal, metrics: &ExportMetrics) -> Self {
        Self {
            setting,
            signal,
            dropped: metrics.dropped(signal.name()),
            began: None,
            is_told: false,
            lost: 0,
            failure: Interval::default(),
            refusal: Interval::default(),
            loss: Interval::default(),
        }
    }

    /// Counts what was dropped.
    pub fn lose(&mut self, count: u64) {
        self.lost = self.lost.saturating_add(count);
        self.dropped.add(count);
    }

    /// Notes a failure of something that is kept.
    pub fn failed(&mut self, detail: &str, now: Moment) {
        self.began.get_or_insert(now);
        if self.failure.is_due(now) {
            self.is_told = true;
            warn!(
                setting.name = self.setting,
                export.signal = self.signal.name(),
                error.message = detail,
                export.lost = std::mem::take(&mut self.lost),
                "telemetry can't be delivered: it is kept within bounds and tried again; no order waits for it"
            );
        }
    }

    /// Notes something that the receiver will never take.
    pub fn refused(&mut self, detail: &str, count: u64, now: Moment) {
        self.lose(count);
        self.began.get_or_insert(now);
        if self.refusal.is_due(now) {
            self.is_told = true;
            warn!(
                setting.name = self.setting,
                export.signal = self.signal.name(),
                error.message = detail,
                export.lost = std::mem::take(&mut self.lost),
                "telemetry is refused by its receiver, and dropped; no order is affected"
            );
        }
    }

    /// Notes a success.
    pub fn worked(&mut self, now: Moment) {
        let began = self.began.take();
        if let Some(began) = began.filter(|_| std::mem::take(&mut self.is_told)) {
            info!(
                setting.name = self.setting,
                export.signal = self.signal.name(),
                outage.duration = now.since(began).as_secs_f64(),
                export.lost = std::mem::take(&mut self.lost),
                "telemetry is delivered again"
            );
        }
    }

    /// Tells what was dropped and is in no line yet.
    pub fn tell_losses(&mut self, now: Moment) {
        if self.lost > 0 && self.loss.is_due(now) {
            warn!(
                setting.name = self.setting,
                export.signal = self.signal.name(),
                export.lost = std::mem::take(&mut self.lost),
                "telemetry was dropped: more came than its receiver took in time; no order is affected"
            );
        }
    }

    /// Tells, at the end of the service, what is in no line yet, and what is left over.
    pub fn stopped(mut self, left: u64, detail: &str) {
        self.lose(left);
        if self.lost > 0 {
            warn!(
                setting.name = self.setting,
                export.signal = self.signal.name(),
                error.message = detail,
                export.lost = self.lost,
                "telemetry is lost with the stop: its receiver did not take it in time; no order is affected"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_lines::LogLines;

    fn at(seconds: u64) -> Moment {
        Moment::at(Duration::from_secs(seconds))
    }

    fn outage() -> (ExportOutage, ExportMetrics) {
        let metrics = ExportMetrics::default();
        (ExportOutage::new("telemetry.otlp_endpoint", Signal::Traces, &metrics), metrics)
    }

    #[test]
    fn an_outage_is_reported_once_then_at_intervals_and_at_its_end() {
        let lines = LogLines::default();
        let _log = tracing::subscriber::set_default(lines.subscriber());
        let (mut outage, metrics) = outage();
        outage.worked(at(1));
        outage.failed("no connection", at(2));
        for second in 3..600 {
            outage.lose(2);
            outage.failed("no connection", at(second));
        }
        assert_eq!(lines.take_with("can't be delivered").len(), 1);
        outage.failed("no connection", at(602));
        let again = lines.take();
        for expected in ["export.lost=1194", "telemetry.otlp_endpoint", "export.signal=\"traces\""] {
            assert!(again.contains(expected), "{again}");
        }
        outage.worked(at(604));
        let end = lines.take();
        assert!(end.contains("delivered again") && end.contains("outage.duration=602"), "{end}");
        outage.worked(at(605));
        assert_eq!(lines.take(), "");
        assert_eq!(metrics.all(), [("traces", 1194)]);
    }

    #[test]
    fn a_receiver_that_comes_and_goes_is_reported_no_more_often_than_one_that_fails() {
        let lines = LogLines::default();
        let _log = tracing::subscriber::set_default(lines.subscriber());
        let (mut outage, _) = outage();
        for second in (0..1200).step_by(2) {
            outage.failed("no connection", at(second));
            outage.worked(at(second + 1));
        }
        let all = lines.all();
        let count = |text: &str| all.iter().filter(|line| line.contains(text)).count();
        assert_eq!((count("can't be delivered"), count("delivered again"), all.len()), (2, 2, 4), "{all:#?}");
    }

    #[test]
    fn refusals_and_losses_have_lines_of_their_own_at_intervals_of_their_own() {
        let lines = LogLines::default();
        let _log = tracing::subscriber::set_default(lines.subscriber());
        let (mut outage, metrics) = outage();
        for second in 0..600 {
            outage.failed("no connection", at(second));
            outage.refused("answered 400", 3, at(second));
            outage.lose(1);
            outage.tell_losses(at(second));
        }
        let all = lines.all();
        let lost = |text: &str| -> Vec<&str> {
            let lines = all.iter().filter(|line| line.contains(text));
            lines.map(|line| line.split("export.lost=").nth(1).unwrap().split(' ').next().unwrap()).collect()
        };
        assert_eq!(lost("can't be delivered"), ["0"], "{all:#?}");
        assert_eq!(lost("is refused by its receiver, and dropped"), ["3"]);
        assert_eq!(lost("more came than its receiver took"), ["1"]);
        outage.stopped(5, "no connection");
        assert_eq!(metrics.all(), [("traces", 2405)], "each counts once");
        let end = lines.take();
        assert!(end.contains("lost with the stop") && end.contains("export.lost=2401"), "{end}");
    }

    #[test]
    fn a_stop_after_which_nothing_is_missing_is_silent() {
        let lines = LogLines::default();
        let _log = tracing::subscriber::set_default(lines.subscriber());
        outage().0.stopped(0, "no connection");
        assert_eq!(lines.take(), "");
    }
}

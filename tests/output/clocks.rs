//! The real binary while the wall clock of its machine is set: its retries come all the same.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use purchase_order_webhook::sandbox::vms::{Effect, Fault};
use tempfile::TempDir;

use crate::process::Process;
use crate::support::cart;

/// A library that shifts the wall clock, and the file that says by how much.
struct ShiftedClock {
    folder: TempDir,
    shift: File,
}

impl ShiftedClock {
    /// Compiles the library; `None` where there is no C compiler.
    fn build() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/output/shifted_clock.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(folder.path().join("clock.so")).arg(source);
        let compiled = cc.output();
        if !compiled.as_ref().is_ok_and(|done| done.status.success()) {
            let text = format!("NOT RUN: there is no C compiler (Debian: apt-get install gcc): {compiled:?}");
            assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
            eprintln!("{text}");
            return None;
        }
        let shift = File::create(folder.path().join("shift")).unwrap();
        let clock = Self { folder, shift };
        clock.set(0);
        Some(clock)
    }

    fn set(&self, seconds: i64) {
        self.shift.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    fn environment(&self) -> Vec<(&'static str, std::path::PathBuf)> {
        vec![("LD_PRELOAD", self.folder.path().join("clock.so")), ("SHIFTED_CLOCK", self.folder.path().join("shift"))]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_come_in_time_whatever_happens_to_the_wall_clock() {
    for (shift, for_a_moment) in [(-3_600, true), (3_600, true), (-3_600, false), (3_600, false)] {
        let Some(clock) = ShiftedClock::build() else { return };
        let settings = "retry.initial_delay = \"2s\"\nretry.max_delay = \"5h\"\nretry.jitter = 0.0\n";
        let process = Process::start_in(&clock.environment(), settings).await;
        // While 11VMS works on them, the clock is set: it is not busy for one, and loses its answer to the other.
        for effect in [Effect::status(429), Effect::HangUpAfter] {
            process.vms.queue(Fault { delay_ms: 300, effect });
        }
        for number in [1, 2] {
            let request = process.post("", "clocks", cart(number).to_string()).header("prefer", "respond-async");
            assert_eq!(request.send().await.unwrap().status(), 202);
        }
        clock.set(shift);
        if for_a_moment {
            tokio::time::sleep(Duration::from_secs(1)).await;
            clock.set(0);
        }
        // The second one was created by its first attempt, so only a look-up says that the service knows it.
        let is_done =
            || process.vms.orders().len() == 2 && process.vms.received().iter().any(|request| request.method == "GET");
        let mut tries = 0;
        while !is_done() {
            tries += 1;
            assert!(tries < 400, "a shift of {shift} s, for a moment: {for_a_moment}: no retry within 20 s");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        clock.set(0);
        // Log lines have the time that the process sees: the shift was in force while attempts ended.
        let lines = process.stop().await;
        let times = lines.iter().map(|line| line["timestamp"].as_str().unwrap().parse::<Timestamp>().unwrap());
        let times: Vec<i64> = times.map(Timestamp::as_second).collect();
        let spread = times.iter().max().unwrap() - times.iter().min().unwrap();
        assert!(spread > 3_000, "the clock was not shifted by {shift} s: {times:?}");
    }
}

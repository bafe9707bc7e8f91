//! The clocks of the simulated machines. The monotonic clock is the world's time; a wall clock may differ from it, step,
//! and stand still.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use purchase_order_webhook::clock::{Clock, Moment, between};
use tokio::sync::oneshot;

use crate::broken::Defect;
use crate::world::{ProcessRunId, START, SharedWorld, World};

/// The wall clock of one machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock {
    /// By how much it is ahead, or behind.
    offset: SignedDuration,
    /// The time that it shows while it stands still.
    stopped_at: Option<Timestamp>,
}

/// What happens to a wall clock.
#[derive(Debug, Clone, Copy)]
pub enum ClockChange {
    /// From now on it is ahead by so many milliseconds, or behind.
    Set(i64),
    Stop,
    /// It goes on, at the time that it would have shown without the stop.
    Resume,
}

impl WallClock {
    fn shows(&self, now: Timestamp) -> Timestamp {
        self.stopped_at.unwrap_or_else(|| now.saturating_add(self.offset).unwrap())
    }
}

impl World {
    pub fn change_clock(&mut self, machine: usize, change: ClockChange) {
        self.record(&format!("the clock of machine {machine}: {change:?}"));
        let now = self.now;
        let clock = self.clocks.entry(machine).or_default();
        match change {
            ClockChange::Set(milliseconds) => clock.offset = SignedDuration::from_millis(milliseconds),
            ClockChange::Stop => clock.stopped_at = Some(clock.shows(now)),
            ClockChange::Resume => clock.stopped_at = None,
        }
    }

    fn shown_time(&self, machine: usize) -> Timestamp {
        self.clocks.get(&machine).copied().unwrap_or_default().shows(self.now)
    }
}

/// The clocks of one process.
#[derive(Debug)]
pub struct SimulatedClock {
    pub world: SharedWorld,
    pub process: ProcessRunId,
    pub machine: usize,
    pub defect: Option<Defect>,
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.world.lock().shown_time(self.machine)
    }

    fn moment(&self) -> Moment {
        let world = self.world.lock();
        // Far from zero, so that a clock that is behind has a moment too.
        let origin = START.saturating_sub(Duration::from_hours(24)).unwrap();
        let is_wrong = self.defect == Some(Defect::WaitsByWallClock);
        Moment::at(between(origin, if is_wrong { world.shown_time(self.machine) } else { world.now }))
    }

    async fn sleep_until(&self, moment: Moment) {
        let wait = moment.since(self.moment());
        let slept = {
            let mut world = self.world.lock();
            if wait.is_zero() {
                return;
            }
            let (wake, slept) = oneshot::channel();
            let time = world.now.saturating_add(wait).unwrap();
            world.schedule(time, self.process, move |_| wake.send(()).unwrap_or_default());
            slept
        };
        // The world outlives every process.
        let _ = slept.await;
    }
}

//! The clocks of the simulated machines. The monotonic clock is the world's time without that for which the machine slept; a
//! wall clock may differ from it, step, and stand still.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use purchase_order_webhook::clock::{Clock, Moment, after, between};
use tokio::sync::oneshot;

use crate::broken::Defect;
use crate::plan::{Action, FAULT_PERIOD};
use crate::world::{ProcessRunId, START, SharedWorld, World};

/// The wall clock of one machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock {
    /// By how much it is ahead, or behind.
    offset: SignedDuration,
    /// The time that it shows while it stands still.
    stopped_at: Option<Timestamp>,
}

/// The times for which a machine was suspended: nothing runs on it, and its monotonic clock stands still.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sleep {
    since: Option<Timestamp>,
    woke_at: Option<Timestamp>,
    earlier: Duration,
}

impl Sleep {
    fn total(self, now: Timestamp) -> Duration {
        self.earlier + self.since.map(|since| between(since, now)).unwrap_or_default()
    }
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

    /// The machine falls asleep at once, for a while, if its wall clock is right.
    pub fn plan_sleep(&mut self, machine: usize) {
        let length = self.duration_between(0, 40_000);
        if self.clocks_agree {
            let rest = between(self.now, after(START, FAULT_PERIOD));
            self.follow_ups.push((Duration::ZERO, Action::FallAsleep { machine }));
            self.follow_ups.push((length.min(rest), Action::Wake { machine }));
        }
    }

    pub fn fall_asleep(&mut self, machine: usize) {
        self.record(&format!("machine {machine} falls asleep"));
        let now = self.now;
        self.sleeps.entry(machine).or_default().since.get_or_insert(now);
    }

    pub fn wake(&mut self, machine: usize) {
        self.record(&format!("machine {machine} wakes"));
        let earlier = self.slept(machine);
        self.sleeps.insert(machine, Sleep { since: None, woke_at: Some(self.now), earlier });
    }

    pub fn is_asleep(&self, machine: usize) -> bool {
        self.sleeps.get(&machine).is_some_and(|sleep| sleep.since.is_some())
    }

    /// For how long the machine has slept in all.
    pub fn slept(&self, machine: usize) -> Duration {
        self.sleeps.get(&machine).copied().unwrap_or_default().total(self.now)
    }

    fn wakes_now(&self, machine: usize) -> bool {
        self.sleeps.get(&machine).is_some_and(|sleep| sleep.woke_at == Some(self.now))
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
        let world = self.world.lock();
        let is_unnoticed = self.defect == Some(Defect::SleepUnnoticed) && world.wakes_now(self.machine);
        let unseen = if is_unnoticed { world.slept(self.machine) } else { Duration::ZERO };
        world.shown_time(self.machine).saturating_sub(unseen).unwrap()
    }

    fn moment(&self) -> Moment {
        let world = self.world.lock();
        // Far from zero, so that a clock that is behind has a moment too.
        let origin = START.saturating_sub(Duration::from_hours(24)).unwrap();
        if self.defect == Some(Defect::WaitsByWallClock) {
            return Moment::at(between(origin, world.shown_time(self.machine)));
        }
        Moment::at(between(origin, world.now).saturating_sub(world.slept(self.machine)))
    }

    async fn sleep_until(&self, moment: Moment) {
        // Again, if the machine has slept: its monotonic clock is not there yet.
        loop {
            let wait = moment.since(self.moment());
            if wait.is_zero() {
                return;
            }
            let waited = {
                let mut world = self.world.lock();
                let (end, waited) = oneshot::channel();
                let time = world.now.saturating_add(wait).unwrap();
                world.schedule(time, self.process, move |_| end.send(()).unwrap_or_default());
                waited
            };
            // The world outlives every process.
            let _ = waited.await;
        }
    }
}

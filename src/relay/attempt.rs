//! One attempt: its begin is stored, it waits for its permit, is made, and its end is stored and published.

use super::dispatcher::{Dispatch, HeldUp, Ticket};
use super::holds::Hold;
use super::observer::{Event, IllegalStep, UnwritablePart};
use super::restored::Restored;
use super::retrying_ledger::{LEDGER_RETRY_DELAY, Read, Write};
use super::sending::Sent;
use super::settlement::End;
use super::spans;
use super::{MAX_LEASE_AGE_AFTER_WAIT, MAX_LEASE_AGE_AT_SEND, Relay, lease_length};
use crate::clock::{Moment, PointInTime, between};
use crate::ledger::{Sharing, Stored};
use crate::order::breaker::CallResult;
use crate::order::{Doubt, DoubtBefore, Order, OrderId, State, Verdict};
use crate::trace::{self, SpanKind};

/// An attempt that begins.
pub struct BegunAttempt {
    order: Order,
    /// Since when the ledger has had the begin, if it has.
    recorded: Option<PointInTime>,
    /// What was known of the order before, if it is in doubt for this attempt because the ledger was restored.
    doubt_before: Option<DoubtBefore>,
}

impl BegunAttempt {
    /// Of an order whose admission began it.
    pub const fn first(order: Order, recorded: Option<PointInTime>) -> Self {
        Self { order, recorded, doubt_before: None }
    }
}

/// Why an attempt that began was none.
enum NotMade {
    /// The order must not be sent now: the attempt is taken back.
    HeldUp(HeldUp),
    /// The ledger does not have the begin, as far as can be told, or another replica has the order: nothing is left to end.
    NotRecorded,
}

impl From<HeldUp> for NotMade {
    fn from(held_up: HeldUp) -> Self {
        Self::HeldUp(held_up)
    }
}

impl Relay {
    /// Brings a dispatched order one step further, if it is due.
    pub(super) async fn process(&self, dispatch: Dispatch) {
        let read = self.retrying_ledger.read(&dispatch.id, &self.stopping).await;
        let order = match read {
            Read::Found(order) if order.revision >= dispatch.ticket.revision => *order,
            Read::Found(_) | Read::Absent => return self.read_again_later(&dispatch),
            Read::Unreadable | Read::GivenUp => return,
        };
        match order.state {
            State::Accepted | State::Retrying => match self.wait_of(&order) {
                Some(moment) => self.postpone(&order, moment),
                None => self.attempt(order, dispatch).await,
            },
            // It was settled meanwhile; or an attempt has begun, and only a sweep can tell that its process is gone.
            State::Forwarding | State::Created | State::Rejected | State::Parked | State::Cancelled => {}
        }
    }

    /// Queues an order once more that a read did not show as it was dispatched: the read lags behind, as that of a standby.
    /// After the length of a lease it is left to the sweeps, which find it if it is there. So is an order whose write has
    /// failed: it is most likely not there, as on a full disk, and there may be many of them.
    fn read_again_later(&self, dispatch: &Dispatch) {
        if dispatch.ticket.revision == 0 {
            return;
        }
        let now = self.dependencies.clock.moment();
        let until = dispatch.ticket.reread_until;
        let until = until.unwrap_or_else(|| now.after(lease_length(self.dependencies.attempt_limit)));
        if now < until {
            let moment = now.after(LEDGER_RETRY_DELAY);
            let ticket = Ticket { reread_until: Some(until), ..dispatch.ticket };
            self.queue_at(moment, &dispatch.id, ticket);
        }
    }

    pub(super) fn postpone(&self, order: &Order, moment: Moment) {
        self.queue_at(moment, &order.id, Ticket::of(order));
    }

    /// Until when an order has to wait for its next attempt; `None` if it is due.
    fn wait_of(&self, order: &Order) -> Option<Moment> {
        let clock = &self.dependencies.clock;
        let (now, hold) = (clock.moment(), self.holds.get(order));
        let stored = || {
            let wait = order.next_attempt_at.map(|time| between(self.reckoned_now(), time)).unwrap_or_default();
            // A time that is farther away is brought nearer by the next sweep.
            now.after(wait.min(self.dependencies.policy.longest_wait()))
        };
        let due = match hold {
            None => stored(),
            Some(hold) if hold.is_older_than(order) => hold.due.max(stored()),
            Some(hold) => hold.due,
        };
        let quiet_until = match order.doubt {
            Doubt::None => self.restore_that_concerns(order).map_or_else(Moment::default, |restored| {
                restored.end_of_grace(self.started_at, self.dependencies.policy.unknown_grace)
            }),
            Doubt::ThisContent | Doubt::EarlierContent => {
                hold.map_or_else(|| self.hold_in_doubt(order, due), |hold| hold.quiet_until)
            }
        };
        let due = due.max(quiet_until);
        (due > now).then_some(due)
    }

    /// The restore of the ledger, if 11VMS has to be asked for the order because of it.
    fn restore_that_concerns(&self, order: &Order) -> Option<&Restored> {
        self.restored.as_ref().filter(|restored| restored.concerns(order, self.dependencies.clock.moment()))
    }

    /// The end of the grace of an order in doubt whose last attempt this process has not ended.
    ///
    /// It was ended by a process that held the ledger alone, and is gone; or by another replica, maybe at this moment, and
    /// whether the wall clocks agree can't be told.
    fn hold_in_doubt(&self, order: &Order, due: Moment) -> Moment {
        let grace = self.dependencies.policy.unknown_grace;
        if self.dependencies.ledger.sharing() == Sharing::Exclusive {
            return self.started_at.after(grace);
        }
        let moment = self.dependencies.clock.moment().after(grace);
        self.holds.set(&order.id, Hold::new(order, due, moment));
        moment
    }

    /// Begins an attempt, and makes it.
    async fn attempt(&self, mut order: Order, dispatch: Dispatch) {
        let restored = self.restore_that_concerns(&order);
        if let Err(defect) = order.begin(self.now()) {
            return self.report(Event::Illegal { change: IllegalStep::Begin, order: &order, defect: &defect });
        }
        let doubt_before = restored.map(|restored| order.doubt_since_restore(restored.backup));
        self.attempt_begun(BegunAttempt { order, recorded: None, doubt_before }, dispatch).await;
    }

    /// Makes an attempt that has begun. The dispatch lasts until the end is stored: a read that lags behind shows the order as it was
    /// before, and so it would be sent once more.
    pub(super) async fn attempt_begun(&self, begun: BegunAttempt, mut dispatch: Dispatch) {
        let (tracer, id) = (&self.dependencies.tracer, begun.order.id.clone());
        let mut span = spans::begin_attempt(tracer, &begun.order);
        // In boxes, or the task has 5 KB that are copied whenever it is moved on its way to the runtime.
        let Some((order, end)) = span.enclose(Box::pin(self.make_attempt(begun, &mut dispatch))).await else {
            return spans::describe_given_up(&mut span);
        };
        let ended = span.enclose(Box::pin(self.settle(order, end))).await;
        spans::describe_end(tracer, &mut span, &id, ended);
    }

    /// Makes an attempt, and returns the order with its end; `None` if this process can't end it.
    async fn make_attempt(&self, begun: BegunAttempt, dispatch: &mut Dispatch) -> Option<(Order, End)> {
        let BegunAttempt { mut order, recorded, doubt_before } = begun;
        let sent = match self.permitted(&mut order, dispatch, recorded).await {
            Ok(begun) => {
                if doubt_before.is_some() {
                    self.report(Event::AskedSinceRestore(&order));
                }
                self.send_with_permit(&order, begun).await
            }
            Err(NotMade::HeldUp(HeldUp { reason, wait })) => {
                Sent::of(Verdict::Deferred { detail: reason.to_owned(), wait })
            }
            Err(NotMade::NotRecorded) => return None,
        };
        dispatch.release_permit(CallResult::of(&sent.verdict), sent.verdict.detail());
        self.conclude(order, sent, doubt_before)
    }

    /// Ends an attempt in the order's record.
    fn conclude(&self, mut order: Order, sent: Sent, doubt_before: Option<DoubtBefore>) -> Option<(Order, End)> {
        let Sent { verdict, was_absent, is_acknowledged, took } = sent;
        let deferred = verdict.deferral().map(str::to_owned);
        match doubt_before {
            Some(_) if was_absent => order.settle_doubt_since_restore(),
            Some(before) if deferred.is_some() && self.asks_next_time() => order.withdraw_doubt_since_restore(before),
            Some(_) | None => {}
        }
        let (policy, now) = (&self.dependencies.policy, self.now());
        if let Err(defect) = order.conclude(verdict, now, policy, self.dependencies.jitter.draw()) {
            self.report(Event::Illegal { change: IllegalStep::Conclude, order: &order, defect: &defect });
            return None;
        }
        if is_acknowledged {
            order.acknowledge_attempt();
        }
        if deferred.is_none() {
            order.measure_attempt(took);
        }
        Some((order, End { at: now, deferred }))
    }

    /// Whether an order that is asked for because of a restore will be when its wait is over: until then that has to matter.
    fn asks_next_time(&self) -> bool {
        let next = self.dependencies.clock.moment().after(self.dependencies.policy.longest_wait());
        self.restored.as_ref().is_some_and(|restored| restored.matters(next))
    }

    /// Stores the begin of an attempt, unless that was done, and waits for the order's permit; returns since when the attempt's time
    /// counts, which its lease outlasts.
    async fn permitted(
        &self,
        order: &mut Order,
        dispatch: &mut Dispatch,
        recorded: Option<PointInTime>,
    ) -> Result<PointInTime, NotMade> {
        let begun = match recorded {
            // It is under way, also while the service stops: left there, it would be in doubt.
            Some(recorded) if self.lease_age(recorded) <= MAX_LEASE_AGE_AT_SEND => {
                PointInTime::now(self.dependencies.clock.as_ref())
            }
            _ => self.record_begin(order).await?,
        };
        let asked_at = self.dependencies.clock.moment();
        if !dispatch.has_permit() {
            let waiting = trace::child("wait for permit", SpanKind::Internal);
            waiting.enclose(dispatch.take_permit(&self.stopping)).await?;
        }
        let is_fresh = self.lease_age(begun) <= MAX_LEASE_AGE_AFTER_WAIT;
        let begun = if is_fresh { begun } else { self.record_begin(order).await? };
        // Only now: a begin that is stored once more has to be the one that was stored before.
        order.put_attempt_off(self.dependencies.clock.moment().since(asked_at));
        dispatch.may_be_sent()?;
        Ok(begun)
    }

    /// Stores that an attempt begins, and returns when.
    async fn record_begin(&self, order: &Order) -> Result<PointInTime, NotMade> {
        let clock = self.dependencies.clock.as_ref();
        loop {
            let before = PointInTime::now(clock);
            let mut stored = trace::child("store begin", SpanKind::Internal);
            let write = stored.enclose(self.retrying_ledger.store(order, &self.stopping)).await;
            spans::describe_write(&mut stored, &write);
            drop(stored);
            match write {
                Write::Done(Stored::Superseded) | Write::GivenUp => return Err(NotMade::NotRecorded),
                Write::Refused(reason) => {
                    self.report(Event::Unwritable { part: UnwritablePart::Begin, order, reason: &reason });
                    return Err(NotMade::NotRecorded);
                }
                Write::Done(Stored::Committed) if self.stopping.is_cancelled() => return Err(HeldUp::STOP.into()),
                Write::Done(Stored::Committed) if self.lease_age(before) <= MAX_LEASE_AGE_AT_SEND => {
                    return Ok(PointInTime::now(clock));
                }
                Write::Done(Stored::Committed) => {
                    self.report(Event::BeginRepeated(order));
                    self.retrying_ledger.pause(&self.stopping).await.ok_or(HeldUp::STOP)?;
                }
            }
        }
    }

    /// Has an order queued at a moment.
    pub(super) fn queue_at(&self, moment: Moment, id: &OrderId, ticket: Ticket) {
        self.holds.queue_at(moment, id, ticket);
        self.due_timer.set(moment);
    }
}

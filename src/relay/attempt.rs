//! One attempt: its begin is stored, 11VMS is asked or gets the order, its outcome is stored and published.

use std::time::Duration;

use super::dispatcher::{Dispatch, HeldUp, Ticket};
use super::holds::Hold;
use super::observer::{Event, IllegalStep, UnwritablePart};
use super::restored::Restored;
use super::retrying_ledger::{LEDGER_RETRY_DELAY, Read, Write};
use super::settlement::End;
use super::spans;
use super::{MAX_LEASE_AGE_AFTER_WAIT, MAX_LEASE_AGE_AT_SEND, Relay, lease_length};
use crate::clock::{Moment, PointInTime, between};
use crate::ledger::{Sharing, Stored};
use crate::order::breaker::CallResult;
use crate::order::vms_response::{
    CallOutcome, LookUpResult, OrderNames, Repetition, is_success, needs_look_up, read_create,
    read_create_with_look_up, read_look_up,
};
use crate::order::{Doubt, DoubtBefore, Order, OrderId, Outcome, State, Verdict};
use crate::trace::{self, SpanKind};
use crate::vms::SendLimit;

/// What an attempt came to.
struct Sent {
    verdict: Verdict,
    /// Whether 11VMS was asked before, and does not have the order.
    was_absent: bool,
    /// Whether 11VMS has said that it has the order, and did not give its number.
    is_acknowledged: bool,
    /// How long all calls took together.
    took: Duration,
}

impl Sent {
    /// The end of an attempt in which nothing was sent, or no answer came.
    const fn of(verdict: Verdict) -> Self {
        Self { verdict, was_absent: false, is_acknowledged: false, took: Duration::ZERO }
    }
}

/// Why an order is not sent once more that 11VMS has said to have: it may have it under a number that its search does not
/// show, or not yet. A person who replays the order has looked.
fn acknowledged_but_not_shown() -> Verdict {
    let detail = "11VMS has answered that it has the order, but its look-up does not show it; nothing was sent again. \
                  Look into 11VMS: if it has the order, resolve it; if not, replay it, and it is sent again";
    Verdict::Unknown { status: None, answer: None, detail: detail.to_owned(), retry_after: None }
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
        self.attempt_begun(order, dispatch, None, doubt_before).await;
    }

    /// Makes an attempt that has begun. `recorded` is when its begin was, if that was done. The dispatch lasts until the end is stored:
    /// a read that lags behind shows the order as it was before, and so it would be sent once more.
    pub(super) async fn attempt_begun(
        &self,
        order: Order,
        mut dispatch: Dispatch,
        recorded: Option<PointInTime>,
        doubt_before: Option<DoubtBefore>,
    ) {
        let tracer = &self.dependencies.tracer;
        let mut span = spans::begin_attempt(tracer, &order);
        let made = span.enclose(self.make_attempt(order, &mut dispatch, recorded, doubt_before)).await;
        let Some((order, end)) = made else {
            return spans::describe_given_up(&mut span);
        };
        let id = order.id.clone();
        let ended = span.enclose(self.settle(order, end)).await;
        spans::describe_end(tracer, &mut span, &id, ended);
    }

    /// Stores the begin of an attempt, unless that was done, and makes it; returns the order with the attempt's end. `None` if no
    /// attempt was made.
    async fn make_attempt(
        &self,
        mut order: Order,
        dispatch: &mut Dispatch,
        recorded: Option<PointInTime>,
        doubt_before: Option<DoubtBefore>,
    ) -> Option<(Order, End)> {
        let begun = match recorded {
            // It is under way, also while the service stops: left there, it would be in doubt.
            Some(recorded) if self.lease_age(recorded) <= MAX_LEASE_AGE_AT_SEND => {
                Ok(PointInTime::now(self.dependencies.clock.as_ref()))
            }
            _ => self.record_begin(&order).await?,
        };
        let asked_at = self.dependencies.clock.moment();
        let permitted = match begun {
            Ok(begun) => self.permitted(&order, dispatch, begun).await?,
            Err(held_up) => Err(held_up),
        };
        order.put_attempt_off(self.dependencies.clock.moment().since(asked_at));
        if doubt_before.is_some() && permitted.is_ok() {
            self.report(Event::AskedSinceRestore(&order));
        }
        let Sent { verdict, was_absent, is_acknowledged, took } = match permitted {
            Ok(begun) => self.send_with_permit(&order, begun).await,
            Err(HeldUp { reason, wait }) => Sent::of(Verdict::Deferred { detail: reason.to_owned(), wait }),
        };
        let deferred =
            matches!(verdict, Verdict::Deferred { .. }).then(|| verdict.detail().map(str::to_owned)).flatten();
        dispatch.release_permit(CallResult::of(&verdict), verdict.detail());
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

    /// Waits for the permit of an order whose begin is stored, and returns when it was, or why the order must not be sent; `None` if
    /// the begin had to be stored once more, and was not.
    async fn permitted(
        &self,
        order: &Order,
        dispatch: &mut Dispatch,
        begun: PointInTime,
    ) -> Option<Result<PointInTime, HeldUp>> {
        if !dispatch.has_permit() {
            let waiting = trace::child("wait for permit", SpanKind::Internal);
            if let Err(held_up) = waiting.enclose(dispatch.take_permit(&self.stopping)).await {
                return Some(Err(held_up));
            }
        }
        if self.lease_age(begun) <= MAX_LEASE_AGE_AFTER_WAIT {
            return Some(dispatch.may_be_sent().map(|()| begun));
        }
        let begun = self.record_begin(order).await?;
        Some(begun.and_then(|begun| dispatch.may_be_sent().map(|()| begun)))
    }

    /// Sends an order that has a permit. Nothing is dispatched as long as no token can be fetched.
    async fn send_with_permit(&self, order: &Order, begun: PointInTime) -> Sent {
        let clock = &self.dependencies.clock;
        self.holds.remove(&order.id);
        self.report(Event::AttemptBegan(order));
        let began_at = clock.moment();
        let sent = self.send(order, begun).await;
        if let Verdict::Deferred { wait, .. } = &sent.verdict {
            self.dispatcher.pause_until(clock.moment().after(*wait));
        }
        Sent { took: clock.moment().since(began_at), ..sent }
    }

    /// Stores that an attempt begins, and returns when, or that the service stops; `None` if the ledger does not have it, as far as
    /// can be told.
    async fn record_begin(&self, order: &Order) -> Option<Result<PointInTime, HeldUp>> {
        let clock = self.dependencies.clock.as_ref();
        loop {
            let before = PointInTime::now(clock);
            let mut stored = trace::child("store begin", SpanKind::Internal);
            let write = stored.enclose(self.retrying_ledger.store(order, &self.stopping)).await;
            spans::describe_write(&mut stored, &write);
            drop(stored);
            match write {
                Write::Done(Stored::Superseded) | Write::GivenUp => return None,
                Write::Refused(reason) => {
                    self.report(Event::Unwritable { part: UnwritablePart::Begin, order, reason: &reason });
                    return None;
                }
                Write::Done(Stored::Committed) if self.stopping.is_cancelled() => return Some(Err(HeldUp::STOP)),
                Write::Done(Stored::Committed) if self.lease_age(before) <= MAX_LEASE_AGE_AT_SEND => {
                    return Some(Ok(PointInTime::now(clock)));
                }
                Write::Done(Stored::Committed) => {
                    self.report(Event::BeginRepeated(order));
                    if self.retrying_ledger.pause(&self.stopping).await.is_none() {
                        return Some(Err(HeldUp::STOP));
                    }
                }
            }
        }
    }

    /// The age that a lease may have that was asked for at a time: a host may have slept since. None where nobody else would
    /// take the order over.
    fn lease_age(&self, since: PointInTime) -> Duration {
        match self.dependencies.ledger.sharing() {
            Sharing::Exclusive => Duration::ZERO,
            Sharing::Shared => since.longest_elapsed(self.dependencies.clock.as_ref()),
        }
    }

    /// Sends the order; in doubt, 11VMS is asked for it first. All calls together take no longer than an attempt may, and
    /// the order is not sent if the host has slept for so long meanwhile: its lease may have ended.
    async fn send(&self, order: &Order, begun: PointInTime) -> Sent {
        let limit = self.dependencies.clock.moment().after(self.dependencies.attempt_limit);
        let rules = &self.dependencies.response_rules;
        let was_absent = match self.ask_first(order, limit).await {
            None => false,
            Some(LookUpResult::Absent) if order.was_acknowledged() && rules.repetition == Repetition::SecondOrder => {
                return Sent::of(acknowledged_but_not_shown());
            }
            Some(LookUpResult::Absent) => true,
            Some(LookUpResult::Found(verdict) | LookUpResult::Inconclusive(verdict)) => return Sent::of(verdict),
        };
        let clock = self.dependencies.clock.as_ref();
        let left = self.dependencies.attempt_limit.saturating_sub(self.lease_age(begun));
        let limit = limit.min(clock.moment().after(left));
        let send_limit = (self.dependencies.ledger.sharing() == Sharing::Shared)
            .then_some(SendLimit { since: begun, longest: self.dependencies.attempt_limit });
        let answer = if let Some(not_sent) = send_limit.and_then(|limit| limit.passed(clock)) {
            not_sent
        } else {
            tokio::select! {
                biased;
                () = clock.sleep_until(limit) => CallOutcome::Lost(self.cut_off()),
                answer = self.dependencies.vms.create(order, send_limit) => answer,
            }
        };
        Sent { was_absent, ..self.read_answer(order, answer, limit).await }
    }

    /// Looks an order in doubt up; `None` if the order may be sent without.
    async fn ask_first(&self, order: &Order, limit: Moment) -> Option<LookUpResult> {
        let guard = self.dependencies.policy.guard;
        // A key protects a request that this ledger knows; one before a restore may have had another content.
        if order.doubt == Doubt::None || !(guard.looks_up() || order.restored_from.is_some()) {
            return None;
        }
        let answer = self.look_up_until(order, limit).await;
        if let CallOutcome::Deferred { detail, wait } = answer {
            return Some(LookUpResult::Inconclusive(Verdict::Deferred { detail, wait }));
        }
        if let CallOutcome::NotSent(detail) | CallOutcome::Lost(detail) = answer {
            let detail = format!("look-up: {detail}");
            return Some(LookUpResult::Inconclusive(Verdict::LookUpLost { detail }));
        }
        // An 11VMS that has no look-up has the key, which it knows as long as the order may come again.
        let has_no_look_up =
            matches!(&answer, CallOutcome::Answered(answer) if matches!(answer.status, 404 | 405 | 501));
        let names = OrderNames { id: &order.id, cart_number: &order.cart_number };
        match read_look_up(answer, names, &self.dependencies.response_rules) {
            LookUpResult::Inconclusive(_) if has_no_look_up && !guard.looks_up() => None,
            result => {
                if result == LookUpResult::Absent {
                    // 11VMS responds: whatever becomes of this order, others need not wait for it.
                    self.dispatcher.record_success();
                }
                Some(result)
            }
        }
    }

    async fn look_up_until(&self, order: &Order, limit: Moment) -> CallOutcome {
        tokio::select! {
            biased;
            () = self.dependencies.clock.sleep_until(limit) => CallOutcome::Lost(self.cut_off()),
            answer = self.dependencies.vms.look_up(order) => answer,
        }
    }

    /// Reads the answer to an order that was sent. Where a profile says so, 11VMS is asked for its number.
    async fn read_answer(&self, order: &Order, answer: CallOutcome, limit: Moment) -> Sent {
        let rules = &self.dependencies.response_rules;
        let names = OrderNames { id: &order.id, cart_number: &order.cart_number };
        if !needs_look_up(&answer, names, rules) {
            return Sent::of(read_create(answer, names, rules));
        }
        let is_success = is_success(&answer, rules);
        let look_up = self.look_up_until(order, limit).await;
        let verdict = read_create_with_look_up(answer, look_up, names, rules);
        let is_acknowledged = is_success && verdict.outcome() == Outcome::Unknown;
        Sent { is_acknowledged, ..Sent::of(verdict) }
    }

    fn cut_off(&self) -> String {
        format!("cut off after {} s", self.dependencies.attempt_limit.as_secs_f64())
    }

    /// Has an order queued at a moment.
    pub(super) fn queue_at(&self, moment: Moment, id: &OrderId, ticket: Ticket) {
        self.holds.queue_at(moment, id, ticket);
        self.due_timer.set(moment);
    }
}

//! Deliberate defects, each of which a simulation must find. The relay reaches the world through its ledger, its 11VMS and
//! its policy alone, so the behaviour of a relay with such a defect is imitated there.

/// A mistake that a relay could make, and that others have made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The order counts as created before it is sent.
    SettledBeforeSent,
    /// After an unknown outcome the order is sent again without a look-up.
    ResentWithoutLookUp,
    /// A failed attempt removes the record, as a lock or an idempotency key is released.
    ReleasedOnFailure,
    /// An attempt is made without its begin in the ledger.
    BeginNotRecorded,
    /// The repeated write of an admission with its first attempt takes the place of whatever is there.
    RepeatTakesPlace,
    /// Callers are answered before the ledger has the outcome, which may never arrive there.
    AnsweredBeforeSettled,
    /// The look-up comes before 11VMS can find the order.
    AskedTooEarly,
    /// A replica takes over orders that another one is sending.
    LeasesIgnored,
    /// A retry comes before its time.
    Hurried,
    /// Waits, ages and deadlines count on the wall clock.
    WaitsByWallClock,
    /// A next attempt whose stored time is too far away is left there.
    FarTimesKept,
    /// A read that shows less than was written is believed.
    LaggingReadsBelieved,
    /// The write of an outcome that the ledger can't hold is repeated for ever.
    RefusedRecordRepeated,
    /// An answer whose body breaks off counts as no answer.
    BrokenAnswerIgnored,
    /// An entry of a look-up counts whatever id it has.
    StrangersTaken,
    /// A look-up without an answer uses up a retry.
    LostLookUpCounts,
    /// An attempt for which there was no token, because the token endpoint throttles, counts as one.
    DeferralCounts,
    /// A ledger that was restored is taken for complete.
    RestoreIgnored,
    /// What goes on as soon as its machine wakes does not know for how long that has slept.
    SleepUnnoticed,
    /// What others should hear of a change is stored after it, and may never be.
    EventStoredApart,
    /// A message leaves the outbox before it is delivered.
    EventForgotten,
    /// A message does not wait for the earlier ones about the same order.
    EventsOvertake,
}

impl Defect {
    /// Parts of the violations by which a simulation may find the defect.
    pub const fn symptoms(self) -> &'static [&'static str] {
        match self {
            Self::SettledBeforeSent => &["which 11VMS does not have", "created became", "which is not so"],
            Self::ResentWithoutLookUp | Self::RestoreIgnored => &["11VMS has two orders"],
            Self::LeasesIgnored => &[
                "11VMS has two orders",
                "sent without a lease",
                "asked before the grace has passed",
                "not ordered at once",
            ],
            // Who sends late is not known to others: they then ask too early.
            Self::SleepUnnoticed => {
                &["11VMS has two orders", "sent without a lease", "asked before the grace has passed"]
            }
            Self::ReleasedOnFailure => &["11VMS has two orders", "lost", "which the ledger does not have"],
            Self::BeginNotRecorded => &["sent without a record in the ledger"],
            Self::RepeatTakesPlace => &["the cart of another order is kept", "became", "lost", "sent without a record"],
            Self::AnsweredBeforeSettled => &["which the ledger does not have"],
            Self::AskedTooEarly => &["asked before the grace has passed"],
            Self::Hurried => &["an attempt begins before its time", "asked before the grace has passed"],
            Self::WaitsByWallClock => {
                &["answered after the deadline", "asked before the grace has passed", "not ordered at once", ": still "]
            }
            Self::FarTimesKept => &[": still retrying"],
            Self::LaggingReadsBelieved => &["not ordered at once"],
            // Retrying, where another process has taken it over meanwhile.
            Self::RefusedRecordRepeated => {
                &[": still forwarding", "not ordered at once: forwarding", "not ordered at once: retrying"]
            }
            Self::BrokenAnswerIgnored => &["an attempt begins before its time"],
            Self::StrangersTaken => &["which 11VMS does not have", "which is not so"],
            Self::LostLookUpCounts => &["a lost look-up uses up a retry"],
            Self::DeferralCounts => &["throttling uses up an attempt"],
            Self::EventStoredApart => &["others did not hear of it", "others heard of it in another order"],
            Self::EventForgotten => &["others did not hear of it"],
            Self::EventsOvertake => &["others heard of it in another order"],
        }
    }

    pub const ALL: [Self; 22] = [
        Self::SettledBeforeSent,
        Self::ResentWithoutLookUp,
        Self::ReleasedOnFailure,
        Self::BeginNotRecorded,
        Self::RepeatTakesPlace,
        Self::AnsweredBeforeSettled,
        Self::AskedTooEarly,
        Self::LeasesIgnored,
        Self::Hurried,
        Self::WaitsByWallClock,
        Self::FarTimesKept,
        Self::LaggingReadsBelieved,
        Self::RefusedRecordRepeated,
        Self::BrokenAnswerIgnored,
        Self::StrangersTaken,
        Self::LostLookUpCounts,
        Self::DeferralCounts,
        Self::RestoreIgnored,
        Self::SleepUnnoticed,
        Self::EventStoredApart,
        Self::EventForgotten,
        Self::EventsOvertake,
    ];
}

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
    /// Callers are answered before the ledger has the outcome, which may never arrive there.
    AnsweredBeforeSettled,
    /// The look-up comes before 11VMS can find the order.
    AskedTooEarly,
    /// A replica takes over orders that another one is sending.
    LeasesIgnored,
    /// A retry comes before its time.
    Hurried,
}

impl Defect {
    /// Parts of the violations by which a simulation may find the defect.
    pub const fn symptoms(self) -> &'static [&'static str] {
        match self {
            Self::SettledBeforeSent => &["which 11VMS does not have", "created became", "which is not so"],
            Self::ResentWithoutLookUp => &["11VMS has two orders"],
            Self::LeasesIgnored => &["11VMS has two orders", "sent without a lease"],
            Self::ReleasedOnFailure => &["11VMS has two orders", "lost", "which the ledger does not have"],
            Self::BeginNotRecorded => &["sent without a record in the ledger"],
            Self::AnsweredBeforeSettled => &["which the ledger does not have"],
            Self::AskedTooEarly | Self::Hurried => &["an attempt begins before its time"],
        }
    }

    pub const ALL: [Self; 8] = [
        Self::SettledBeforeSent,
        Self::ResentWithoutLookUp,
        Self::ReleasedOnFailure,
        Self::BeginNotRecorded,
        Self::AnsweredBeforeSettled,
        Self::AskedTooEarly,
        Self::LeasesIgnored,
        Self::Hurried,
    ];
}

//! Deliberate defects. The relay touches the world at its ledger, its 11VMS and its policy alone, so what a relay with
//! such a defect would do differently is done there.

/// A mistake that a relay could make, and that others have made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The order counts as created before it is sent.
    SettledBeforeSent,
    /// After an unknown outcome the order is sent again, and 11VMS is not asked.
    ResentWithoutLookUp,
    /// A failed attempt removes the record, as a lock or an idempotency key is released.
    ReleasedOnFailure,
    /// An attempt is made whose begin is not in the ledger.
    BeginNotRecorded,
    /// Callers are told an outcome that the ledger may never get.
    AnsweredBeforeSettled,
    /// 11VMS is asked before it can know.
    AskedTooEarly,
    /// A replica takes orders over that another one is just sending.
    LeasesIgnored,
    /// A retry comes before its time.
    Hurried,
}

impl Defect {
    /// What a simulation that finds it says; any of these.
    pub const fn shows(self) -> &'static [&'static str] {
        match self {
            Self::SettledBeforeSent => &["which 11VMS does not have", "created became", "which is not so"],
            Self::ResentWithoutLookUp => &["11VMS has two orders"],
            Self::LeasesIgnored => &["11VMS has two orders", "sent without a lease"],
            Self::ReleasedOnFailure => &["11VMS has two orders", "lost", "which the ledger does not have"],
            Self::BeginNotRecorded => &["sent, and the ledger does not know it"],
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

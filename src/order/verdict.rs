//! What an attempt came to. Pure.

use std::time::Duration;

use serde_json::Value;

use super::state::Outcome;

/// The meaning of an attempt for its order.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The order exists in 11VMS.
    Created {
        /// 11VMS's number for the order.
        number: String,
        /// The HTTP status of the response.
        status: u16,
        /// The response's body.
        answer: Option<Value>,
        /// Whether the look-up found the order.
        found: bool,
        /// The number of further orders that the look-up showed.
        duplicates: usize,
    },
    /// 11VMS refused the order for good.
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The response's body.
        answer: Option<Value>,
        /// What happened, for people.
        detail: String,
    },
    /// The order was certainly not created: sending again is safe.
    NotDone {
        /// The HTTP status, if there was a response.
        status: Option<u16>,
        /// The response's body.
        answer: Option<Value>,
        /// What happened, for people.
        detail: String,
        /// The delay that 11VMS asked for.
        retry_after: Option<Duration>,
    },
    /// The order may exist in 11VMS.
    Unknown {
        /// The HTTP status, if there was a response.
        status: Option<u16>,
        /// The response's body.
        answer: Option<Value>,
        /// What happened, for people.
        detail: String,
        /// The delay that 11VMS asked for.
        retry_after: Option<Duration>,
    },
    /// Nothing was done, because there is no token and the token endpoint wants to be left alone, or because everything was held
    /// up when the order's turn came: it was no attempt.
    Deferred {
        /// What happened, for people.
        detail: String,
        /// How long that lasts at least.
        wait: Duration,
    },
    /// The look-up before the order got no answer, so nothing was sent: the order is in doubt as before.
    LookUpLost {
        /// What happened, for people.
        detail: String,
    },
}

impl Verdict {
    /// The attempt's outcome.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Created { found: true, .. } => Outcome::Found,
            Self::Created { .. } => Outcome::Created,
            Self::Rejected { .. } => Outcome::Rejected,
            Self::NotDone { .. } | Self::Deferred { .. } => Outcome::NotDone,
            Self::Unknown { .. } | Self::LookUpLost { .. } => Outcome::Unknown,
        }
    }

    /// The HTTP status, if 11VMS responded.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Created { status, .. } | Self::Rejected { status, .. } => Some(*status),
            Self::NotDone { status, .. } | Self::Unknown { status, .. } => *status,
            Self::Deferred { .. } | Self::LookUpLost { .. } => None,
        }
    }

    /// The same, with an addition to what happened.
    #[must_use]
    pub fn with_detail(mut self, addition: &str) -> Self {
        match &mut self {
            Self::Created { .. } => {}
            Self::Rejected { detail, .. }
            | Self::NotDone { detail, .. }
            | Self::Unknown { detail, .. }
            | Self::Deferred { detail, .. }
            | Self::LookUpLost { detail } => detail.push_str(addition),
        }
        self
    }

    /// Why there was no attempt, for people; `None` if there was one.
    pub fn deferral(&self) -> Option<&str> {
        if let Self::Deferred { detail, .. } = self { Some(detail) } else { None }
    }

    /// What happened, for people; `None` for a created order.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Created { .. } => None,
            Self::Rejected { detail, .. }
            | Self::NotDone { detail, .. }
            | Self::Unknown { detail, .. }
            | Self::Deferred { detail, .. }
            | Self::LookUpLost { detail } => Some(detail),
        }
    }
}

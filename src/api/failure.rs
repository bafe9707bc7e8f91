//! Failures of other rooms as problems: what the caller may know of them, and when to try again.

use axum::http::{HeaderValue, header};

use crate::auth::AuthError;
use crate::cart::CartError;
use crate::intake::OneCartError;
use crate::ledger::LedgerError;
use crate::message::{Message, MessageCode, Severity};
use crate::problem::{Problem, ProblemKind, RETRY_LATER};

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = error.to_string();
        match error {
            AuthError::Missing => challenge(ProblemKind::INVALID_TOKEN, &detail, ""),
            AuthError::Invalid(why) => challenge(
                ProblemKind::INVALID_TOKEN,
                &detail,
                &format!(", error=\"invalid_token\", error_description=\"{why}\""),
            ),
            // The names are in the log.
            AuthError::OtherIssuer { .. } => challenge(
                ProblemKind::INVALID_TOKEN,
                &detail,
                &format!(", error=\"invalid_token\", error_description=\"{detail}\""),
            ),
            AuthError::InsufficientScope(scope) => {
                let error = format!(", error=\"insufficient_scope\", scope=\"{}\"", scope.replace(['"', '\\'], ""));
                challenge(ProblemKind::INSUFFICIENT_SCOPE, &detail, &error)
            }
            AuthError::IssuerUnavailable(unavailable) => {
                // The log of the fetch has the issuer's address and its failure; this caller is not authenticated.
                let detail = "The token's issuer can't be asked now; the token was not checked.";
                Self::new(ProblemKind::ISSUER_UNAVAILABLE, detail)
                    .retry_after(unavailable.retry_after.unwrap_or(RETRY_LATER))
            }
        }
    }
}

/// A problem with the challenge `WWW-Authenticate` (RFC 6750 §3).
fn challenge(kind: ProblemKind, detail: &str, error: &str) -> Problem {
    let value = format!("Bearer realm=\"purchase-order-webhook\"{error}");
    let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("Bearer"));
    Problem::new(kind, detail).header(header::WWW_AUTHENTICATE, value)
}

impl From<CartError> for Problem {
    fn from(error: CartError) -> Self {
        match error {
            CartError::Malformed { line, column, detail } => {
                let text = format!("line {line}, column {column}: {detail}");
                Self::new(ProblemKind::MALFORMED_JSON, text).position(line, column)
            }
            CartError::Invalid(mistakes) => invalid_cart(mistakes),
        }
    }
}

impl From<OneCartError> for Problem {
    fn from(error: OneCartError) -> Self {
        let detail = match error {
            OneCartError::Cart(error) => return error.into(),
            OneCartError::Empty | OneCartError::Incomplete(_) => error.to_string(),
            OneCartError::Several => {
                format!("{error}; send several to /v2/purchase-orders/batch, which has a result for each")
            }
        };
        invalid_cart(vec![Message::new(MessageCode::Section, detail)])
    }
}

/// The problem of a cart with mistakes: all of them in one answer, and its warnings with them.
pub fn invalid_cart(mistakes: Vec<Message>) -> Problem {
    let mut errors = mistakes.iter().filter(|message| message.severity == Severity::Error);
    let detail = match (errors.next(), errors.count()) {
        (Some(only), 0) => only.message.clone(),
        (_, more) => format!("The cart has {} mistakes; messages lists them all.", more + 1),
    };
    Problem::new(ProblemKind::INVALID_CART, detail).with_messages(mistakes)
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        // The ledger reports its own failures; the caller learns what they mean for its cart.
        let detail = match &error {
            LedgerError::Unavailable(_) => {
                "The ledger can't be used now; nothing was sent to 11VMS for this request. Sending it again is safe."
            }
            LedgerError::Locked(_) => {
                "Another session of the ledger's database has locked this order; nothing was sent to 11VMS for this request. Sending it again is safe."
            }
            LedgerError::TimedOut => {
                "The ledger has not answered in time. Whether it has recorded this can't be told; sending it again is safe."
            }
            LedgerError::Unwritable(reason) => {
                let detail =
                    format!("The ledger can't store this, and nothing was sent to 11VMS for this request: {reason}");
                return Self::new(ProblemKind::INVALID_CART, detail);
            }
            LedgerError::Unreadable { id, .. } => {
                let detail =
                    format!("The record of the order {id} can't be read: an operator has to look into the log.");
                return Self::new(ProblemKind::INTERNAL_ERROR, detail).order(id);
            }
        };
        Self::new(ProblemKind::LEDGER_UNAVAILABLE, detail).retry_after(RETRY_LATER)
    }
}

/// The problem of a body over `limit` bytes, compressed or not.
pub fn too_large(limit: usize) -> Problem {
    Problem::new(ProblemKind::TOO_LARGE, format!("the body is larger than {limit} bytes"))
}

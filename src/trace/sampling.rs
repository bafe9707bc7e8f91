//! Which new traces are recorded.

/// The part of new traces that is recorded, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling(pub f64);

impl Sampling {
    /// Decides by the trace's id, so that every process of the same ratio decides alike.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a ratio of all ids: the last bits decide nothing"
    )]
    pub(super) fn takes(self, trace_id: &[u8; 16]) -> bool {
        let bound = (self.0.clamp(0.0, 1.0) * (1_u64 << 63) as f64) as u64;
        // The right half is the random one in every generator of ids.
        let low = u128::from_be_bytes(*trace_id) as u64;
        (low >> 1) < bound
    }
}

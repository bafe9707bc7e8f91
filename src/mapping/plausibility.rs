//! The setting `mapping.plausibility`.

/// What becomes of a cart whose figures contradict each other (`mapping.plausibility`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plausibility {
    /// It is ordered, with warnings.
    #[default]
    Warn,
    /// It is refused.
    Refuse,
    /// Nobody looks.
    Off,
}

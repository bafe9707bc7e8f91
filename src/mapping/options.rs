//! The settings of `[mapping]` that decide what a folder's mapping does.

use super::currency::Amounts;
use super::plausibility::Plausibility;
use super::sheet::IdField;
use crate::cart::Name;

/// What becomes of a folder whose examples differ (`mapping.examples`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DifferingExamples {
    /// It is refused whole.
    #[default]
    Refuse,
    /// It is used, and every order has a warning.
    Warn,
}

/// How a folder is compiled and used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingOptions {
    /// How senders write amounts.
    pub amounts: Amounts,
    /// What becomes of a cart whose figures contradict each other.
    pub plausibility: Plausibility,
    /// The header's field that names the system of a cart without GUID and LOGSYS.
    pub system_field: Option<Name>,
    /// What becomes of a folder whose examples differ.
    pub examples: DifferingExamples,
    /// The field of an order by which 11VMS finds it again, as the profile in `[target]` says.
    pub id_field: IdField,
}

/// As the settings are where none is set.
impl Default for MappingOptions {
    fn default() -> Self {
        Self {
            amounts: Amounts::Unshifted,
            plausibility: Plausibility::default(),
            system_field: None,
            examples: DifferingExamples::default(),
            id_field: IdField::default(),
        }
    }
}

//! `target.profile`: the name of a profile.

use crate::config::reader::Reader;

/// The values of `target.profile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileName {
    /// Orders are created by POST, and searched by their external id.
    ElevenVms,
    /// A record is upserted by its external id, and read by it.
    Salesforce,
}

impl ProfileName {
    /// Reads the value.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        reader.choice("target.profile", "11vms", &[("11vms", Self::ElevenVms), ("salesforce", Self::Salesforce)])
    }
}

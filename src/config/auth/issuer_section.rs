//! The section of one issuer: `[auth]`, or the same inside of one of `[[auth.issuers]]`.

/// The list of further issuers.
pub const FURTHER: &str = "auth.issuers";

/// Where the settings of an issuer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerSection {
    /// In `[auth]`.
    First,
    /// In the entry of `[[auth.issuers]]` with this number, from 1.
    Further(usize),
}

impl IssuerSection {
    /// The dotted key of a setting that `[auth]` has.
    pub fn of(self, key: &str) -> String {
        match (self, key.strip_prefix("auth")) {
            (Self::Further(number), Some(rest)) => format!("{FURTHER}.{number}{rest}"),
            _ => key.to_owned(),
        }
    }
}

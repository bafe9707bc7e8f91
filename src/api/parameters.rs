//! The parameters of a list's address: each at most once, and those that SAP's clients add left out.

use crate::message::quoted;
use crate::problem::{Problem, ProblemKind};

/// Rows on a page unless `limit` says otherwise.
pub const DEFAULT_PAGE: usize = 50;

/// Largest `limit`, which bounds the answer.
const MAX_PAGE: usize = 200;

/// Parameters that SAP's clients and gateways add to every address; no route has a use for them. They are known in any
/// case: URLs are typed into destinations by hand.
const IGNORED: [&str; 4] = ["sap-client", "sap-language", "saml2", "$format"];

/// A parameter that a route has to know.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, decoded.
    pub value: &'a str,
}

impl Parameter<'_> {
    /// The problem of its value.
    pub fn wrong(self, expected: &str) -> Problem {
        invalid(&format!("{} is {}; expected {expected}", self.name, quoted(self.value)))
    }

    /// The problem of a name that the route does not know.
    pub fn unknown(self, expected: &str) -> Problem {
        invalid(&format!("{} is unknown; expected {expected}", self.name))
    }

    /// Its value as the length of a page.
    ///
    /// # Errors
    /// Unless it is a whole number from 1 to 200.
    pub fn page_length(self) -> Result<usize, Problem> {
        let length = self.value.parse().ok().filter(|length| (1..=MAX_PAGE).contains(length));
        length.ok_or_else(|| self.wrong("a whole number from 1 to 200"))
    }
}

/// The parameters that a route has to know, of all that the address has.
///
/// # Errors
/// If one is there twice: whichever were taken, its sender may have meant the other.
pub fn known_once(pairs: &[(String, String)]) -> Result<Vec<Parameter<'_>>, Problem> {
    let mut found: Vec<Parameter<'_>> = Vec::with_capacity(pairs.len());
    for (name, value) in pairs.iter().filter(|(name, _)| !is_ignored(name)) {
        if found.iter().any(|earlier| earlier.name == name) {
            return Err(invalid(&format!("{name} is given more than once; expected one value")));
        }
        found.push(Parameter { name, value });
    }
    Ok(found)
}

fn is_ignored(name: &str) -> bool {
    IGNORED.iter().any(|ignored| ignored.eq_ignore_ascii_case(name))
}

fn invalid(detail: &str) -> Problem {
    Problem::new(ProblemKind::INVALID_PARAMETER, detail)
}

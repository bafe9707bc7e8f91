//! What a token permits: by its scopes, or by the client that it was issued to.

use super::claims::Claims;
use crate::config::{Auth, Scopes};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Send carts.
    Write,
    /// Read orders.
    Read,
    /// Settle orders by hand.
    Operate,
}

impl Permission {
    const ALL: [Self; 3] = [Self::Write, Self::Read, Self::Operate];

    /// All permissions that a token grants.
    pub(super) fn granted_by(claims: &Claims, settings: &Auth) -> Vec<Self> {
        let places = settings.scopes.claims.iter();
        let scopes: Vec<&str> = places.flat_map(|place| claims.scopes(place)).collect();
        let client_id = claims.client_id();
        let granted = |permission: &Self| {
            scopes.contains(&permission.scope(&settings.scopes).as_str())
                || client_id.is_some_and(|id| permission.clients(settings).iter().any(|client| client == id))
        };
        Self::ALL.into_iter().filter(granted).collect()
    }

    /// The name of the scope that grants it.
    pub(super) const fn scope(self, names: &Scopes) -> &String {
        match self {
            Self::Write => &names.write,
            Self::Read => &names.read,
            Self::Operate => &names.operate,
        }
    }

    /// The clients that have it without the scope.
    const fn clients(self, settings: &Auth) -> &Vec<String> {
        match self {
            Self::Write => &settings.clients.write,
            Self::Read => &settings.clients.read,
            Self::Operate => &settings.clients.operate,
        }
    }
}

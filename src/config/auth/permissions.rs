//! `[auth.scopes]` and `[auth.clients]`: the three permissions, by scope or by client.

use crate::config::reader::Reader;
use crate::config::units;

/// The names of the scopes.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// The claim that contains them.
    pub claim: String,
    /// Permits to send carts.
    pub write: String,
    /// Permits to read orders.
    pub read: String,
    /// Permits to replay orders and to settle them by hand.
    pub operate: String,
}

/// Clients that have a permission without its scope, for issuers whose tokens have none (IAS).
#[derive(Debug, Clone)]
pub struct Clients {
    /// May send carts.
    pub write: Vec<String>,
    /// May read orders.
    pub read: Vec<String>,
    /// May replay orders and settle them by hand.
    pub operate: Vec<String>,
}

impl Scopes {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let claim = reader.text_or("auth.scopes.claim", "scope");
        let mut scope = |key, default| reader.value_or(key, default, "one scope, without blanks", units::scope);
        let write = scope("auth.scopes.write", "purchase-orders.write");
        let read = scope("auth.scopes.read", "purchase-orders.read");
        let operate = scope("auth.scopes.operate", "purchase-orders.operate");
        Some(Self { claim: claim?, write: write?, read: read?, operate: operate? })
    }
}

impl Clients {
    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let mut clients = |key| reader.list(key, &[], "clients' ids, none of them empty", units::text);
        let write = clients("auth.clients.write");
        let read = clients("auth.clients.read");
        let operate = clients("auth.clients.operate");
        Some(Self { write: write?, read: read?, operate: operate? })
    }
}

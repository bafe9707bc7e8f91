//! `[auth.scopes]` and `[auth.clients]`: the three permissions, by scope or by client.

use super::issuer_section::IssuerSection;
use crate::config::reader::Reader;
use crate::config::units;

/// The names of the scopes.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// The places of a token where they are: names of claims, or JSON pointers (RFC 6901) into them.
    pub claims: Vec<String>,
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
    /// Reads the section inside of an issuer's.
    pub fn from_reader(reader: &mut Reader, keys: IssuerSection) -> Option<Self> {
        let claims = reader.non_empty_list(
            &keys.of("auth.scopes.claim"),
            &["scope"],
            "names of claims, or JSON pointers such as /realm_access/roles",
            place,
        );
        let mut scope =
            |key, default| reader.value_or(&keys.of(key), default, "one scope, without blanks", units::scope);
        let write = scope("auth.scopes.write", "purchase-orders.write");
        let read = scope("auth.scopes.read", "purchase-orders.read");
        let operate = scope("auth.scopes.operate", "purchase-orders.operate");
        Some(Self { claims: claims?, write: write?, read: read?, operate: operate? })
    }
}

fn place(text: &str) -> Option<String> {
    if text.starts_with('/') { units::json_pointer(text) } else { units::text(text) }
}

impl Clients {
    /// Reads the section inside of an issuer's.
    pub fn from_reader(reader: &mut Reader, keys: IssuerSection) -> Option<Self> {
        let mut clients = |key| reader.list(&keys.of(key), &[], "clients' ids, none of them empty", units::text);
        let write = clients("auth.clients.write");
        let read = clients("auth.clients.read");
        let operate = clients("auth.clients.operate");
        Some(Self { write: write?, read: read?, operate: operate? })
    }

    /// Whether none is named.
    pub const fn is_empty(&self) -> bool {
        self.write.is_empty() && self.read.is_empty() && self.operate.is_empty()
    }
}

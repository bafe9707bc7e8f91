//! What a token has to have to be accepted, as people who ask for one need it.

use crate::config::Auth;

/// The tokens of one issuer.
#[derive(Debug, Clone)]
pub struct AcceptedTokens {
    /// `iss`
    pub issuer: String,
    /// `aud` has one of these.
    pub audiences: Vec<String>,
    /// The scope that permits to send carts.
    pub write: String,
    /// The scope that permits to read orders.
    pub read: String,
    /// The scope that permits to settle orders by hand.
    pub operate: String,
}

impl AcceptedTokens {
    /// Reads what is public of an issuer's settings.
    pub fn of(auth: &Auth) -> Self {
        Self {
            issuer: auth.issuer.clone(),
            audiences: auth.audience.clone(),
            write: auth.scopes.write.clone(),
            read: auth.scopes.read.clone(),
            operate: auth.scopes.operate.clone(),
        }
    }
}

//! The bearer of a verified token: its identity, its permissions, and the certificate that it must present.

use jiff::Timestamp;

use super::claims::{Binding, Claims};
use super::error::AuthError;
use super::permission::Permission;
use super::thumbprint::Thumbprint;
use crate::config::{Auth, Scopes};

/// Most characters of a caller's name in a record: room for two long ids, and none for a flood.
const MAX_NAME_CHARS: usize = 200;

/// The bearer of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `client_id`, else `azp`, `cid` or `sub`.
    pub client_id: String,
    /// `sub`: the person, if the token was issued for one.
    subject: Option<String>,
    permissions: Vec<Permission>,
    /// The client certificate that the token is bound to.
    certificate: Option<Thumbprint>,
    /// From this time on the token is not valid, `auth.leeway` included.
    pub(super) expires_at: Timestamp,
}

impl Caller {
    /// The caller that accepted claims describe.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if the token is bound to anything but a client certificate.
    pub(super) fn from_claims(claims: &Claims, settings: &Auth, expires_at: Timestamp) -> Result<Self, AuthError> {
        let certificate = match claims.binding() {
            Binding::None => None,
            Binding::Certificate(thumbprint) => Some(thumbprint),
            Binding::Other => {
                return Err(AuthError::Invalid("the token is bound to a key in a way that is not known here"));
            }
        };
        let subject = claims.text("sub").map(str::to_owned);
        let client_id = claims.client_id().map(str::to_owned).or_else(|| subject.clone()).unwrap_or_default();
        let permissions = Permission::granted_by(claims, settings);
        Ok(Self { client_id, subject, permissions, certificate, expires_at })
    }

    /// The caller's name in records: the subject, and the client that it uses; at most 200 characters.
    pub fn name(&self) -> String {
        let name = match &self.subject {
            Some(subject) if *subject != self.client_id => format!("{subject} ({})", self.client_id),
            _ => self.client_id.clone(),
        };
        let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
        if name.is_empty() { "a token that names nobody".to_owned() } else { name }
    }

    /// Checks a permission.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] with the scope's name.
    pub fn require(&self, permission: Permission, names: &Scopes) -> Result<(), AuthError> {
        if self.permissions.contains(&permission) {
            Ok(())
        } else {
            Err(AuthError::InsufficientScope(permission.scope(names).clone()))
        }
    }

    /// Checks the certificate of the connection: a token that is bound to a certificate is valid only with it (RFC 8705
    /// §3).
    pub(super) fn check_certificate(&self, presented: Option<&Thumbprint>) -> Result<(), AuthError> {
        match (&self.certificate, presented) {
            (None, _) => Ok(()),
            (Some(expected), Some(presented)) if expected.matches(presented) => Ok(()),
            (Some(_), Some(_)) => Err(AuthError::Invalid("the token is bound to another client certificate")),
            (Some(_), None) => {
                Err(AuthError::Invalid("the token is bound to a client certificate, and none was shown"))
            }
        }
    }
}

//! The bearer of a verified token: its identity, its permissions, and the certificate that it must present.

use std::sync::Arc;

use jiff::Timestamp;

use super::claims::{Binding, Claims};
use super::error::AuthError;
use super::permission::Permission;
use super::thumbprint::Thumbprint;
use crate::config::{Auth, Scopes};

/// Most characters of a caller's name in a record: room for two long ids, and none for a flood.
const MAX_NAME_CHARS: usize = 200;

/// The names that one issuer's callers have in common.
#[derive(Debug)]
pub struct IssuerNames {
    /// The scope of each permission.
    pub scopes: Scopes,
    /// The issuer, where there are several: each names its clients as it likes.
    pub issuer: Option<String>,
}

/// The bearer of a verified token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `client_id`, else `azp`, `cid`, `appid` or `sub`; where there are several issuers, followed by ` @ ` and the issuer.
    pub client_id: String,
    /// `sub`: the person, if the token was issued for one.
    subject: Option<String>,
    permissions: Vec<Permission>,
    names: Arc<IssuerNames>,
    /// The client certificate that the token is bound to.
    certificate: Option<Thumbprint>,
    /// From this time on the token is not valid, `auth.leeway` included.
    pub(super) expires_at: Timestamp,
}

impl IssuerNames {
    /// A client's name that no client of another issuer has. The issuer comes last: nothing that a client may choose follows it.
    fn qualified(&self, client: &str) -> String {
        match &self.issuer {
            Some(issuer) if !client.is_empty() => format!("{client} @ {issuer}"),
            _ => client.to_owned(),
        }
    }

    fn unqualified<'n>(&self, client: &'n str) -> &'n str {
        let issuer = self.issuer.as_deref();
        issuer.and_then(|issuer| client.strip_suffix(issuer)?.strip_suffix(" @ ")).unwrap_or(client)
    }
}

impl Caller {
    /// The caller that accepted claims describe.
    ///
    /// # Errors
    /// [`AuthError::Invalid`] if the token is bound to anything but a client certificate.
    pub(super) fn from_claims(
        claims: &Claims,
        settings: &Auth,
        names: &Arc<IssuerNames>,
        expires_at: Timestamp,
    ) -> Result<Self, AuthError> {
        let certificate = match claims.binding() {
            Binding::None => None,
            Binding::Certificate(thumbprint) => Some(thumbprint),
            Binding::Other => {
                return Err(AuthError::Invalid("the token is bound to a key in a way that is not known here"));
            }
        };
        let subject = claims.text("sub").map(str::to_owned);
        let client = claims.client_id().or(subject.as_deref()).unwrap_or_default();
        let (client_id, names) = (names.qualified(client), Arc::clone(names));
        let permissions = Permission::granted_by(claims, settings);
        Ok(Self { client_id, subject, permissions, names, certificate, expires_at })
    }

    /// The caller's name in records: the subject, and the client that it uses; at most 200 characters, and the issuer.
    pub fn name(&self) -> String {
        let client = self.names.unqualified(&self.client_id);
        let name = match &self.subject {
            Some(subject) if subject != client => format!("{subject} ({client})"),
            _ => client.to_owned(),
        };
        let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
        self.names.qualified(if name.is_empty() { "a token that names nobody" } else { &name })
    }

    /// Checks a permission.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] with the scope's name.
    pub fn require(&self, permission: Permission) -> Result<(), AuthError> {
        if self.permissions.contains(&permission) {
            Ok(())
        } else {
            Err(AuthError::InsufficientScope(permission.scope(&self.names.scopes).clone()))
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

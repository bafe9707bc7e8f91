//! `target.oauth2.grant`: the grant with which the service asks for a token.

use url::Url;

use crate::config::oauth2_client::{ClientKeys, SigningKey};
use crate::config::reader::Reader;

/// The grant, with what it needs.
#[derive(Debug, Clone)]
pub enum Grant {
    /// RFC 6749 §4.4
    ClientCredentials,
    /// RFC 7523 §2.1: an assertion about a user, as Salesforce requires it.
    JwtBearer {
        /// The user that the token is for, `sub`.
        subject: String,
        /// The key that signs the assertion.
        key: SigningKey,
    },
}

/// The values of `target.oauth2.grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    ClientCredentials,
    JwtBearer,
}

impl GrantType {
    /// Reads the value.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        reader.choice(
            "target.oauth2.grant",
            "client_credentials",
            &[("client_credentials", Self::ClientCredentials), ("jwt_bearer", Self::JwtBearer)],
        )
    }
}

impl Grant {
    /// Reads what the grant needs.
    pub fn from_reader(
        reader: &mut Reader,
        client: &ClientKeys,
        grant: GrantType,
        token_url: Option<&Url>,
    ) -> Option<Self> {
        if grant == GrantType::ClientCredentials {
            return Some(Self::ClientCredentials);
        }
        let subject = reader.required_text("target.oauth2.subject", "whom the token is for: a user's name");
        let key = SigningKey::from_reader(reader, client, token_url);
        Some(Self::JwtBearer { subject: subject?, key: key? })
    }
}

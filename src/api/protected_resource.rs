//! What clients learn of this service as a protected resource (RFC 9728): its issuers and scopes, and where challenges point.

use axum::http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use super::accepted_tokens::AcceptedTokens;
use crate::config::Auth;

/// Where the metadata of a resource without a path are (RFC 9728 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

const NAME: &str = "Purchase orders from SAP SRM carts to 11VMS";

/// The metadata, and the parameter of a challenge that names them.
#[derive(Debug)]
pub struct ProtectedResource {
    /// `auth.resource`: `None` if callers were told no address.
    identifier: Option<Url>,
    accepted: Vec<AcceptedTokens>,
}

impl ProtectedResource {
    /// Collects what all issuers have.
    pub fn of(auth: &Auth) -> Self {
        Self { identifier: auth.resource.clone(), accepted: auth.issuers().map(AcceptedTokens::of).collect() }
    }

    /// What the tokens of each issuer have to have.
    pub fn accepted(&self) -> &[AcceptedTokens] {
        &self.accepted
    }

    /// Names the metadata in a challenge (RFC 9728 §5.1), if there is one.
    pub fn add_to_challenge(&self, headers: &mut HeaderMap) {
        let challenge = headers.get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let (Some(challenge), Some(identifier)) = (challenge, &self.identifier) else { return };
        let separator = if challenge.contains('=') { "," } else { "" };
        let named = format!("{challenge}{separator} resource_metadata=\"{}\"", metadata_url(identifier));
        if let Ok(value) = HeaderValue::from_str(&named) {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
    }

    /// What the first issuer calls the scopes write, read and operate; the description has one name for each.
    pub fn names_of_scopes(&self) -> Option<[&str; 3]> {
        self.accepted.first().map(|issuer| [issuer.write.as_str(), &issuer.read, &issuer.operate])
    }

    /// The scopes that tokens need, of all issuers, each once.
    pub fn scopes(&self) -> Vec<&str> {
        let mut scopes = Vec::new();
        for scope in self.accepted.iter().flat_map(|issuer| [&issuer.write, &issuer.read, &issuer.operate]) {
            if !scopes.contains(&scope.as_str()) {
                scopes.push(scope);
            }
        }
        scopes
    }

    /// The issuers that have metadata: an authorization server is named by its URL (RFC 8414 §2).
    fn authorization_servers(&self) -> impl Iterator<Item = &str> {
        let names = self.accepted.iter().map(|issuer| issuer.issuer.as_str());
        names.filter(|name| name.parse::<Url>().is_ok_and(|url| url.has_host()))
    }

    /// The address of the service as its callers know it: the configured one, else the one that was asked; without a slash at
    /// its end.
    pub fn base(&self, asked: Option<&Url>) -> Option<String> {
        self.identifier.as_ref().or(asked).map(|url| text(url).to_owned())
    }

    /// The metadata at a path; `None` if they are not there. Without `auth.resource`, the resource is what the client has asked:
    /// it compares both (RFC 9728 §3.3).
    pub fn metadata_at(&self, path: &str, asked: Option<Url>) -> Option<ResourceMetadata> {
        let identifier = self.identifier.clone().or(asked)?;
        (path == metadata_path(&identifier)).then(|| self.document(&identifier))
    }

    /// The metadata of a resource (RFC 9728 §2).
    fn document(&self, identifier: &Url) -> ResourceMetadata {
        let identifier = text(identifier);
        ResourceMetadata {
            resource: identifier.to_owned(),
            authorization_servers: self.authorization_servers().map(str::to_owned).collect(),
            scopes_supported: self.scopes().into_iter().map(str::to_owned).collect(),
            bearer_methods_supported: ["header"],
            resource_name: NAME,
            resource_documentation: format!("{identifier}/docs"),
        }
    }
}

/// Where the metadata of the resource with this address are.
pub fn metadata_of(base: &str) -> Option<String> {
    Some(metadata_url(&base.parse().ok()?).into())
}

/// Metadata of a protected resource (RFC 9728 §2).
#[derive(Debug, Serialize, ToSchema)]
pub struct ResourceMetadata {
    /// The address that callers use.
    #[schema(format = "uri")]
    resource: String,
    /// The issuers whose tokens are accepted.
    authorization_servers: Vec<String>,
    /// The scopes that operations need.
    scopes_supported: Vec<String>,
    /// Where the token is taken from.
    bearer_methods_supported: [&'static str; 1],
    /// What it is, for people.
    resource_name: &'static str,
    /// A page about it.
    #[schema(format = "uri")]
    resource_documentation: String,
}

/// The well-known part is between host and path (RFC 9728 §3.1).
fn metadata_url(identifier: &Url) -> Url {
    let mut url = identifier.clone();
    url.set_path(&metadata_path(identifier));
    url
}

fn metadata_path(identifier: &Url) -> String {
    format!("{WELL_KNOWN}{}", identifier.path().trim_end_matches('/'))
}

/// As people write it: without the slash of a path that there is not.
fn text(identifier: &Url) -> &str {
    identifier.as_str().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_is_between_host_and_path() {
        for (resource, url, identifier) in [
            ("https://o.example", "https://o.example/.well-known/oauth-protected-resource", "https://o.example"),
            ("https://o.example/", "https://o.example/.well-known/oauth-protected-resource", "https://o.example"),
            (
                "https://o.example:8443/srm/v2/",
                "https://o.example:8443/.well-known/oauth-protected-resource/srm/v2",
                "https://o.example:8443/srm/v2",
            ),
        ] {
            let resource: Url = resource.parse().unwrap();
            assert_eq!((metadata_url(&resource).as_str(), text(&resource)), (url, identifier));
        }
    }
}

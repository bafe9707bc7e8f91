//! Discovery of `jwks_uri` in the issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414).

use serde::Deserialize;
use url::Url;

use super::fetch_error::FetchError;
use super::issuer_client::IssuerClient;
use crate::auth::error::loggable;

/// The metadata that are needed here.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Url,
}

/// The URL of the issuer's keys.
///
/// # Errors
/// [`FetchError`] with the problem of each place where metadata may be, or with the pause that the first asks for.
pub async fn discover(client: &IssuerClient, issuer: &str) -> Result<Url, FetchError> {
    let url = issuer
        .parse()
        .map_err(|_| FetchError::new(issuer, format!("auth.issuer {issuer} is no URL: set auth.jwks_url")))?;
    let mut problems = Vec::new();
    for url in metadata_urls(&url) {
        match client.get::<Metadata>(&url, "the issuer's metadata").await {
            Ok(metadata) if metadata.issuer != issuer => {
                problems.push(format!("{url} is of the issuer {}", loggable(&metadata.issuer)));
            }
            // An attacker on the network could put keys of its own there.
            Ok(metadata) if url.scheme() == "https" && metadata.jwks_uri.scheme() != "https" => {
                problems.push(format!("{url} names a jwks_uri without TLS"));
            }
            Ok(metadata) => return Ok(metadata.jwks_uri),
            // It wants to be left alone: the other place has to wait as well.
            Err(failure) if failure.retry_after.is_some() => {
                return Err(FetchError { location: issuer.to_owned(), ..failure });
            }
            Err(failure) => problems.push(failure.detail),
        }
    }
    Err(FetchError::new(issuer, problems.join("; ")))
}

/// Where metadata may be: below the issuer's path (OpenID Connect Discovery 1.0 §4), or with the path at the end (RFC
/// 8414 §3).
fn metadata_urls(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    [
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_requested_at_the_places_of_both_standards() {
        let urls = metadata_urls(&"https://issuer.example/tenant/".parse().unwrap()).map(|url| url.to_string());
        assert_eq!(
            urls,
            [
                "https://issuer.example/tenant/.well-known/openid-configuration",
                "https://issuer.example/.well-known/oauth-authorization-server/tenant"
            ]
        );
    }
}

//! `[target.oauth2]`: the tokens with which the service calls 11VMS.

use url::Url;

use super::grant::{Grant, GrantType};
use super::parameters::{TokenParameter, read_parameters};
use crate::config::identity::Identity;
use crate::config::oauth2_client::{AuthMethod, ClientKeys, Credentials};
use crate::config::reader::Reader;
use crate::config::units;

/// `[target.oauth2]`: tokens for 11VMS.
#[derive(Debug, Clone)]
pub struct TargetOAuth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// `client_id`
    pub client_id: String,
    /// How the client authenticates.
    pub credentials: Credentials,
    /// The grant with which it asks.
    pub grant: Grant,
    /// `scope`
    pub scopes: Vec<String>,
    /// `audience`, where the server needs it.
    pub audience: Option<String>,
    /// Further parameters, which are sent as they are.
    pub parameters: Vec<TokenParameter>,
    /// Hosts that `instance_url` of a token answer may name; if empty, `instance_url` is ignored.
    pub instance_hosts: Vec<String>,
}

impl TargetOAuth2 {
    /// The client's certificate and key for the handshake, at the token endpoint and at 11VMS alike.
    pub const fn identity(&self) -> Option<&Identity> {
        self.credentials.identity()
    }

    /// A client of another service than 11VMS: its tokens are those of the client itself, and serve at one host.
    pub const fn client_credentials(token_url: Url, client_id: String, credentials: Credentials) -> Self {
        Self {
            token_url,
            client_id,
            credentials,
            grant: Grant::ClientCredentials,
            scopes: Vec::new(),
            audience: None,
            parameters: Vec::new(),
            instance_hosts: Vec::new(),
        }
    }

    /// Reads the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let token_url = reader.required("target.oauth2.token_url", units::URL, units::url);
        let client_id = reader.required_text("target.oauth2.client_id", "the client's id");
        let client = ClientKeys::of("target.oauth2");
        let (method, grant) = read_method_and_grant(reader, &client);
        let credentials =
            method.and_then(|method| Credentials::from_reader(reader, &client, method, token_url.as_ref()));
        let grant = grant.and_then(|grant| Grant::from_reader(reader, &client, grant, token_url.as_ref()));
        let scopes = reader.list("target.oauth2.scopes", &[], "scopes", |scope| Some(scope.to_owned()));
        let audience = reader.optional("target.oauth2.audience", "a text", |text| Some(text.to_owned()));
        let parameters = read_parameters(reader);
        let hosts = "hosts such as acme.my.salesforce.com, or .my.salesforce.com for all below it";
        let instance_hosts = reader.list("target.oauth2.instance_hosts", &[], hosts, units::host_pattern);
        let why = "not used with this target.oauth2.auth and target.oauth2.grant; leave it out";
        reader.refuse_unread(&client.conditional(), why);
        reader.refuse_unread(&["target.oauth2.subject"], why);
        Some(Self {
            token_url: token_url?,
            client_id: client_id?,
            credentials: credentials?,
            grant: grant?,
            scopes: scopes?,
            audience: audience?,
            parameters: parameters?,
            instance_hosts: instance_hosts?,
        })
    }
}

fn read_method_and_grant(reader: &mut Reader, client: &ClientKeys) -> (Option<AuthMethod>, Option<GrantType>) {
    let grant = GrantType::from_reader(reader);
    let default = if grant == Some(GrantType::JwtBearer) { "none" } else { "basic" };
    let method = AuthMethod::or_none_from_reader(reader, client, default);
    if method == Some(AuthMethod::None) && grant == Some(GrantType::ClientCredentials) {
        reader.report("target.oauth2.auth", "\"none\" proves nothing; it goes with grant = \"jwt_bearer\" alone");
    }
    (method, grant)
}

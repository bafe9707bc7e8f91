//! `[telemetry.cloud_alm]`: SAP Cloud ALM, which takes metrics and logs at paths of its own, with OAuth2.

use std::path::PathBuf;

use url::Url;

use crate::config::oauth2_client::Credentials;
use crate::config::outbound::ForwardProxy;
use crate::config::reader::Reader;
use crate::config::secret::ClientAuth;
use crate::config::target::TargetOAuth2;
use crate::config::units;

const SECTION: &str = "telemetry.cloud_alm";

/// `[telemetry.cloud_alm]`
#[derive(Debug, Clone)]
pub struct CloudAlm {
    /// The URL of its API, which ends with `/api`; the paths of metrics and logs are appended.
    pub base_url: Url,
    /// How the service gets its tokens.
    pub oauth2: TargetOAuth2,
    /// The service in Landscape Management that the data belongs to.
    pub service_id: String,
    /// Certificates in PEM that may sign its own, in addition to those that the system trusts.
    pub ca: Option<PathBuf>,
    /// The proxy between.
    pub forward_proxy: ForwardProxy,
}

impl CloudAlm {
    /// Reads the section; the outer `None` is a mistake, the inner one the absence of the section.
    pub fn from_reader(reader: &mut Reader) -> Option<Option<Self>> {
        if !reader.has_section(SECTION) {
            return Some(None);
        }
        let base_url = reader.required("telemetry.cloud_alm.base_url", units::URL, units::url);
        let token_url = reader.required("telemetry.cloud_alm.token_url", units::URL, units::url);
        let client_id = reader.required_text("telemetry.cloud_alm.client_id", "the client's id");
        let secret = reader.required_secret("telemetry.cloud_alm.client_secret");
        let methods = [("basic", ClientAuth::Basic), ("post", ClientAuth::Post)];
        let method = reader.choice("telemetry.cloud_alm.auth", "basic", &methods);
        let service_id =
            reader.required_text("telemetry.cloud_alm.service_id", "the service's id in Landscape Management");
        let ca = reader.trusted_file("telemetry.cloud_alm.ca");
        let forward_proxy = ForwardProxy::from_reader(reader);
        let credentials = Credentials::Secret(secret?, method?);
        Some(Some(Self {
            base_url: base_url?,
            oauth2: TargetOAuth2::client_credentials(token_url?, client_id?, credentials),
            service_id: service_id?,
            ca: ca?,
            forward_proxy: forward_proxy?,
        }))
    }
}

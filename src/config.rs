//! The settings: one TOML file, any key also by environment, every mistake reported at once.
//!
//! Owns all reading of the settings' file and of the environment. Settings that exist are valid: no other module checks
//! them again.

mod addresses;
mod alerts;
mod algorithm;
mod auth;
mod catalogue;
mod entry;
mod environment;
mod file;
mod form;
mod identity;
mod ledger;
mod mapping;
mod mistakes;
mod oauth2_client;
mod outbound;
mod pages;
mod placeholders;
mod proxy_variables;
mod reader;
mod retry;
mod secret;
mod server;
mod settings;
mod target;
mod telemetry;
mod units;

pub use addresses::{OutboundAddress, outbound_addresses};
pub use alerts::{
    Alerts, MailServer, MailTls, PagerDuty, SapAlertNotification, SapCredentials, Smtp, Webhook, signing_key,
};
pub use algorithm::asymmetric_algorithm;
pub use auth::{AudienceClaim, AudienceRule, Auth, Clients, Introspection, JwksTimes, JwtCheck, Scopes};
pub use catalogue::Catalogue;
pub use environment::{CONFIG_VARIABLE, environment};
pub use file::DEFAULT_FILE;
pub use identity::Identity;
pub use ledger::{Database, Ledger, Storage};
pub use mapping::Mapping;
pub use mistakes::Mistakes;
pub use oauth2_client::{AssertionKey, CertificateThumbprint, Credentials, SigningKey};
pub use outbound::{ForwardProxy, ProxyAddress, ProxyRoutes, is_loopback};
pub use pages::{Audience, DemoClient, Pages};
pub use placeholders::placeholders;
pub use secret::{ClientAuth, Secret};
pub use server::{ClientCertificates, Limits, OnDeadline, Proxy, Server, Tls};
pub use settings::Settings;
pub use target::{
    ApiProfile, CreateRequest, Fillings, Grant, LookUpRequest, RequestHeader, Target, TargetOAuth2, Template,
};
pub use telemetry::{CloudAlm, LogFormat, LogLevel, Otlp, OtlpProtocol, Telemetry};

#[cfg(test)]
mod tests;

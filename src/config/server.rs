//! `[server]`: how callers are served.

mod limits;
mod proxy;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::http::HeaderValue;

use super::file::SettingsText;
use super::mistakes::Mistakes;
use super::reader::Reader;
use super::units;
pub use limits::Limits;
pub use proxy::Proxy;
pub use tls::{ClientCertificates, Tls};

/// What an address of a listener looks like.
const ADDRESS: &str = "an address and port such as 0.0.0.0:8080";

/// The answer about an order that is still open at its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDeadline {
    /// 202 with the order.
    Accepted,
    /// 504 with a problem.
    Error,
}

/// `[server]`: how callers are served.
#[derive(Debug, Clone)]
pub struct Server {
    /// The address of the API.
    pub listen: SocketAddr,
    /// The address of the probes.
    pub management_listen: SocketAddr,
    /// How long a caller waits for an outcome.
    pub deadline: Duration,
    /// The answer at the deadline.
    pub on_deadline: OnDeadline,
    /// How long the service still serves after a stop was announced, not ready any more.
    pub stop_delay: Duration,
    /// How long a stop waits for work in progress.
    pub drain: Duration,
    /// Origins whose pages may call the API from a browser (CORS); usually none.
    pub cors_origins: Vec<HeaderValue>,
    /// `[server.tls]`; without it, connections are plain.
    pub tls: Option<Tls>,
    /// `[server.proxy]`; without it, no header about a certificate is trusted.
    pub proxy: Option<Proxy>,
    /// `[server.limits]`, and the limits among the keys of `[server]`.
    pub limits: Limits,
}

impl Server {
    /// Reads the address of the probes alone, which is all that a health check needs: the service may run with settings that
    /// were changed since, and are wrong now.
    ///
    /// # Errors
    /// If the settings can't be read, or the address has a mistake.
    pub fn load_management_address(
        file: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<SocketAddr, Mistakes> {
        Reader::parse(&SettingsText::load(file, environment)?, environment)?.finish(|reader| {
            reader.ignore_the_rest();
            read_management_address(reader)
        })
    }

    /// Reads the section and those inside of it.
    pub fn from_reader(reader: &mut Reader) -> Option<Self> {
        let listen: Option<SocketAddr> =
            reader.value_or("server.listen", "0.0.0.0:8080", ADDRESS, |text| text.parse().ok());
        let management_listen = read_management_address(reader);
        let deadline = reader.positive_duration("server.deadline", "50s");
        let on_deadline = reader.choice(
            "server.on_deadline",
            "accepted",
            &[("accepted", OnDeadline::Accepted), ("error", OnDeadline::Error)],
        );
        let stop_delay = reader.duration("server.stop_delay", "0s");
        let drain = reader.duration("server.drain", "25s");
        let cors_origins =
            reader.list("server.cors_origins", &[], "origins such as https://portal.example", units::origin);
        if listen == management_listen && listen.is_some_and(|address| address.port() != 0) {
            reader.report("server.management_listen", "expected another address than server.listen");
        }
        let (tls, proxy) = (Tls::from_reader(reader), Proxy::from_reader(reader));
        let limits = Limits::from_reader(reader);
        Some(Self {
            listen: listen?,
            management_listen: management_listen?,
            deadline: deadline?,
            on_deadline: on_deadline?,
            stop_delay: stop_delay?,
            drain: drain?,
            cors_origins: cors_origins?,
            tls: tls?,
            proxy: proxy?,
            limits: limits?,
        })
    }
}

fn read_management_address(reader: &mut Reader) -> Option<SocketAddr> {
    reader.value_or("server.management_listen", "0.0.0.0:9090", ADDRESS, |text| text.parse().ok())
}

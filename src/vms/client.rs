//! The only outbound business calls: 11VMS over REST, JSON and OAuth2.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use url::Url;

use super::Vms;
use super::token::TokenError;
use super::transport::Transport;
use crate::clock::Clock;
use crate::config::Target;
use crate::order::vms_response::CallOutcome;
use crate::order::{Order, OrderId};
use crate::outbound::OutboundError;

/// A client of 11VMS.
#[derive(Debug)]
pub struct VmsClient {
    transport: Transport,
}

impl VmsClient {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn from_config(target: &Target, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        Ok(Self { transport: Transport::from_config(target, clock)? })
    }

    /// Fetches a token, unless a valid one is known.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn fetch_token(&self) -> Result<(), TokenError> {
        self.transport.fetch_token().await
    }

    /// Looks an order up by its id and its cart number; the service needs no record of it.
    pub async fn look_up_by(&self, id: &str, _number: &str) -> CallOutcome {
        let build = |http: &Client, base_url: Url| {
            let mut url = orders_url(base_url);
            url.query_pairs_mut().append_pair("externalId", id);
            http.get(url)
        };
        self.transport.send(build).await
    }
}

/// The URL of orders.
fn orders_url(mut base_url: Url) -> Url {
    // A base URL of http or https always has path segments.
    if let Ok(mut path) = base_url.path_segments_mut() {
        path.pop_if_empty().push("purchase-orders");
    }
    base_url
}

#[async_trait]
impl Vms for VmsClient {
    async fn create(&self, order: &Order) -> CallOutcome {
        let build = |http: &Client, base_url: Url| {
            let request = http
                .post(orders_url(base_url))
                .header(CONTENT_TYPE, "application/json")
                .header("idempotency-key", order.id.as_str())
                .body(order.body.clone());
            let propagated_headers = &order.propagated_headers;
            let headers = [
                ("traceparent", &propagated_headers.traceparent),
                ("sap-passport", &propagated_headers.sap_passport),
                ("x-request-id", &propagated_headers.request_id),
            ];
            headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, HeaderValue::from_str(value.as_deref()?).ok()?)))
                .fold(request, |request, (name, value)| request.header(name, value))
        };
        self.transport.send(build).await
    }

    async fn look_up(&self, id: &OrderId) -> CallOutcome {
        self.look_up_by(id.as_str(), id.as_str()).await
    }
}

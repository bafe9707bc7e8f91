//! The only outbound business calls: 11VMS over REST, JSON and OAuth2, as its profile says.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, PRAGMA};
use url::Url;

use super::call_span::trace_headers;
use super::request::{Address, RequestError, headers, without_members};
use super::token::TokenError;
use super::transport::Transport;
use super::{SendLimit, Vms};
use crate::clock::Clock;
use crate::condition::Conditions;
use crate::config::{ApiProfile, CreateRequest, Fillings, Target};
use crate::order::Order;
use crate::order::vms_response::{CallOutcome, ResponseRules};
use crate::outbound::{CallDurations, Operation, OutboundError};

/// A client of 11VMS.
#[derive(Debug)]
pub struct VmsClient {
    transport: Transport,
    profile: ApiProfile,
    rules: ResponseRules,
}

impl VmsClient {
    /// Builds the client; connects nowhere yet.
    ///
    /// # Errors
    /// If no HTTP client can be built.
    pub fn from_config(target: &Target, clock: Arc<dyn Clock>, conditions: Conditions) -> Result<Self, OutboundError> {
        Ok(Self {
            transport: Transport::from_config(target, clock, conditions)?,
            profile: target.profile.clone(),
            rules: target.response_rules.clone(),
        })
    }

    /// Fetches a token, unless a valid one is known.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn fetch_token(&self) -> Result<(), TokenError> {
        self.transport.fetch_token().await
    }

    /// How long its calls took, and those for tokens.
    pub fn calls(&self) -> Arc<CallDurations> {
        self.transport.calls()
    }

    /// Looks an order up by its id and its cart number; the service needs no record of it.
    pub async fn look_up_by(&self, id: &str, number: &str) -> CallOutcome {
        self.look_up_with(id, number, trace_headers(None)).await
    }

    async fn look_up_with(&self, id: &str, number: &str, trace_headers: HeaderMap) -> CallOutcome {
        let (request, fillings) = (&self.profile.look_up, Fillings { id, number });
        let parts = Address::of_look_up(request, fillings)
            .and_then(|address| Ok((address, headers(&request.headers, fillings)?)));
        let (address, mut headers) = match parts {
            Ok(parts) => parts,
            Err(error) => return CallOutcome::NotSent(error.to_string()),
        };
        // A stored answer may be older than the order (RFC 9111 §5.2.1.4, §5.4). Directives of the settings stay beside it.
        for name in [CACHE_CONTROL, PRAGMA] {
            headers.append(name, HeaderValue::from_static("no-cache"));
        }
        headers.extend(trace_headers);
        let build = |http: &Client, base_url: Url| http.get(address.below(base_url)).headers(headers.clone());
        // Of two lists, either could be the one that counts.
        self.transport.send(Operation::LookUp, build, &request.path, None, |_| true).await
    }
}

/// The parts of a request that creates an order.
struct CreateParts {
    address: Address,
    headers: HeaderMap,
    body: String,
}

impl CreateParts {
    fn of(order: &Order, request: &CreateRequest) -> Result<Self, RequestError> {
        let fillings = Fillings { id: order.id.as_str(), number: &order.cart_number };
        let mut all = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        all.extend(headers(&request.headers, fillings)?);
        let propagated_headers = &order.propagated_headers;
        let own = [
            ("idempotency-key", Some(order.id.as_str())),
            ("sap-passport", propagated_headers.sap_passport.as_deref()),
            ("x-request-id", propagated_headers.request_id.as_deref()),
        ];
        let own = own
            .into_iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value?).ok()?)));
        all.extend(own);
        all.extend(trace_headers(Some(propagated_headers)));
        let body = without_members(&order.body, &request.omit)?;
        Ok(Self { address: Address::of_path(&request.path, fillings)?, headers: all, body })
    }
}

#[async_trait]
impl Vms for VmsClient {
    async fn create(&self, order: &Order, limit: Option<SendLimit>) -> CallOutcome {
        let request = &self.profile.create;
        let parts = match CreateParts::of(order, request) {
            Ok(parts) => parts,
            Err(error) => return CallOutcome::NotSent(error.to_string()),
        };
        let build = |http: &Client, base_url: Url| {
            let url = parts.address.below(base_url);
            http.request(request.method.clone(), url).headers(parts.headers.clone()).body(parts.body.clone())
        };
        let counts = |name: &str| self.rules.reads_of_create(name);
        self.transport.send(Operation::Create, build, &request.path, limit, counts).await
    }

    async fn look_up(&self, order: &Order) -> CallOutcome {
        let trace_headers = trace_headers(Some(&order.propagated_headers));
        self.look_up_with(order.id.as_str(), &order.cart_number, trace_headers).await
    }
}

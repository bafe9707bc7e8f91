//! What is known of a request while it is answered: its id and path, for problems and for the access log.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

use crate::clock::{Clock, Moment};

/// Version of the API, sent as `API-Version`.
pub const API_VERSION: &str = "2";

/// The interface's Smart ID, sent as `Smart-Id`.
pub const SMART_ID: &str = "PROC-SRM7-11VMS-PURCHASE-ORDER-V1";

/// Longest request id that is taken over from a caller, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// Characters of a cart number in answers and in the log: OBJECT_ID is a C10, and a longer one is seen to be wrong by these.
const MAX_CART_NUMBER: usize = 40;

/// A cart number as answers and the log have it; `None` for a cart without one.
pub fn shown_cart_number(number: &str) -> Option<String> {
    let shown: String = number.chars().filter(|c| *c != '\0').take(MAX_CART_NUMBER).collect();
    (!shown.is_empty()).then_some(shown)
}

/// The request's id, taken from the caller's `X-Request-Id` or generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The header that carries it, in requests and answers.
    pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Generates an id: a random UUID (RFC 9562 §5.4).
    pub fn generate() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// Takes over an id of printable ASCII; generates one in place of anything else.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let given = headers.get(Self::HEADER).and_then(|value| value.to_str().ok()).map(str::trim);
        let readable = |id: &&str| (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        given.filter(readable).map_or_else(Self::generate, |given| Self(given.to_owned()))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request that is being answered. What is learned on the way (client, order, cart) is noted for the access log.
#[derive(Debug)]
pub struct RequestContext {
    /// The request's id.
    pub id: RequestId,
    /// The request's path, without its query.
    pub path: String,
    /// When the request arrived: deadlines count from here.
    pub received_at: Moment,
    client: OnceLock<String>,
    order_id: OnceLock<String>,
    cart_number: OnceLock<String>,
    carts: OnceLock<usize>,
}

tokio::task_local! {
    static CURRENT: Arc<RequestContext>;
}

impl RequestContext {
    /// A request that has just arrived.
    pub fn new(id: RequestId, path: &str, received_at: Moment) -> Arc<Self> {
        Arc::new(Self {
            id,
            path: path.to_owned(),
            received_at,
            client: OnceLock::new(),
            order_id: OnceLock::new(),
            cart_number: OnceLock::new(),
            carts: OnceLock::new(),
        })
    }

    /// A request of which nothing was read.
    pub fn unread() -> Arc<Self> {
        Self::new(RequestId::generate(), "/", Moment::default())
    }

    /// A request as examples show it.
    pub fn sample(path: &str) -> Arc<Self> {
        let id = RequestId("7f1c2a50-6a0e-4d5b-9c5b-0d8f3f5a1e77".to_owned());
        Self::new(id, path, Moment::default())
    }

    /// The request that the current task answers; an unread one outside of [`RequestContext::scope`].
    pub fn current() -> Arc<Self> {
        CURRENT.try_with(Arc::clone).unwrap_or_else(|_| Self::unread())
    }

    /// Answers a request: problems that become responses inside carry its id and path.
    pub fn scope<T>(self: Arc<Self>, answering: impl Future<Output = T>) -> impl Future<Output = T> {
        CURRENT.scope(self, answering)
    }

    /// The part of `deadline` that is left, counted from the arrival.
    pub fn remaining(&self, deadline: Duration, clock: &dyn Clock) -> Duration {
        deadline.saturating_sub(clock.moment().since(self.received_at))
    }

    /// Notes the client that the access token was issued to.
    pub fn note_client(&self, client: &str) {
        let _ = self.client.set(client.to_owned());
    }

    /// Notes the order that the request is about.
    pub fn note_order(&self, id: &str) {
        let _ = self.order_id.set(id.to_owned());
    }

    /// Notes the cart number that the request or its order has.
    pub fn note_cart_number(&self, number: &str) {
        if let Some(number) = shown_cart_number(number) {
            let _ = self.cart_number.set(number);
        }
    }

    /// Notes how many carts a batch brought.
    pub fn note_carts(&self, carts: usize) {
        let _ = self.carts.set(carts);
    }

    /// The client, once its token was verified.
    pub fn client(&self) -> Option<&str> {
        self.client.get().map(String::as_str)
    }

    /// The order's id, once it is known.
    pub fn order_id(&self) -> Option<&str> {
        self.order_id.get().map(String::as_str)
    }

    /// The cart number, once it is known.
    pub fn cart_number(&self) -> Option<&str> {
        self.cart_number.get().map(String::as_str)
    }

    /// The number of carts in a batch.
    pub fn carts(&self) -> Option<usize> {
        self.carts.get().copied()
    }
}

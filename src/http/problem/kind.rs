//! The kinds of problems. The last segment of `type` names one, and never changes.

use axum::http::StatusCode;

/// What went wrong: name, status, title, and what a caller should know and do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemKind {
    /// The last segment of `type`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// Always the same for one kind.
    pub title: &'static str,
    /// What the page behind `type` says.
    pub explanation: &'static str,
}

impl ProblemKind {
    pub const MALFORMED_JSON: Self = Self {
        name: "malformed-json",
        status: StatusCode::BAD_REQUEST,
        title: "The body is not JSON",
        explanation: "The body can't be read as JSON, nests too deeply, or names one field twice. line and column say where. Nothing was recorded. Correct the sender.",
    };

    pub const INVALID_PARAMETER: Self = Self {
        name: "invalid-parameter",
        status: StatusCode::BAD_REQUEST,
        title: "A parameter is wrong",
        explanation: "A query parameter has a value that the API does not know; detail names it and what is expected.",
    };

    pub const UNSUPPORTED_VERSION: Self = Self {
        name: "unsupported-version",
        status: StatusCode::BAD_REQUEST,
        title: "This version is not served",
        explanation: "Accept-Version asked for another version than 2. Leave the header out, or send 2.",
    };

    pub const TLS_EXPECTED: Self = Self {
        name: "tls-expected",
        status: StatusCode::BAD_REQUEST,
        title: "The request came without TLS",
        explanation: "This port speaks TLS alone. Use https:// in front of the address. A token that was sent without TLS may have been read on its way: replace it.",
    };

    pub const INVALID_TOKEN: Self = Self {
        name: "invalid-token",
        status: StatusCode::UNAUTHORIZED,
        title: "The access token is missing or not valid",
        explanation: "Get a new token from the issuer that the operator configured, for the configured audience, and send it as Authorization: Bearer. The header WWW-Authenticate says what is wrong with this one. Nothing was recorded.",
    };

    pub const INSUFFICIENT_SCOPE: Self = Self {
        name: "insufficient-scope",
        status: StatusCode::FORBIDDEN,
        title: "The access token lacks a scope",
        explanation: "The token is valid, but its scope does not allow this. WWW-Authenticate names the scope that is needed. Nothing was recorded.",
    };

    pub const NOT_FOUND: Self = Self {
        name: "not-found",
        status: StatusCode::NOT_FOUND,
        title: "There is nothing here",
        explanation: "The path is not one of the API's, or no order is known under this id. Orders are removed some time after they were settled.",
    };

    pub const METHOD_NOT_ALLOWED: Self = Self {
        name: "method-not-allowed",
        status: StatusCode::METHOD_NOT_ALLOWED,
        title: "The method is not allowed here",
        explanation: "The header Allow names the methods of this path.",
    };

    pub const REQUEST_TIMEOUT: Self = Self {
        name: "request-timeout",
        status: StatusCode::REQUEST_TIMEOUT,
        title: "The request did not arrive in time",
        explanation: "The connection was opened, and the request did not arrive completely in time. Nothing was recorded; send it again.",
    };

    pub const ORDER_EXISTS: Self = Self {
        name: "order-exists",
        status: StatusCode::CONFLICT,
        title: "Another cart is known under this id",
        explanation: "An order with this id is open or created, and the cart sent now is different from the one it came from. Nothing was changed. Location leads to the order. A changed cart needs a change in 11VMS, or a new cart.",
    };

    pub const ORDER_CANCELLED: Self = Self {
        name: "order-cancelled",
        status: StatusCode::CONFLICT,
        title: "The order was cancelled by hand",
        explanation: "A person decided that there will be no order under this id; detail gives the reason. Nothing was changed or sent. Location leads to the order. If there should be one after all, it needs a new cart.",
    };

    pub const ALREADY_SETTLED: Self = Self {
        name: "already-settled",
        status: StatusCode::CONFLICT,
        title: "The order is settled already",
        explanation: "Only an open or parked order can be settled by hand, and this one is created, rejected or cancelled. Nothing was changed. Location leads to the order.",
    };

    pub const ATTEMPT_UNDER_WAY: Self = Self {
        name: "attempt-under-way",
        status: StatusCode::CONFLICT,
        title: "An attempt is under way",
        explanation: "11VMS may just be creating the order, so it can't be settled by hand now. Nothing was changed. Try it again after Retry-After, or look at the order first: it may be settled by then.",
    };

    pub const TOO_LARGE: Self = Self {
        name: "too-large",
        status: StatusCode::PAYLOAD_TOO_LARGE,
        title: "The body is too large",
        explanation: "The body, compressed or decompressed, is over the limit of server.max_body or server.limits.unpacked_body; or a batch is over 10 MiB or 500 carts, or what the operator has set. Nothing was recorded.",
    };

    pub const HEADERS_TOO_LARGE: Self = Self {
        name: "headers-too-large",
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        title: "The headers are too large",
        explanation: "Names and values of all headers together are over the limit of server.limits.headers. Nothing was recorded.",
    };

    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self {
        name: "unsupported-media-type",
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        title: "The body is in a form that is not taken",
        explanation: "Send Content-Type: application/json, in UTF-8, without compression or with gzip or deflate. Nothing was recorded.",
    };

    pub const MISDIRECTED: Self = Self {
        name: "misdirected",
        status: StatusCode::MISDIRECTED_REQUEST,
        title: "This is another interface",
        explanation: "The header Smart-Id names another interface than this service's. The gateway routes to the wrong place.",
    };

    pub const INVALID_CART: Self = Self {
        name: "invalid-cart",
        status: StatusCode::UNPROCESSABLE_ENTITY,
        title: "The cart can't become an order",
        explanation: "messages lists every mistake with the SAP field, the section and the item. Nothing was recorded: correct the cart, or the mapping sheet, and send it again under the same number.",
    };

    pub const REFUSED_BY_11VMS: Self = Self {
        name: "refused-by-11vms",
        status: StatusCode::UNPROCESSABLE_ENTITY,
        title: "11VMS refused the order",
        explanation: "11VMS answered that it will not create this order; its own answer is in vms. The cart may be sent again, changed or not, and is then tried anew.",
    };

    pub const RATE_LIMITED: Self = Self {
        name: "rate-limited",
        status: StatusCode::TOO_MANY_REQUESTS,
        title: "Too many requests of this client",
        explanation: "Nothing was recorded. Send it again after Retry-After.",
    };

    pub const INTERNAL_ERROR: Self = Self {
        name: "internal-error",
        status: StatusCode::INTERNAL_SERVER_ERROR,
        title: "The service failed",
        explanation: "A defect of the service. The cart may have been recorded: sending it again is safe, and never makes a second order. Tell the operator the requestId.",
    };

    pub const PARKED: Self = Self {
        name: "parked",
        status: StatusCode::BAD_GATEWAY,
        title: "The order waits for a person",
        explanation: "All attempts to create the order in 11VMS failed, or its outcome is unknown. Sending the cart again tries anew where that can make no second order; otherwise a person has to look into 11VMS.",
    };

    pub const ISSUER_UNAVAILABLE: Self = Self {
        name: "issuer-unavailable",
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "The token can't be checked now",
        explanation: "The token's issuer can't be asked: its keys can't be had, or it does not say what a token is. Nothing is wrong with the token as far as is known, and nothing was recorded. Send it again after Retry-After.",
    };

    pub const LEDGER_UNAVAILABLE: Self = Self {
        name: "ledger-unavailable",
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "The order can't be recorded now",
        explanation: "The ledger can't write, so nothing was sent to 11VMS; or it has not answered in time, which detail says. Send it again after Retry-After: that is safe in both cases.",
    };

    pub const OVERLOADED: Self = Self {
        name: "overloaded",
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "Too much at once",
        explanation: "More requests are under way than server.max_in_flight, each cart of a batch counted; or too many batches arrive at once. Nothing was recorded. Send it again after Retry-After.",
    };

    pub const STILL_OPEN: Self = Self {
        name: "still-open",
        status: StatusCode::GATEWAY_TIMEOUT,
        title: "The outcome is not known yet",
        explanation: "The order is recorded and being worked on. Ask for it later, or send the cart again: both are safe.",
    };

    /// Every kind, by status.
    pub const ALL: [Self; 26] = [
        Self::MALFORMED_JSON,
        Self::INVALID_PARAMETER,
        Self::UNSUPPORTED_VERSION,
        Self::TLS_EXPECTED,
        Self::INVALID_TOKEN,
        Self::INSUFFICIENT_SCOPE,
        Self::NOT_FOUND,
        Self::METHOD_NOT_ALLOWED,
        Self::REQUEST_TIMEOUT,
        Self::ORDER_EXISTS,
        Self::ORDER_CANCELLED,
        Self::ALREADY_SETTLED,
        Self::ATTEMPT_UNDER_WAY,
        Self::TOO_LARGE,
        Self::HEADERS_TOO_LARGE,
        Self::UNSUPPORTED_MEDIA_TYPE,
        Self::MISDIRECTED,
        Self::INVALID_CART,
        Self::REFUSED_BY_11VMS,
        Self::RATE_LIMITED,
        Self::INTERNAL_ERROR,
        Self::PARKED,
        Self::ISSUER_UNAVAILABLE,
        Self::LEDGER_UNAVAILABLE,
        Self::OVERLOADED,
        Self::STILL_OPEN,
    ];

    /// The kind for an error that the framework answered on its own.
    pub const fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::INVALID_PARAMETER,
            StatusCode::NOT_FOUND => Self::NOT_FOUND,
            StatusCode::METHOD_NOT_ALLOWED => Self::METHOD_NOT_ALLOWED,
            StatusCode::REQUEST_TIMEOUT => Self::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UNSUPPORTED_MEDIA_TYPE,
            _ => Self::INTERNAL_ERROR,
        }
    }

    /// The page behind `type`.
    pub fn page(self) -> String {
        let Self { name, status, title, explanation } = self;
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
             <body><h1>{title}</h1><p><code>/problems/{name}</code>, status {status}</p><p>{explanation}</p></body></html>"
        )
    }
}

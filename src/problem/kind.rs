//! The kinds of problems: name, status, title, and what a caller has to know and do. A name never changes.

use axum::http::StatusCode;

/// One kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemKind {
    /// The last segment of `type`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The same text for every problem of the kind.
    pub title: &'static str,
    /// What has happened, and what it means for the cart.
    pub explanation: &'static str,
    /// What the caller does next.
    pub remedy: &'static str,
    /// A `detail` such as this kind has.
    pub example: &'static str,
}

/// Declares the kinds, and `ALL` with every one of them.
macro_rules! kinds {
    ($($constant:ident = $name:literal, $status:ident, $title:literal,
        explanation: $explanation:literal, remedy: $remedy:literal, example: $example:literal;)+) => {
        impl ProblemKind {
            $(#[doc = concat!("`", $name, "`: ", $title)]
            pub const $constant: Self = Self {
                name: $name,
                status: StatusCode::$status,
                title: $title,
                explanation: $explanation,
                remedy: $remedy,
                example: $example,
            };)+

            /// Every kind, by status.
            pub const ALL: &[Self] = &[$(Self::$constant),+];
        }
    };
}

impl ProblemKind {
    /// Whether it tells what became of an order, and the request itself was taken.
    pub fn is_outcome(self) -> bool {
        [Self::REFUSED_BY_11VMS, Self::PARKED, Self::STILL_OPEN].contains(&self)
    }
}

kinds! {
    MALFORMED_JSON = "malformed-json", BAD_REQUEST, "The body is not JSON",
        explanation: "The body can't be read as JSON, nests too deeply, or names one field twice. line and column say where. Nothing was recorded.",
        remedy: "Correct the sender's JSON.",
        example: "line 4, column 12: expected value";

    MALFORMED_REQUEST = "malformed-request", BAD_REQUEST, "The request breaks the rules of HTTP",
        explanation: "The request can't be read as HTTP, or it is HTTP/1.1 without a Host header. Nothing was recorded.",
        remedy: "Correct the client, or the proxy in between.",
        example: "the header Host is missing; HTTP/1.1 demands it";

    INVALID_PARAMETER = "invalid-parameter", BAD_REQUEST, "A parameter is wrong",
        explanation: "A parameter of the path or of the query has a value that the API does not know. detail names it and says what is expected.",
        remedy: "Correct the parameter.",
        example: "limit is \"0\"; expected a whole number from 1 to 200";

    INVALID_BODY = "invalid-body", BAD_REQUEST, "The body is not what the operation takes",
        explanation: "The body is JSON, but not what this operation takes, or it could be read in two ways. detail says what is expected. Nothing was recorded or changed.",
        remedy: "Correct the body.",
        example: "expected an object with exactly one of purchaseOrderNumber and cancelled";

    UNSUPPORTED_VERSION = "unsupported-version", BAD_REQUEST, "This version is not served",
        explanation: "Accept-Version asks for a version other than 2. Nothing was recorded.",
        remedy: "Leave Accept-Version out, or send 2.",
        example: "accept-version is \"3\"; expected 2";

    TLS_EXPECTED = "tls-expected", BAD_REQUEST, "The request came without TLS",
        explanation: "The port speaks TLS only. A token that was sent without TLS may have been read on its way.",
        remedy: "Use https:// in the address, and replace the token.",
        example: "this port speaks TLS alone; the request came without";

    INVALID_TOKEN = "invalid-token", UNAUTHORIZED, "The access token is missing or not valid",
        explanation: "There is no access token, or it was not accepted. The header WWW-Authenticate says what is wrong with it. Nothing was recorded.",
        remedy: "Get a new token from the configured issuer for the configured audience, and send it as Authorization: Bearer.",
        example: "the token has expired";

    INSUFFICIENT_SCOPE = "insufficient-scope", FORBIDDEN, "The access token lacks a scope",
        explanation: "The token is valid, but its scope does not allow the operation. Nothing was recorded.",
        remedy: "Ask the issuer for a token with the scope that WWW-Authenticate names.",
        example: "the token lacks the scope purchase-orders.write";

    NOT_FOUND = "not-found", NOT_FOUND, "There is nothing here",
        explanation: "The path is not one of the API's, or no order is known under the id. Orders are removed some time after they were settled.",
        remedy: "Compare the path with the API's description, and the id with the cart's GUID. By its cart number an order is found with GET /v2/purchase-orders?cartNumber=, also where its cart has a GUID.",
        example: "no order is known under the id \"4711\"; by its cart number an order is found with ?cartNumber=";

    METHOD_NOT_ALLOWED = "method-not-allowed", METHOD_NOT_ALLOWED, "The method is not allowed here",
        explanation: "The path exists, but not with this method.",
        remedy: "Use one of the methods that the header Allow names.",
        example: "this path has other methods; Allow names them";

    REQUEST_TIMEOUT = "request-timeout", REQUEST_TIMEOUT, "The request did not arrive in time",
        explanation: "The connection was opened, but the request did not arrive completely in time. Nothing was recorded.",
        remedy: "Send it again.",
        example: "no request arrived within 10s";

    ORDER_EXISTS = "order-exists", CONFLICT, "Another cart is known under this id",
        explanation: "An order with this id is open or created, and it came from a different cart. Nothing was changed. Location leads to the order.",
        remedy: "GET the order at Location. To send this cart again is useless: change the order in 11VMS, or send a new cart under an id of its own.",
        example: "the order 005056a207c81ed1bfc6b69e72f50550 is created and came from another cart";

    ORDER_CANCELLED = "order-cancelled", CONFLICT, "The order was cancelled by hand",
        explanation: "A person decided that there will be no order under this id; detail gives the reason. Nothing was changed or sent. Location leads to the order.",
        remedy: "If there should be an order after all, send a new cart.",
        example: "Shopping cart 1000004711 was cancelled by hand: \"ordered by telephone\"";

    ALREADY_SETTLED = "already-settled", CONFLICT, "The order is settled already",
        explanation: "Only an open or parked order can be settled by hand; this one is created, rejected or cancelled. Nothing was changed. Location leads to the order.",
        remedy: "Look at the order: perhaps there is nothing left to do.",
        example: "the order 005056a207c81ed1bfc6b69e72f50550 is created as 4500000001; expected an open or parked one";

    ATTEMPT_UNDER_WAY = "attempt-under-way", CONFLICT, "An attempt is under way",
        explanation: "11VMS may be creating the order at this moment, so it can't be settled by hand. Nothing was changed.",
        remedy: "Try again after Retry-After, or look at the order first: it may be settled by then.",
        example: "an attempt to create the order 005056a207c81ed1bfc6b69e72f50550 is under way, and may succeed";

    TOO_LARGE = "too-large", PAYLOAD_TOO_LARGE, "The body is too large",
        explanation: "The body, compressed or decompressed, is over a limit: server.max_body or server.limits.unpacked_body for a cart; 10 MiB or 500 carts for a batch, unless the operator has set others. Nothing was recorded.",
        remedy: "Split the cart or the batch, or ask the operator for a higher limit.",
        example: "the body is larger than 1048576 bytes";

    URI_TOO_LONG = "uri-too-long", URI_TOO_LONG, "The address is too long",
        explanation: "The request's path and query are longer than any of the API's. Nothing was recorded.",
        remedy: "Correct the client.",
        example: "the request's target is too long";

    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body is in a form that is not taken",
        explanation: "The body is not JSON in UTF-8, or is compressed in a way that is not known. Nothing was recorded.",
        remedy: "Send what the address takes, which is application/json for a cart, in UTF-8, without compression or with gzip or deflate.",
        example: "Content-Type is \"text/plain\"; expected application/json, in UTF-8";

    MISDIRECTED = "misdirected", MISDIRECTED_REQUEST, "This is another interface",
        explanation: "The header Smart-Id names another interface than this service's: the gateway routes to the wrong place.",
        remedy: "Correct the gateway's routing, or the header.",
        example: "smart-id is \"PROC-OTHER-V1\"; expected PROC-SRM7-11VMS-PURCHASE-ORDER-V1";

    INVALID_CART = "invalid-cart", UNPROCESSABLE_ENTITY, "The cart can't become an order",
        explanation: "messages lists every mistake with the SAP field, the section and the item. Nothing was recorded.",
        remedy: "Correct the cart, or the mapping sheet, and send the cart again under the same number.",
        example: "HEADER.ZZ_SALES_ORG is missing or initial; it is mandatory";

    REFUSED_BY_11VMS = "refused-by-11vms", UNPROCESSABLE_ENTITY, "11VMS refused the order",
        explanation: "11VMS answered that it will not create this order; vms has its own answer.",
        remedy: "Remove the cause, and send the cart again, changed or not: it is then tried anew.",
        example: "11VMS refused the order: answered 422 \"cost center 1000 is closed\"";

    RATE_LIMITED = "rate-limited", TOO_MANY_REQUESTS, "Too many requests of this client",
        explanation: "The client of the token sends more requests a second than server.rate_limit_per_client allows. Nothing was recorded.",
        remedy: "Send it again after Retry-After.",
        example: "the client \"srm7\" is over its rate";

    HEADERS_TOO_LARGE = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large",
        explanation: "Names and values of all headers together are over server.limits.headers. Nothing was recorded.",
        remedy: "Send fewer or shorter headers.",
        example: "the headers have 40960 bytes; at most 32768 are taken";

    INTERNAL_ERROR = "internal-error", INTERNAL_SERVER_ERROR, "The service failed",
        explanation: "The service has a defect. The cart may have been recorded.",
        remedy: "Tell the operator the requestId. Sending the cart again is safe, and never makes a second order.",
        example: "The service failed while it worked on this request.";

    PARKED = "parked", BAD_GATEWAY, "The order waits for a person",
        explanation: "All attempts to create the order in 11VMS failed, or its outcome is unknown.",
        remedy: "Send the cart again when the cause is gone: it is tried anew where that can make no second order. Otherwise a person has to look into 11VMS, and resolves the order. Location leads to it.",
        example: "The order was parked after 4 attempts; it does not exist in 11VMS. Last: answered 429";

    ISSUER_UNAVAILABLE = "issuer-unavailable", SERVICE_UNAVAILABLE, "The token can't be checked now",
        explanation: "The configured issuer can't be asked: its keys can't be fetched, or its introspection endpoint does not answer. As far as is known, nothing is wrong with the token. Nothing was recorded.",
        remedy: "Send it again after Retry-After.",
        example: "The token's issuer can't be asked now; the token was not checked.";

    LEDGER_UNAVAILABLE = "ledger-unavailable", SERVICE_UNAVAILABLE, "The order can't be recorded now",
        explanation: "The ledger can't write, so nothing was sent to 11VMS for this request; or it has not answered in time, which detail says.",
        remedy: "Send the same request again after Retry-After: that is safe in both cases.",
        example: "The ledger can't be used now; nothing was sent to 11VMS for this request. Sending it again is safe.";

    OVERLOADED = "overloaded", SERVICE_UNAVAILABLE, "Too much at once",
        explanation: "More requests are under way than the service takes (server.max_in_flight, where each cart of a batch counts; server.limits.queries, .batches, .connections), or a batch could not be read before its deadline. Nothing was recorded.",
        remedy: "Send it again after Retry-After.",
        example: "as many requests as the service takes are under way";

    STOPPING = "stopping", SERVICE_UNAVAILABLE, "The service is stopping",
        explanation: "The service was told to stop: no further request should be sent to it. What it has recorded goes on at its next start.",
        remedy: "Use another replica, or send it again after Retry-After.",
        example: "the service is stopping";

    STILL_OPEN = "still-open", GATEWAY_TIMEOUT, "The outcome is not known yet",
        explanation: "The order is recorded and being worked on.",
        remedy: "Wait for Retry-After, then GET the order at Location until it is created, rejected, parked or cancelled; or send the cart again, which is as safe.",
        example: "the order 005056a207c81ed1bfc6b69e72f50550 is recorded and still retrying";
}

impl ProblemKind {
    /// The kind for an error that the framework answers by itself.
    pub const fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::MALFORMED_REQUEST,
            StatusCode::NOT_FOUND => Self::NOT_FOUND,
            StatusCode::METHOD_NOT_ALLOWED => Self::METHOD_NOT_ALLOWED,
            StatusCode::REQUEST_TIMEOUT => Self::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TOO_LARGE,
            StatusCode::URI_TOO_LONG => Self::URI_TOO_LONG,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HEADERS_TOO_LARGE,
            _ => Self::INTERNAL_ERROR,
        }
    }
}

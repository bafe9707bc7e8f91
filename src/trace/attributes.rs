//! The names of all attributes of spans and their meaning. Names follow OpenTelemetry's semantic conventions (1.44) where these
//! have one; docs/traces.md has the same list.

/// Method of a request as it was sent, if no specification has it.
pub const METHOD_ORIGINAL: &str = "http.request.method_original";
/// Method of a request; `_OTHER` if no specification has it.
pub const METHOD: &str = "http.request.method";
/// Id of the request, X-Request-ID.
pub const REQUEST_ID: &str = "http.request.id";
/// Status of the response.
pub const STATUS: &str = "http.response.status_code";
/// Route that served the request, as a template.
pub const ROUTE: &str = "http.route";
/// Path of the request.
pub const PATH: &str = "url.path";
/// `http` or `https`.
pub const SCHEME: &str = "url.scheme";
/// Path of a request to 11VMS, as its profile has it.
pub const TEMPLATE: &str = "url.template";
/// Address of a request to another system, without user, query and fragment.
pub const URL: &str = "url.full";
/// Host of another system.
pub const SERVER: &str = "server.address";
/// Port of another system.
pub const PORT: &str = "server.port";
/// IP address of the caller, or of the proxy in front of it.
pub const CLIENT: &str = "client.address";
/// Version of HTTP.
pub const PROTOCOL: &str = "network.protocol.version";
/// Why a stage failed: a status, an outcome, or a kind of failure.
pub const ERROR: &str = "error.type";
/// Type of the RFC 9457 problem in the response.
pub const PROBLEM: &str = "problem.type";
/// Client that the token was issued to.
pub const CLIENT_ID: &str = "oauth2.client_id";
/// Id of the order.
pub const ORDER: &str = "order.id";
/// State of the order after the stage.
pub const STATE: &str = "order.state";
/// What the ledger made of the cart: started, restarted, joined, replayed or conflicting.
pub const ADMISSION: &str = "order.admission";
/// Number of the attempt, from 1.
pub const ATTEMPT: &str = "order.attempt.number";
/// Outcome of the attempt.
pub const OUTCOME: &str = "order.attempt.outcome";
/// Version of the mapping, a digest of its meaning.
pub const MAPPING: &str = "mapping.version";
/// Number of carts in a batch.
pub const CARTS: &str = "batch.carts";

/// Every name.
pub const ALL: [&str; 23] = [
    METHOD,
    METHOD_ORIGINAL,
    REQUEST_ID,
    STATUS,
    ROUTE,
    PATH,
    SCHEME,
    TEMPLATE,
    URL,
    SERVER,
    PORT,
    CLIENT,
    PROTOCOL,
    ERROR,
    PROBLEM,
    CLIENT_ID,
    ORDER,
    STATE,
    ADMISSION,
    ATTEMPT,
    OUTCOME,
    MAPPING,
    CARTS,
];

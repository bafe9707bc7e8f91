//! `GET /`: what the interface is, on one screen.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;

use super::answer::page;
use super::frame::{Frame, Section};
use crate::api::origin::origin;
use crate::api::{AcceptedTokens, ApiState};
use crate::config::{DemoClient, Pages};
use crate::edge::Peer;

/// Stands for the address where a request does not tell it.
const UNKNOWN_ORIGIN: &str = "https://this-service.example";

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    frame: Frame,
    token_url: Option<&'a str>,
    issuers: &'a [AcceptedTokens],
    first_call: FirstCall,
}

/// A call that can be pasted into a shell.
struct FirstCall {
    remark: &'static str,
    command: String,
}

/// The page.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new().route("/", get(get_home_page))
}

async fn get_home_page(
    State(api): State<Arc<ApiState>>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = origin(&uri, &headers, &peer);
    let origin = api.resource.base(asked.as_ref()).unwrap_or_else(|| UNKNOWN_ORIGIN.to_owned());
    let issuers = api.resource.accepted();
    let scope = issuers.first().map_or("", |issuer| &issuer.write);
    // Not cached: it depends on the name under which the service was asked.
    page(&HomePage {
        frame: Frame::new(Section::Overview, "Overview"),
        token_url: api.pages.token_url.as_ref().map(url::Url::as_str),
        issuers,
        first_call: FirstCall::new(&origin, &api.pages, scope),
    })
}

impl FirstCall {
    fn new(origin: &str, pages: &Pages, scope: &str) -> Self {
        let (remark, credentials) = match (&pages.token_url, pages.demo_client) {
            (Some(_), Some(DemoClient { id, secret })) => (
                "Paste it into a shell: it gets a token of the sandbox, and sends a sample cart.",
                format!("{id}:{secret}"),
            ),
            (Some(_), None) => (
                "With a client of your issuer's, it gets a token and sends a sample cart, which becomes an order.",
                "CLIENT_ID:CLIENT_SECRET".to_owned(),
            ),
            (None, _) => {
                ("With a token of your issuer's, it sends a sample cart, which becomes an order.", String::new())
            }
        };
        let token = match &pages.token_url {
            Some(url) => format!(
                "TOKEN=$(curl -s -u {} \\\n  -d grant_type=client_credentials \\\n  -d scope={} {} |\n  \
                 sed 's/.*\"access_token\" *: *\"\\([^\"]*\\)\".*/\\1/')",
                word(&credentials),
                word(scope),
                word(url.as_str()),
            ),
            None => "TOKEN=your-token".to_owned(),
        };
        let command = format!(
            "{token}\ncurl -s {sample} |\ncurl -i {orders} \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  \
             -H 'Content-Type: application/json' --data-binary @-",
            sample = word(&format!("{origin}/assets/sample.cart.json")),
            orders = word(&format!("{origin}/v2/purchase-orders")),
        );
        Self { remark, command }
    }
}

/// One word of a shell, quoted where it needs it.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '/' | '-' | '@');
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_shell_is_quoted_where_it_needs_it() {
        for (text, expected) in [
            ("http://127.0.0.1:8080/v2", "http://127.0.0.1:8080/v2"),
            ("a b", "'a b'"),
            ("https://x/?a=1&b=$(c)", "'https://x/?a=1&b=$(c)'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}

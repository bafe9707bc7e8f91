//! What a developer explores: the API's description, and Swagger UI with a token for its calls. Everything works offline.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, OnceLock};

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use url::Url;
use utoipa_swagger_ui::Config;

use super::answer::rendered;
use super::frame::{Frame, Section};
use crate::api::catalogues::DISCOVERY_LINKS;
use crate::api::description::{self, Spec};
use crate::api::{ApiState, TaggedContent};
use crate::config::{DemoClient, Pages};
use crate::problem::{Problem, ProblemKind};

/// The page; its scripts are files of this service, none is inline. Where a token endpoint is set, it has a form for a client of
/// it, and in any case a field for a token.
#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'a> {
    frame: Frame,
    token_url: Option<&'a Url>,
    demo_client: Option<DemoClient>,
    scopes: Vec<&'a str>,
}

impl<'a> DocsPage<'a> {
    fn of(pages: &'a Pages, scopes: Vec<&'a str>) -> Self {
        let frame = Frame::new(Section::Reference, "Reference");
        Self { frame, token_url: pages.token_url.as_ref(), demo_client: pages.demo_client, scopes }
    }
}

/// The files that the page names: ours, and those of Swagger UI.
static FILES: LazyLock<[(&str, TaggedContent); 5]> = LazyLock::new(|| {
    const STYLE: &str = "text/css; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let of_swagger_ui = |name, media_type| (name, TaggedContent::new(media_type, swagger_ui(name)));
    [
        ("page.css", TaggedContent::new(STYLE, include_str!("docs/page.css"))),
        ("page.js", TaggedContent::new(SCRIPT, include_str!("docs/page.js"))),
        ("accessible.js", TaggedContent::new(SCRIPT, include_str!("docs/accessible.js"))),
        of_swagger_ui("swagger-ui.css", STYLE),
        of_swagger_ui("swagger-ui-bundle.js", SCRIPT),
    ]
});

/// A file of Swagger UI, not copied; empty if the library has none of this name.
fn swagger_ui(name: &str) -> Bytes {
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::new(["/openapi.json"])));
    match found.ok().flatten().filter(|file| !file.gzpipped).map(|file| file.bytes) {
        Some(Cow::Borrowed(bytes)) => Bytes::from_static(bytes),
        Some(Cow::Owned(bytes)) => bytes.into(),
        None => Bytes::new(),
    }
}

/// The description as JSON, and the page that shows it. What is served follows from the settings, and is made once.
pub fn router() -> Router<Arc<ApiState>> {
    Router::new()
        .route("/docs", page())
        .route("/docs/{file}", get(get_docs_file))
        .route("/openapi.json", served(Spec::V3_1))
        .route("/openapi-3.0.json", served(Spec::V3_0))
}

fn served(spec: Spec) -> MethodRouter<Arc<ApiState>> {
    let content = Arc::new(OnceLock::<TaggedContent>::new());
    get(async move |State(api): State<Arc<ApiState>>, headers: HeaderMap| {
        let make = || {
            let text = description::served(spec, api.pages.token_url.as_ref(), api.resource.names_of_scopes());
            TaggedContent::new("application/json", text)
        };
        with_links(content.get_or_init(make).answer(&headers))
    })
}

fn page() -> MethodRouter<Arc<ApiState>> {
    let content = Arc::new(OnceLock::<TaggedContent>::new());
    get(async move |State(api): State<Arc<ApiState>>, headers: HeaderMap| {
        let make = || {
            let page = rendered(&DocsPage::of(&api.pages, api.resource.scopes()));
            TaggedContent::new("text/html; charset=utf-8", page)
        };
        let mut response = with_links(content.get_or_init(make).answer(&headers));
        let policy = HeaderValue::from_str(&policy(api.pages.token_url.as_ref()));
        response.headers_mut().extend(policy.map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
        response
    })
}

/// The content security policy of the page: its scripts may ask this service, and the token endpoint. Swagger UI draws with
/// styles that it generates, and with pictures in its own text.
fn policy(token_url: Option<&Url>) -> String {
    let endpoint = token_url.map(|url| format!(" {}", url.origin().ascii_serialization())).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'{endpoint}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn with_links(mut response: Response) -> Response {
    response.headers_mut().insert(header::LINK, HeaderValue::from_static(DISCOVERY_LINKS));
    response
}

async fn get_docs_file(Path(file): Path<String>, headers: HeaderMap) -> Response {
    match FILES.iter().find(|(name, _)| *name == file) {
        Some((_, content)) => content.answer(&headers),
        None => Problem::new(ProblemKind::NOT_FOUND, "no such path").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Audience;

    fn page(token_url: Option<&str>, demo_client: Option<DemoClient>) -> String {
        let token_url = token_url.map(|url| url.parse().unwrap());
        let pages = Pages { mapping: Audience::Public, preview: Audience::Public, token_url, demo_client };
        rendered(&DocsPage::of(&pages, vec!["a\"b"]))
    }

    #[test]
    fn only_a_demo_client_is_filled_in() {
        let without = page(None, None);
        assert!(!without.contains("get-token") && without.contains("<details class=\"own-token\" open>"), "{without}");
        let real = page(Some("https://i.example/token?a=1&b=2"), None);
        assert!(real.contains("a=1&#38;b=2") && real.contains("value=\"a&#34;b\""), "{real}");
        assert!(real.contains("name=\"client_id\" value=\"\"") && real.contains("\"own-token\">"), "{real}");
        assert!(!real.contains("expires_in"), "the lifetime is the sandbox's own parameter");
        let demo = page(Some("https://i.example/token"), Some(DemoClient { id: "x", secret: "y" }));
        for part in ["data-demo", "name=\"client_id\" value=\"x\"", "value=\"y\"", "name=\"expires_in\""] {
            assert!(demo.contains(part), "{part}: {demo}");
        }
    }

    #[test]
    fn the_page_may_ask_the_origin_of_the_token_endpoint_alone() {
        let connect = |url: Option<&str>| {
            let url = url.map(|url| url.parse::<Url>().unwrap());
            let policy = policy(url.as_ref());
            policy.split("; ").find(|part| part.starts_with("connect-src")).unwrap().to_owned()
        };
        assert_eq!(connect(None), "connect-src 'self'");
        assert_eq!(connect(Some("https://i.example/x/token?a=b;c")), "connect-src 'self' https://i.example");
        assert_eq!(connect(Some("http://127.0.0.1:81/token")), "connect-src 'self' http://127.0.0.1:81");
    }
}

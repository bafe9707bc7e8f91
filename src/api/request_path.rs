//! The path of a request in one spelling: a trailing slash, or a doubled one, leads to no other place.
//!
//! SAP's clients put both into addresses that people have entered with or without a slash. The request is not redirected: a
//! client may turn a redirected POST into a GET. Only slashes as such count; an encoded one (`%2F`) is a part of an id.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The path as the client sent it, where it was another spelling.
#[derive(Debug, Clone)]
struct SentPath(String);

/// Gives the request the one spelling of its path, before a route is looked for.
pub fn with_plain_path(mut request: Request) -> Request {
    let Some(plain) = plain(request.uri().path()) else { return request };
    let target = request.uri().query().map_or_else(|| plain.clone(), |query| format!("{plain}?{query}"));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        let sent = SentPath(request.uri().path().to_owned());
        request.extensions_mut().insert(sent);
        *request.uri_mut() = uri;
    }
    request
}

/// The path as the client sent it, for what it reads in its answer, and for the log.
pub fn sent_path(request: &Request) -> &str {
    request.extensions().get::<SentPath>().map_or_else(|| request.uri().path(), |sent| &sent.0)
}

/// The one spelling of a path, if the path has another.
fn plain(path: &str) -> Option<String> {
    let is_plain = !path.contains("//") && (path.len() <= 1 || !path.ends_with('/'));
    if is_plain {
        return None;
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    Some(format!("/{}", segments.join("/")))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn slashes_too_many_are_dropped_and_everything_else_stays() {
        for (sent, expected) in [
            ("/v2/purchase-orders", "/v2/purchase-orders"),
            ("/v2/purchase-orders/", "/v2/purchase-orders"),
            ("//v2//purchase-orders", "/v2/purchase-orders"),
            ("/v2/purchase-orders///batch//?a=//&b=/", "/v2/purchase-orders/batch?a=//&b=/"),
            ("/v2/purchase-orders/?", "/v2/purchase-orders?"),
            ("/v2/purchase-orders/A%2F%2F1/", "/v2/purchase-orders/A%2F%2F1"),
            ("/v2/purchase-orders/%2F", "/v2/purchase-orders/%2F"),
            ("/v2/./x/../y/", "/v2/./x/../y"),
            ("http://host//v2/x/?q", "http://host/v2/x?q"),
            ("http://host", "http://host/"),
            ("/", "/"),
            ("//", "/"),
            ("///?x=1", "/?x=1"),
            ("*", "*"),
        ] {
            let request = Request::builder().uri(sent).body(Body::empty()).unwrap();
            let path = request.uri().path().to_owned();
            let request = with_plain_path(request);
            assert_eq!(request.uri().to_string(), expected, "{sent}");
            assert_eq!(sent_path(&request), path, "{sent}");
        }
    }
}

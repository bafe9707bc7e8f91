//! A refusal of a page: a page for a browser, the API's problem for every other client.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Whether a client asks for pages (RFC 9110 §12.5.1): a browser names `text/html`, other clients take anything.
pub fn takes_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_html = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("text/html"));
            is_html && !parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

/// The answer to a problem: its status and headers, with the problem or, for a browser, a page as the body.
pub fn refused(problem: Problem, headers: &HeaderMap, template: impl FnOnce(&Problem) -> String) -> Response {
    let text = takes_html(headers).then(|| template(&problem)).filter(|text| !text.is_empty());
    let mut response = problem.into_response();
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    let Some(text) = text else { return response };
    // The problem itself stays with the response, for the log.
    *response.body_mut() = Body::from(text);
    response.headers_mut().insert(header::CONTENT_TYPE, HTML);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_names_html() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, Text/HTML;q=0.5", true),
            ("*/*", false),
            ("application/json", false),
            ("text/html;q=0, application/json", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(takes_html(&headers), expected, "{accept}");
        }
        assert!(!takes_html(&HeaderMap::new()));
    }
}

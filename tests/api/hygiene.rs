//! Answers protect browsers: security headers, no inline script, no markup of callers, no other origin.

use reqwest::Method;

use crate::support::{Answer, ORDERS, Service};

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let service = Service::start().await;
    for path in ["/", "/docs", "/openapi.json", "/mapping", "/livez", ORDERS, "/nowhere"] {
        let answer = Answer::of(service.client.get(service.url(path)).send().await.unwrap()).await;
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self';", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")]
        {
            assert_eq!(answer.header(name), value, "{path}");
        }
        // What is public is asked for again each time; nothing else is kept.
        let is_tagged = !answer.header("etag").is_empty();
        assert_eq!(answer.header("cache-control"), if is_tagged { "no-cache" } else { "no-store" }, "{path}");
        assert_eq!(is_tagged, ["/docs", "/openapi.json"].contains(&path), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}: TLS does not end here");
    }
}

#[tokio::test]
async fn every_script_of_the_docs_page_is_a_file_of_the_service() {
    let service = Service::start().await;
    let page = service.get("/docs").await.text;
    let scripts: Vec<&str> = page.split("<script").skip(1).collect();
    assert!(!scripts.is_empty());
    for script in scripts {
        let is_deferred = ["\" defer></script>", "\" type=\"module\"></script>"].iter().any(|end| script.contains(end));
        assert!(script.starts_with(" src=\"/docs/") && is_deferred, "{script}");
    }
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("onload="), "{page}");
}

#[tokio::test]
async fn a_callers_text_is_never_markup_in_an_answer() {
    let service = Service::start().await;
    for path in ["/%3Cscript%3Ealert(1)%3C/script%3E", "/problems/%3Cscript%3E", "/docs/%3Cscript%3E"] {
        let answer = service.get(path).await;
        answer.is_problem(404, "not-found");
        assert!(!answer.text.contains("<script>"), "{}", answer.text);
    }
}

/// Headers that the API reads.
const SENT: [&str; 12] = [
    "authorization",
    "content-type",
    "content-encoding",
    "prefer",
    "x-request-id",
    "accept-version",
    "smart-id",
    "x-csrf-token",
    "sap-passport",
    "traceparent",
    "tracestate",
    "if-none-match",
];

async fn preflight(service: &Service, origin: &str) -> Answer {
    let request = service.client.request(Method::OPTIONS, service.url(ORDERS)).header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    let request = request.header("access-control-request-headers", SENT.join(","));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn requests_of_other_origins_are_refused_unless_the_origin_is_listed() {
    let closed = Service::start().await;
    let refused = preflight(&closed, "https://portal.example").await;
    assert!(refused.status >= 400 && refused.header("access-control-allow-origin").is_empty(), "{refused:?}");

    let open = Service::start_with("server.cors_origins = [\"https://portal.example\"]").await;
    let allowed = preflight(&open, "https://portal.example").await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, "https://portal.example"));
    let may_send = allowed.header("access-control-allow-headers");
    assert!(SENT.iter().all(|header| may_send.contains(header)), "{may_send}");
    assert!(allowed.header("access-control-allow-credentials").is_empty(), "no cookies");
    assert!(preflight(&open, "https://other.example").await.header("access-control-allow-origin").is_empty());
    let request = open.client.get(open.url(ORDERS)).header("origin", "https://portal.example");
    let answer = Answer::of(request.bearer_auth(open.issuer.token()).send().await.unwrap()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "https://portal.example"));
    let readable = answer.header("access-control-expose-headers");
    let described = open.get("/openapi.json").await.body["components"]["headers"].as_object().unwrap().clone();
    for header in described.keys() {
        assert!(readable.contains(&header.to_ascii_lowercase()), "a page can't read {header}: {readable}");
    }
}

/// A real browser renders the page, and logs every violation of its policy.
#[tokio::test]
async fn a_browser_renders_the_docs_page_within_its_policy() {
    let service = Service::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut browser = tokio::process::Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]);
    browser.args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"]);
    browser.args(["--virtual-time-budget=20000", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", folder.path().display())).arg(service.url("/docs"));
    let Ok(rendered) = browser.output().await else {
        let text = "NOT RUN: chromium is not installed (Debian: apt-get install chromium)";
        assert!(std::env::vars().all(|(name, value)| name != "CI" || value != "true"), "{text}");
        return eprintln!("{text}");
    };
    let (page, log) = (String::from_utf8_lossy(&rendered.stdout), String::from_utf8_lossy(&rendered.stderr));
    for expected in ["Create a purchase order", "create_purchase_orders", "Preview", "Authorize"] {
        assert!(page.contains(expected), "{expected}: {page}\n{log}");
    }
    assert!(!log.contains("Content Security Policy") && !log.contains("Refused to"), "{log}");
}

//! A form of `/preview` that is refused: what was sent is still there, and is read as the API reads a body.

use crate::pages::{answer, form, submit, token_with};
use crate::support::{Service, cart};

#[tokio::test]
async fn what_is_no_cart_comes_back_with_what_is_wrong_with_it() {
    let service = Service::start_with("pages.public_preview = true").await;
    for (text, status, part) in [
        ("{\r\n\"HEADER\": 1,,}", 400, "line 2, column 13"),
        ("", 400, "line 1"),
        ("[1]", 422, "expected"),
        ("[{\"HEADER\":{}},{\"HEADER\":{}}]", 422, "a list of several carts"),
    ] {
        let page = submit(&service, "/preview", &[("cart", text)]).await;
        assert_eq!((page.status, page.header("content-type")), (status, "text/html; charset=utf-8"), "{text}");
        assert!(page.text.contains(part) && page.text.contains("<textarea"), "{text}: {}", page.text);
        let other = answer(form(&service, "/preview", &[("cart", text)])).await;
        assert_eq!((other.status, other.header("content-type")), (status, "application/problem+json"), "{text}");
    }
}

#[tokio::test]
async fn a_refused_form_comes_back_with_the_text_that_was_sent_and_never_with_the_sample() {
    let service = Service::start_with("server.max_body = \"2KiB\"").await;
    let own = r#"{"HEADER":{"GUID":"OWN"}}"#;
    let shown = "{&#34;HEADER&#34;:{&#34;GUID&#34;:&#34;OWN&#34;}}</textarea>";
    let start_of_area = "<textarea id=\"cart\"";
    for (fields, status, text) in [
        (vec![("cart", own)], 401, shown),
        (vec![("cart", own), ("access_token", "x")], 401, shown),
        (vec![("cart", own), ("access_token", &token_with(&service, "purchase-orders.read"))], 403, shown),
        (vec![("cart", "")], 401, ">\n</textarea>"),
        (vec![("cart", &own.repeat(100))], 413, ">\n</textarea>"),
    ] {
        let page = submit(&service, "/preview", &fields).await;
        let area = page.text.split(start_of_area).nth(1).unwrap();
        assert_eq!(page.status, status, "{fields:?}");
        assert!(area.contains(text), "{fields:?}: {area}");
    }
}

#[tokio::test]
async fn a_long_text_comes_back_to_those_who_have_a_token() {
    let service = Service::start().await;
    let long = "x".repeat(64 * 1024 + 1);
    let stranger = submit(&service, "/preview", &[("cart", &long)]).await;
    assert_eq!((stranger.status, stranger.text.contains(&long)), (401, false));
    let token = token_with(&service, "purchase-orders.write");
    let sender = submit(&service, "/preview", &[("cart", &long), ("access_token", &token)]).await;
    assert_eq!((sender.status, sender.text.contains(&long)), (400, true));
}

#[tokio::test]
async fn a_form_is_read_as_the_api_reads_a_body() {
    let service = Service::start_with("pages.public_preview = true").await;
    let marked = format!("\u{feff}{}", cart(1));
    assert_eq!(submit(&service, "/preview", &[("cart", &marked)]).await.status, 200, "a byte order mark is no text");
    let broken = service.client.post(service.url("/preview")).body("cart=%7B%22A%22%3A%22W%E4lder%22%7D");
    let broken = answer(broken.header("content-type", "application/x-www-form-urlencoded")).await;
    broken.is_problem(415, "unsupported-media-type");
    assert!(broken.body["detail"].as_str().unwrap().contains("no UTF-8"), "{}", broken.text);
}

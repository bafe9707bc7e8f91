//! The pages that people look at: who sees what, nothing of a cart or a sheet is markup, and a broken sheet shows until it is repaired.

use std::fs;

use purchase_order_webhook::clock::Clock as _;
use purchase_order_webhook::message::MessageCode;
use purchase_order_webhook::problem::ProblemKind;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::reload::{advance_until, copy_mapping, copy_mapping_with_examples};
use crate::support::{Answer, ORDERS, Service, cart};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

pub async fn answer(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// A GET as a browser sends it, without a token.
async fn open(service: &Service, path: &str) -> Answer {
    answer(service.client.get(service.url(path)).header("accept", HTML)).await
}

/// A form as a browser sends it.
pub async fn submit(service: &Service, path: &str, fields: &[(&str, &str)]) -> Answer {
    answer(form(service, path, fields).header("accept", HTML)).await
}

pub fn form(service: &Service, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = service.client.post(service.url(path)).body(body);
    request.header("content-type", "application/x-www-form-urlencoded")
}

pub fn token_with(service: &Service, scope: &str) -> String {
    let mut claims = service.issuer.claims_at(service.clock.now());
    claims["scope"] = json!(scope);
    claims["exp"] = json!(4_000_000_000_u64);
    service.issuer.sign(&json!({ "alg": "RS256", "typ": "at+jwt", "kid": service.issuer.kid() }), &claims)
}

fn is_page(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    for part in ["<html lang=\"en\">", "<main id=\"content\"", "href=\"#content\"", "</html>"] {
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_first_page_says_how_to_begin_and_every_link_of_a_page_leads_somewhere() {
    let service =
        Service::start_with("pages.public_mapping = true\npages.token_url = \"https://issuer.example/oauth2/token\"")
            .await;
    let home = open(&service, "/").await;
    is_page(&home);
    let origin = format!("http://{}/v2/purchase-orders", service.address);
    for part in [
        "purchase-orders.write",
        &service.issuer.url(),
        &origin,
        "-d scope=purchase-orders.write https://issuer.example/oauth2/token |",
    ] {
        assert!(home.text.contains(part), "{part}: {}", home.text);
    }
    for path in ["/", "/mapping", "/preview", "/problems", "/problems/invalid-cart"] {
        let page = open(&service, path).await;
        is_page(&page);
        let head = service.client.head(service.url(path)).send().await.unwrap();
        assert_eq!(head.status(), 200, "HEAD {path}");
        let links = [" href=\"", " src=\""].into_iter().flat_map(|attribute| page.text.split(attribute).skip(1));
        for link in links {
            let link = link.split('"').next().unwrap();
            if !link.starts_with('/') {
                let anchor = link.strip_prefix('#').unwrap_or_else(|| panic!("{path} leads elsewhere: {link}"));
                assert!(page.text.contains(&format!("id=\"{anchor}\"")), "{path} has no {anchor}");
                continue;
            }
            let target = open(&service, link.split('#').next().unwrap()).await;
            assert_eq!(target.status, 200, "{path} leads to {link}");
        }
    }
}

#[tokio::test]
async fn no_page_has_a_script_or_a_style_of_its_own() {
    let service = Service::start_with("pages.public_mapping = true\npages.public_preview = true").await;
    let mut pages = vec![submit(&service, "/preview", &[("cart", &cart(1).to_string())]).await];
    for path in ["/", "/mapping", "/preview", "/problems", "/problems/parked"] {
        pages.push(open(&service, path).await);
    }
    for page in pages {
        is_page(&page);
        assert!(page.header("content-security-policy").contains("style-src 'self'; img-src 'self'"));
        for part in ["<script", "<style", " style=", " onclick=", "javascript:", "data:"] {
            assert!(!page.text.contains(part), "{part}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn files_of_the_pages_are_compared_by_their_tag() {
    let service = Service::start().await;
    let style = service.get("/assets/style.css").await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert_eq!(style.header("cache-control"), "no-cache");
    let tag = style.header("etag");
    let again = service.client.get(service.url("/assets/style.css")).header("if-none-match", format!("\"x\", W/{tag}"));
    let again = answer(again).await;
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag));
    assert_eq!(service.get("/assets/favicon.svg").await.header("content-type"), "image/svg+xml");
    let sample = service.get("/assets/sample.cart.json").await;
    assert_eq!(sample.header("content-type"), "application/json");
    assert_eq!(service.send(&sample.body).await.status, 201, "the sample becomes an order");
}

#[tokio::test]
async fn the_page_of_problems_has_every_kind_and_every_message() {
    let service = Service::start().await;
    let index = open(&service, "/problems").await;
    for kind in ProblemKind::ALL {
        assert!(index.text.contains(&format!("href=\"/problems/{}\"", kind.name)), "{}", kind.name);
        let page = open(&service, &format!("/problems/{}", kind.name)).await;
        is_page(&page);
        let escaped = kind.remedy.replace('&', "&#38;").replace('<', "&#60;").replace('\'', "&#39;");
        assert!(
            page.text.contains(&escaped) && page.text.contains("&#34;requestId&#34;"),
            "{}: {}",
            kind.name,
            page.text
        );
    }
    let occurs = async |name: &str| {
        let page = open(&service, &format!("/problems/{name}")).await.text;
        page.split("Where it occurs</h2>").nth(1).unwrap().split("<h2>").next().unwrap().to_owned()
    };
    assert!(occurs("overloaded").await.contains("Any request can have it."));
    let of_settled = occurs("already-settled").await;
    assert!(of_settled.contains("resolve_purchase_order\">POST /v2/purchase-orders/{id}/resolve</a>"), "{of_settled}");
    assert_eq!(of_settled.matches("<li>").count(), 1, "{of_settled}");
    for code in [MessageCode::Section, MessageCode::UnknownKey, MessageCode::FurtherWarnings, MessageCode::Request] {
        assert!(index.text.contains(&format!("<tr id=\"message-{}\">", code.number())), "{code:?}");
    }
}

#[tokio::test]
async fn the_sheet_is_shown_to_those_who_may_read_orders() {
    let service = Service::start().await;
    let (reader, sender) =
        (token_with(&service, "purchase-orders.read"), token_with(&service, "purchase-orders.write"));
    for path in ["/mapping", "/mapping?access_token=", &format!("/mapping?access_token={reader}")] {
        let page = open(&service, path).await;
        assert_eq!((page.status, page.header("content-type")), (401, "text/html; charset=utf-8"), "{path}");
        assert!(page.header("www-authenticate").starts_with("Bearer realm="), "{page:?}");
        assert!(page.text.contains("name=\"access_token\"") && !page.text.contains("salesOrg"), "{}", page.text);
        assert_eq!((page.header("cache-control"), page.header("vary")), ("no-store", "accept"));
        let api = answer(service.client.get(service.url(path))).await;
        api.is_problem(401, "invalid-token");
        assert!(api.header("www-authenticate").starts_with("Bearer realm="), "{api:?}");
    }
    let with = |token: &str| service.client.get(service.url("/mapping")).bearer_auth(token).header("accept", HTML);
    is_page(&answer(with(&reader)).await);
    let refused = answer(with(&sender)).await;
    assert_eq!(refused.status, 403);
    assert!(refused.header("www-authenticate").contains("insufficient_scope") && refused.text.contains("<form"));

    for token in [reader.clone(), format!(" Bearer {reader}\n")] {
        let page = submit(&service, "/mapping", &[("access_token", &token)]).await;
        is_page(&page);
        assert!(page.text.contains("HEADER.ZZ_SALES_ORG") && !page.text.contains(&reader), "{}", page.text);
    }
    for (token, status) in [("", 401), ("x", 401), ("a\nb", 401), (sender.as_str(), 403)] {
        assert_eq!(submit(&service, "/mapping", &[("access_token", token)]).await.status, status, "{token:?}");
    }
    let twice = form(&service, "/mapping", &[("access_token", &reader)]).bearer_auth(&reader);
    answer(twice).await.is_problem(401, "invalid-token");
    answer(service.client.post(service.url("/mapping")).json(&json!({})))
        .await
        .is_problem(415, "unsupported-media-type");
    let fetch = service.client.get(service.url("/mapping")).bearer_auth(&reader).header("x-csrf-token", "Fetch");
    assert_eq!(answer(fetch).await.header("x-csrf-token"), "not-needed");
}

#[tokio::test]
async fn the_sheet_is_shown_as_it_is_written() {
    let service = Service::start_with("pages.public_mapping = true").await;
    let page = open(&service, "/mapping").await;
    is_page(&page);
    let version = service.get("/readyz").await.body["mappingVersion"].as_str().unwrap().to_owned();
    let sheet = fs::read_to_string("mapping/purchase-order.csv").unwrap();
    let rows = sheet.lines().count() - 1;
    assert_eq!(
        page.text.matches("<th scope=\"row\"><code>").count()
            - page.text.matches("class=\"badge good\">agrees").count(),
        rows
    );
    for part in [
        version.as_str(),
        "CustomerCategory -&#62; AccountType",
        "PARTNER[00000027].COUNTRY + PARTNER[00000027].REGION",
        "<a href=\"#table-units\"><code>table:units</code></a>",
        "<details id=\"table-units\">",
        "one-of:share",
        "<code>asjson-sample</code>",
        "All 26 agree",
        "Every file of the folder is read",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("refused\">What is in the folder"), "{}", page.text);
}

#[tokio::test]
async fn a_broken_sheet_is_shown_with_its_places_until_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    copy_mapping(folder.path());
    let settings = format!("mapping.directory = {:?}\npages.public_mapping = true", folder.path());
    let service = Service::start_with(&settings).await;
    let (sheet, table) = (folder.path().join("purchase-order.csv"), folder.path().join("tables/units.csv"));
    let (good, units) = (fs::read_to_string(&sheet).unwrap(), fs::read_to_string(&table).unwrap());
    let shown = async || open(&service, "/mapping").await.text;

    fs::write(&sheet, good.replacen("ITEM.PRICE_UNIT,decimal", "ITEM.PRICE_UNIT,number<b>", 1)).unwrap();
    fs::write(&table, "unit,value\nH,\n").unwrap();
    advance_until(&service, async || shown().await.contains("the value is empty")).await;
    let page = shown().await;
    for part in [
        "now is refused",
        "<code>purchase-order.csv</code>",
        "<code>tables/units.csv</code>",
        "<code>value</code>",
        "number&#60;b&#62;",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let line = 1 + good.lines().position(|row| row.contains("ITEM.PRICE_UNIT")).unwrap();
    assert!(page.contains(&format!("<td class=\"number\">{line}</td>")) && !page.contains("<b>"), "{page}");
    assert!(page.contains("<code>table:units</code>"), "the sheet before stays in use: {page}");

    fs::write(&table, units).unwrap();
    fs::write(&sheet, good.replacen("the cart's title", "<i>a title</i>", 1)).unwrap();
    advance_until(&service, async || shown().await.contains("&#60;i&#62;a title")).await;
    assert!(!shown().await.contains("is refused"), "{}", shown().await);
}

#[tokio::test]
async fn a_sheet_whose_examples_differ_is_shown_with_what_it_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let cut_off = copy_mapping_with_examples(folder.path());
    fs::write(folder.path().join("tables/notes.txt"), "<b>").unwrap();
    let settings = format!("mapping.directory = {:?}\npages.public_mapping = true", folder.path());
    let service = Service::start_with(&settings).await;
    assert!(open(&service, "/mapping").await.text.contains("<code>tables/notes.txt</code> is not read"));
    fs::write(folder.path().join("purchase-order.csv"), cut_off).unwrap();
    let shown = async || open(&service, "/mapping").await.text;
    advance_until(&service, async || shown().await.contains("What it makes of the examples")).await;
    let page = shown().await;
    for part in ["26 of 26 examples differ", "class=\"badge bad\">differs", "All 26 agree", "is missing, expected"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn a_pasted_cart_shows_its_order_with_the_source_of_each_field() {
    let service = Service::start_with("pages.public_preview = true").await;
    let page = submit(&service, "/preview", &[("cart", &cart(4711).to_string())]).await;
    is_page(&page);
    for part in [
        "The cart becomes this order",
        "&#34;salesOrg&#34;: &#34;1010&#34;",
        "<code>regions</code> <code>DE + 08</code>",
        "<code>0000300123</code>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(service.vms.received().len(), 0);
    assert_eq!(service.get(&format!("{ORDERS}/4711")).await.status, 404, "nothing is recorded");
}

#[tokio::test]
async fn a_pasted_cart_shows_every_mistake_and_none_of_its_texts_as_markup() {
    let service = Service::start_with("pages.public_preview = true").await;
    let mut broken = cart(1);
    broken["HEADER"].as_object_mut().unwrap().remove("ZZ_SALES_ORG");
    broken["HEADER"]["DESCRIPTION"] = json!("</textarea><script>alert(1)</script>");
    broken["ITEM"][0]["UNIT"] = json!("<img src=x>");
    broken["ITEM"][0]["DESCRIPTION"] = json!("\"><svg onload=alert(2)>&amp;");
    let page = submit(&service, "/preview", &[("cart", &broken.to_string())]).await;
    is_page(&page);
    for part in
        ["The cart can't become an order", "ZZ_SALES_ORG", "<a href=\"/problems#message-012\">", "&#60;img src=x&#62;"]
    {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for markup in ["<script", "<img src=x", "<svg onload", "</textarea><"] {
        assert!(!page.text.replace("</textarea>\n", "").contains(markup), "{markup}: {}", page.text);
    }
    let api = service.client.post(service.url(&format!("{ORDERS}/preview"))).bearer_auth(service.issuer.token());
    let messages = answer(api.json(&broken)).await.body["messages"].as_array().unwrap().len();
    assert_eq!(page.text.matches("/problems#message-").count(), messages, "as many as the API lists");
}

#[tokio::test]
async fn a_cart_is_mapped_for_those_who_may_send_carts() {
    let service = Service::start().await;
    let page = open(&service, "/preview").await;
    is_page(&page);
    assert!(page.text.contains("name=\"access_token\"") && page.text.contains("Welders Vienna"), "{}", page.text);
    let cart = cart(1).to_string();
    for (scope, status) in [("", 401), ("purchase-orders.read", 403), ("purchase-orders.write", 200)] {
        let token = if scope.is_empty() { String::new() } else { token_with(&service, scope) };
        let page = submit(&service, "/preview", &[("cart", &cart), ("access_token", &token)]).await;
        assert_eq!(page.status, status, "{scope}: {}", page.text);
        assert_eq!(page.text.contains("becomes this order"), status == 200, "{scope}");
        assert!(token.is_empty() || !page.text.contains(&token), "the token is not shown again");
    }
}

#[tokio::test]
async fn a_form_has_the_limits_of_a_cart() {
    let service = Service::start_with(
        "pages.public_preview = true\nserver.max_body = \"2KiB\"\nserver.rate_limit_per_client = 1",
    )
    .await;
    let padded = |bytes: usize| {
        let mut cart = cart(1);
        let missing = bytes - cart.to_string().len() - "\"DESCRIPTION\":\"\",".len();
        cart["HEADER"]["DESCRIPTION"] = json!("ä".repeat(missing / 2));
        cart.to_string()
    };
    assert_eq!(submit(&service, "/preview", &[("cart", &padded(2_000))]).await.status, 200, "encoded, it is larger");
    for large in [padded(3_000), "x".repeat(200_000)] {
        let page = submit(&service, "/preview", &[("cart", &large)]).await;
        assert_eq!(page.status, 413, "{}", page.text);
        assert!(page.text.contains("The body is too large") && page.text.len() < 20_000);
    }
    assert_eq!(
        form(&service, "/mapping", &[("access_token", &"x".repeat(100_000))]).send().await.unwrap().status(),
        413
    );
}

#[tokio::test]
async fn other_methods_and_unknown_paths_stay_problems() {
    let service = Service::start().await;
    for path in ["/", "/problems", "/problems/parked", "/assets/style.css"] {
        answer(service.client.post(service.url(path))).await.is_problem(405, "method-not-allowed");
    }
    for path in ["/assets/other.css", "/assets", "/preview/x", "/mapping/x"] {
        service.get(path).await.is_problem(404, "not-found");
    }
    for path in ["//", "/mapping/", "//problems//parked/"] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
}

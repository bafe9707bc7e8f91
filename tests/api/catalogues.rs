//! What crawlers find: Open Resource Discovery, the API catalogue (RFC 9727), and entity tags. `scripts/test-catalogues` validates
//! the same documents against the specification's own schemas.

use serde_json::Value;

use crate::support::{Answer, Service};

const CONFIGURATION: &str = "/.well-known/open-resource-discovery";
const CATALOGUE: &str = "/.well-known/api-catalog";

/// A GET without a token.
async fn get(service: &Service, path: &str) -> Answer {
    Answer::of(service.client.get(service.url(path)).send().await.unwrap()).await
}

#[tokio::test]
async fn a_crawler_finds_the_api_and_its_descriptions() {
    let service = Service::start().await;
    let configuration = get(&service, CONFIGURATION).await;
    let [document] = configuration.body["openResourceDiscoveryV1"]["documents"].as_array().unwrap().as_slice() else {
        panic!("{}", configuration.text)
    };
    assert_eq!(document["accessStrategies"][0]["type"], "open");
    let document = get(&service, document["url"].as_str().unwrap()).await;
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.body["describedSystemInstance"]["baseUrl"], service.url(""));
    let of = |list: &str| document.body[list][0].clone();
    let (product, package, bundle, api) =
        (of("products"), of("packages"), of("consumptionBundles"), of("apiResources"));
    assert_eq!(package["partOfProducts"][0], product["ordId"]);
    assert_eq!(api["partOfPackage"], package["ordId"]);
    assert_eq!(api["partOfConsumptionBundles"][0]["ordId"], bundle["ordId"]);
    assert!(api["ordId"].as_str().unwrap().ends_with(":v2"), "{api}");
    let definitions = api["resourceDefinitions"].as_array().unwrap();
    for (definition, (kind, openapi)) in definitions.iter().zip([("openapi-v3.1+", "3.1."), ("openapi-v3", "3.0.3")]) {
        assert_eq!(definition["type"], kind);
        let described = get(&service, definition["url"].as_str().unwrap()).await;
        assert!(described.body["openapi"].as_str().unwrap().starts_with(openapi), "{definition}");
        // One source: what is written in two places would differ some day.
        assert_eq!(described.body["info"]["title"], api["title"]);
        assert_eq!(described.body["info"]["description"], api["description"]);
        assert!(api["version"].as_str().unwrap().starts_with(described.body["info"]["version"].as_str().unwrap()));
    }
    assert_eq!(definitions.len(), 2);
}

#[tokio::test]
async fn the_api_catalogue_leads_to_everything_that_it_names() {
    let service = Service::start().await;
    let catalogue = get(&service, CATALOGUE).await;
    assert_eq!(
        catalogue.header("content-type"),
        "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\""
    );
    let contexts = catalogue.body["linkset"].as_array().unwrap();
    let api = &contexts[0]["item"][0]["href"];
    assert_eq!((&contexts[0]["anchor"], &contexts[1]["anchor"]), (&Value::from(service.url(CATALOGUE)), api));
    let relations = ["service-desc", "service-doc", "service-meta", "status"];
    let mut links = 0;
    for link in relations.iter().flat_map(|relation| contexts[1][*relation].as_array().unwrap()) {
        let found = Answer::of(service.client.get(link["href"].as_str().unwrap()).send().await.unwrap()).await;
        assert_eq!(found.status, 200, "{link}");
        let media_type = found.header("content-type").split(';').next().unwrap();
        assert_eq!(media_type, link["type"].as_str().unwrap(), "{link}");
        links += 1;
    }
    assert_eq!(links, 6);
}

#[tokio::test]
async fn head_answers_with_the_links() {
    let service = Service::start().await;
    let head = Answer::of(service.client.head(service.url(CATALOGUE)).send().await.unwrap()).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let mut links = 0;
    for link in head.header("link").split(", ") {
        let target = link.strip_prefix('<').and_then(|rest| rest.split('>').next()).unwrap();
        assert_eq!(get(&service, target).await.status, 200, "{link}");
        links += 1;
    }
    assert_eq!(links, 3);
    assert!(head.header("link").contains("</.well-known/api-catalog>; rel=\"api-catalog\""));
}

#[tokio::test]
async fn addresses_are_those_of_the_configured_resource() {
    let service = Service::start_with("auth.resource = \"https://orders.example/srm\"").await;
    let catalogue = get(&service, CATALOGUE).await;
    let api = &catalogue.body["linkset"][1];
    assert_eq!(api["anchor"], "https://orders.example/srm/");
    assert_eq!(api["service-doc"][0]["href"], "https://orders.example/srm/docs");
    let metadata = "https://orders.example/.well-known/oauth-protected-resource/srm";
    assert_eq!(api["service-meta"][1]["href"], metadata);
    let document = get(&service, "/open-resource-discovery/v1/documents/1").await;
    assert_eq!(document.body["describedSystemInstance"]["baseUrl"], "https://orders.example/srm");
}

#[tokio::test]
async fn whoever_has_a_document_is_not_sent_it_again() {
    let service = Service::start().await;
    for path in [
        CONFIGURATION,
        "/open-resource-discovery/v1/documents/1",
        CATALOGUE,
        "/.well-known/oauth-protected-resource",
        "/openapi.json",
        "/openapi-3.0.json",
        "/docs",
        "/docs/page.js",
        "/docs/page.css",
    ] {
        let first = get(&service, path).await;
        let tag = first.header("etag");
        assert!(first.status == 200 && tag.len() > 2, "{path}: {tag}");
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        let again = service.client.get(service.url(path)).header("if-none-match", tag).send().await.unwrap();
        let again = Answer::of(again).await;
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag), "{path}");
        let other = service.client.get(service.url(path)).header("if-none-match", "\"x\"").send().await.unwrap();
        assert_eq!(other.status(), 200, "{path}");
    }
}

//! The API's descriptions are those of the routes, and the page that shows them works offline. Whether a description is true
//! of an answer is not tested here.

use serde_json::Value;

use crate::support::Service;

fn committed(name: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(name)).unwrap()
}

#[tokio::test]
async fn the_committed_descriptions_are_those_of_the_routes() {
    let service = Service::start_with("pages.token_url = \"https://issuer.example/oauth2/token\"").await;
    for (path, file) in [("/openapi.json", "openapi.json"), ("/openapi-3.0.json", "openapi-3.0.json")] {
        let answer = service.get(path).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(answer.text == committed(file), "openapi/{file} is not that of the routes: run scripts/openapi");
    }
}

#[test]
fn each_description_has_its_openapi_version() {
    let version =
        |file| serde_json::from_str::<Value>(&committed(file)).unwrap()["openapi"].as_str().unwrap().to_owned();
    assert!(version("openapi.json").starts_with("3.1."));
    assert_eq!(version("openapi-3.0.json"), "3.0.3");
}

#[test]
fn the_3_0_description_uses_nothing_of_3_1() {
    fn walk(value: &Value, path: &str) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    assert!(!(name == "type" && inner.is_array()), "{path}: a list of types");
                    assert!(!(name == "examples" && inner.is_array()), "{path}: a list of examples");
                    assert!(!matches!(name.as_str(), "const" | "propertyNames" | "identifier"), "{path}/{name}");
                    walk(inner, &format!("{path}/{name}"));
                }
            }
            Value::Array(list) => list.iter().for_each(|inner| walk(inner, path)),
            _ => assert_ne!(*value, Value::from("null"), "{path}"),
        }
    }
    let document: Value = serde_json::from_str(&committed("openapi-3.0.json")).unwrap();
    walk(&document["paths"], "paths");
    walk(&document["components"], "components");
    assert!(document["info"]["license"].get("identifier").is_none());
}

#[tokio::test]
async fn the_docs_page_and_all_its_files_come_from_the_service() {
    let service = Service::start().await;
    let page = service.get("/docs").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let mut loaded = 0;
    for part in
        page.text.split(['"', '\'']).filter(|part| part.contains('/') && part.contains('.') && !part.contains('<'))
    {
        let is_ours = ["/docs/", "/openapi", "/assets/"].iter().any(|place| part.starts_with(place));
        assert!(is_ours, "{part} is not a file of the service");
        let file = service.get(part).await;
        assert_eq!(file.status, 200, "{part}");
        assert!(!file.text.is_empty() && !file.header("etag").is_empty(), "{part}: {:?}", file.headers);
        loaded += 1;
    }
    assert!(loaded >= 5, "{loaded} files");
    let script = service.get("/docs/page.js").await;
    assert!(script.text.contains("/openapi.json"), "{}", script.text);
    for (file, part) in [
        ("accessible.js", "export function nameControls"),
        ("swagger-ui.css", ".swagger-ui"),
        ("swagger-ui-bundle.js", "SwaggerUIBundle"),
    ] {
        assert!(service.get(&format!("/docs/{file}")).await.text.contains(part), "{file}");
    }
    for file in ["unheard-of.js", "index.html", "swagger-initializer.js"] {
        assert_eq!(service.get(&format!("/docs/{file}")).await.status, 404, "{file}");
    }
}

#[tokio::test]
async fn the_description_calls_the_scopes_as_the_settings_do() {
    let service = Service::start_with("auth.scopes.write = \"app.Write\"").await;
    for path in ["/openapi.json", "/openapi-3.0.json"] {
        let text = service.get(path).await.text;
        assert!(text.contains("Needs the scope `app.Write`.") && !text.contains("purchase-orders.write"), "{path}");
    }
}

#[tokio::test]
async fn the_page_asks_the_token_endpoint_that_is_set_and_nobody_else() {
    let bare = Service::start().await;
    let page = bare.get("/docs").await;
    assert!(page.header("content-security-policy").contains("connect-src 'self';"), "{:?}", page.headers);
    assert!(!page.text.contains("data-token-url") && page.text.contains("own-token"), "{}", page.text);

    let url = "https://issuer.example/oauth2/token";
    let service =
        Service::start_with(&format!("pages.token_url = \"{url}\"\nauth.scopes.write = \"my-app!t1.Write\"")).await;
    let page = service.get("/docs").await;
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'; script-src 'self';", "connect-src 'self' https://issuer.example;"] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    for part in [&format!("data-token-url=\"{url}\""), "value=\"my-app!t1.Write\"", "name=\"client_secret\""] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for path in ["/openapi.json", "/openapi-3.0.json"] {
        let description = service.get(path).await.body;
        let flows = &description["components"]["securitySchemes"]["oauth2"]["flows"];
        assert_eq!(flows["clientCredentials"]["tokenUrl"], url, "{path}");
    }
}

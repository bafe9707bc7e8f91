//! Whether the parts that are added by name find what they are added to.

use super::operations::operations;
use super::*;
use crate::problem::ProblemKind;

#[test]
fn scopes_are_called_as_the_issuer_calls_them() {
    let names = ["app!t1.Write", "purchase-orders.write", "a\"b"];
    let description: Value =
        serde_json::from_str(&served(Spec::V3_1, Some(&"https://i.example".parse().unwrap()), Some(names))).unwrap();
    let scopes = &description["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"];
    assert!(names.iter().all(|name| scopes[name].is_string()) && scopes.as_object().unwrap().len() == 3, "{scopes}");
    assert_eq!(scopes["app!t1.Write"], "Bring carts");
    let send = &description["paths"]["/v2/purchase-orders"]["post"];
    assert_eq!(send["security"][0]["oauth2"][0], "app!t1.Write");
    assert!(send["description"].as_str().unwrap().contains("Needs the scope `app!t1.Write`."), "{send}");
    assert!(!description.to_string().contains("purchase-orders.read"), "nothing has the default name");

    let one_name = served(Spec::V3_1, Some(&"https://i.example".parse().unwrap()), Some(["all"; 3]));
    let description: Value = serde_json::from_str(&one_name).unwrap();
    let scopes = &description["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"];
    for part in ["Bring carts", "Read orders", "Settle orders by hand"] {
        assert!(scopes["all"].as_str().unwrap().contains(part), "each is described: {scopes}");
    }
}

#[test]
fn every_operation_has_its_problems_and_every_problem_an_operation() {
    let mut document = document();
    let mut unanswered: Vec<&str> = ProblemKind::ALL.iter().map(|kind| kind.name).collect();
    for operation in operations(&mut document) {
        let id = operations::id(operation).to_owned();
        assert!(problems::own_kinds(&id).is_some(), "{id} has no problems in description/problems.rs");
        let text = operation.to_string();
        unanswered.retain(|name| !text.contains(&format!("/{name}\"")));
    }
    assert!(unanswered.is_empty(), "no operation has {unanswered:?}");
}

#[test]
fn every_operation_has_an_example_of_its_success() {
    let mut document = document();
    for operation in operations(&mut document) {
        let id = operations::id(operation).to_owned();
        let responses = operation["responses"].as_object().unwrap().clone();
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with('2')) {
            let content = response["content"].as_object().unwrap();
            let has_one = |content: &Value| content.get("examples").or(content.get("example")).is_some();
            assert!(content.values().all(has_one), "{id} {status} has no example");
        }
        let request = operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
        assert!(request.values().all(|content| content.get("examples").is_some()), "{id} has no request");
    }
}

#[test]
fn texts_of_which_there_are_only_some_are_enumerated() {
    let document = document();
    for pointer in [
        "/components/schemas/PurchaseOrder/properties/state/enum",
        "/components/schemas/Attempt/properties/outcome/enum",
        "/components/schemas/AuditEntry/properties/action/enum",
        "/components/schemas/Intervention/properties/action/enum",
        "/components/schemas/Message/properties/type/enum",
    ] {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let enumerated = |path: &str, name: &str| {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        parameters.iter().any(|one| one["name"] == name && one["schema"]["enum"].is_array())
    };
    assert!(enumerated("/v2/purchase-orders", "state") && enumerated("/v2/audit", "action"));
}

#[test]
fn a_service_without_a_token_endpoint_offers_the_bearer_scheme_alone() {
    let with: Value =
        serde_json::from_str(&served(Spec::V3_1, Some(&"https://as.example/token".parse().unwrap()), None)).unwrap();
    let token_url = "/components/securitySchemes/oauth2/flows/clientCredentials/tokenUrl";
    assert_eq!(with.pointer(token_url), Some(&Value::from("https://as.example/token")));
    let without = served(Spec::V3_0, None, None);
    assert!(
        !without.contains("oauth2\"") && !without.contains("issuer.example/oauth2") && without.contains("\"bearer\"")
    );
}

//! A Salesforce as 11VMS: an upsert by external id at the instance of a token, which a JWT bearer assertion gets.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use purchase_order_webhook::sandbox::issuer::{Issuer, SigningKey};
use purchase_order_webhook::sandbox::vms::{CreatedOrder, Effect, SandboxVms};
use serde_json::{Value, json};

use crate::support::{ORDERS, Service, cart};

/// A mapping to the fields of an object.
const SHEET: &str = "target,source,as,absent,remark
External_Id__c,ID,text,refuse,the order's id
Cart_Number__c,HEADER.OBJECT_ID,id,refuse,
Currency__c,HEADER.CURRENCY,text,refuse,
Total__c,HEADER.TOTAL_VALUE,decimal,refuse,
";

/// The service with the profile "salesforce"; `version` is that of Salesforce's API.
async fn start(version: &str, more: &str) -> Service {
    let issuer = Issuer::start().await.unwrap();
    let vms = SandboxVms::start_salesforce(issuer.clone()).await.unwrap();
    let key = SigningKey::generate(Algorithm::RS256, "key").unwrap();
    issuer.trust_assertion_key(key.jwk.clone());
    issuer.set_instance_url(vms.url().as_str());
    let folder = tempfile::tempdir().unwrap();
    let (file, mapping) = (folder.path().join("key.pem"), folder.path().join("mapping"));
    std::fs::write(&file, &key.pem).unwrap();
    std::fs::create_dir(&mapping).unwrap();
    std::fs::write(mapping.join("purchase-order.csv"), SHEET).unwrap();
    let settings = format!(
        "target.base_url = \"http://127.0.0.1:1/services/data/{version}\"\n\
         target.profile = \"salesforce\"\n\
         target.oauth2.grant = \"jwt_bearer\"\n\
         target.oauth2.subject = \"integration@acme.example\"\n\
         target.oauth2.private_key_file = \"{}\"\n\
         target.oauth2.instance_hosts = [\"127.0.0.1\"]\n\
         mapping.directory = \"{}\"\n{more}",
        file.display(),
        mapping.display()
    );
    Service::start_beside(issuer, vms, Arc::new(folder), &settings).await
}

fn calls(service: &Service) -> Vec<String> {
    service.vms.received().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

const RECORD: &str = "/services/data/v61.0/sobjects/Purchase_Order__c/External_Id__c/1";

#[tokio::test]
async fn an_order_is_upserted_by_its_id_at_the_instance_of_the_token() {
    let service = start("v61.0", "").await;
    let answer = service.send(&cart(1)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.body["purchaseOrderNumber"], "a0X4500000001EAK");
    assert_eq!(calls(&service), [format!("PATCH {RECORD}")]);
    let request = &service.vms.received()[0];
    assert_eq!(
        (request.header("content-type"), request.header("idempotency-key")),
        (Some("application/json"), Some("1"))
    );
    // The sandbox refuses the external id in the body, as Salesforce does.
    let fields = json!({ "Cart_Number__c": "1", "Currency__c": "EUR", "Total__c": "100.5", "External_Id__c": "1" });
    assert_eq!(service.vms.orders()[0].body, fields);
    assert_eq!(service.send(&cart(1)).await.status, 200, "the same cart again");
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_followed_by_a_look_up_that_finds_the_record() {
    let service = start("v61.0", "").await;
    service.vms.next(Effect::HangUpAfter);
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    service.clock.advance(Duration::from_secs(40));
    let order = service.until("1", "created").await;
    assert_eq!(order["purchaseOrderNumber"], "a0X4500000001EAK");
    assert_eq!(order["attempts"][1]["outcome"], "found");
    assert_eq!(calls(&service), [format!("PATCH {RECORD}"), format!("GET {RECORD}")]);
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again_once_salesforce_says_that_there_is_no_record() {
    let service = start("v61.0", "").await;
    service.vms.next(Effect::HangUpBefore);
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    service.clock.advance(Duration::from_secs(40));
    service.until("1", "created").await;
    assert_eq!(calls(&service).len(), 3);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn more_than_one_record_under_an_id_is_a_matter_for_a_person() {
    let service = start("v61.0", "retry.attempts = 0").await;
    for number in ["a0X1", "a0X2"] {
        let body = json!({ "External_Id__c": "1" });
        service.vms.add_order(CreatedOrder { number: number.to_owned(), body });
    }
    let answer = service.send(&cart(1)).await;
    answer.is_problem(502, "parked");
    assert!(answer.text.contains("answered 300") && answer.text.contains("more than one record"), "{}", answer.text);
    assert_eq!(service.vms.orders().len(), 2, "nothing was created");
}

#[tokio::test]
async fn errors_of_salesforce_are_shown_and_a_limit_is_waited_for() {
    let service = start("v61.0", "").await;
    let error = |code: &str, message: &str| json!([{ "message": message, "errorCode": code, "fields": [] }]);
    let refused = |status, body: Value| Effect::Status { status, body, retry_after: None };
    let body = error("REQUIRED_FIELD_MISSING", "Required fields are missing: [Supplier__c]");
    service.vms.next(refused(400, body.clone()));
    let answer = service.send(&cart(1)).await;
    answer.is_problem(422, "refused-by-11vms");
    assert_eq!(answer.body["vms"], body);
    let message = answer.body["messages"][0]["message"].as_str().unwrap();
    assert!(message.contains("Required fields are missing: [Supplier__c]"), "{message}");
    assert!(message.contains("REQUIRED_FIELD_MISSING"), "{message}");

    service.vms.next(refused(403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")));
    service.post(cart(2).to_string()).header("prefer", "respond-async").send().await.unwrap();
    let order = service.until("2", "retrying").await;
    assert_eq!(order["attempts"][0]["outcome"], "not-done");
    service.clock.advance(Duration::from_secs(40));
    service.until("2", "created").await;
}

#[tokio::test]
async fn a_number_that_the_answer_does_not_have_is_read_from_the_record_at_once() {
    let service = start("v61.0", "target.number_pointer = \"/Name\"").await;
    let answer = service.send(&cart(1)).await;
    assert_eq!((answer.status, &answer.body["purchaseOrderNumber"]), (201, &json!("PO-a0X4500000001EAK")));
    assert_eq!(answer.body["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(calls(&service), [format!("PATCH {RECORD}"), format!("GET {RECORD}")]);
}

#[tokio::test]
async fn an_update_without_a_body_is_no_second_order() {
    let service = start("v45.0", "").await;
    let body = json!({ "External_Id__c": "1" });
    service.vms.add_order(CreatedOrder { number: "a0X1".to_owned(), body });
    let answer = service.send(&cart(1)).await;
    assert_eq!((answer.status, &answer.body["purchaseOrderNumber"]), (201, &json!("a0X1")), "{}", answer.text);
    assert_eq!(service.get(&format!("{ORDERS}/1")).await.body["attempts"][0]["httpStatus"], 204);
    assert_eq!(service.vms.orders().len(), 1);
}

#[tokio::test]
async fn the_object_and_the_field_are_those_of_the_path() {
    let settings =
        "target.create.path = \"/sobjects/Order/Cart__c/{id}\"\ntarget.create.omit = [\"Cart__c\", \"External_Id__c\"]";
    let service = start("v61.0", settings).await;
    service.vms.next(Effect::HangUpAfter);
    service.post(cart(1).to_string()).header("prefer", "respond-async").send().await.unwrap();
    service.until("1", "retrying").await;
    service.clock.advance(Duration::from_secs(40));
    service.until("1", "created").await;
    let path = "/services/data/v61.0/sobjects/Order/Cart__c/1";
    assert_eq!(calls(&service), [format!("PATCH {path}"), format!("GET {path}")]);
}

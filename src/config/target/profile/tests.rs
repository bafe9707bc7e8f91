//! The profiles, their keys one by one, and the mistakes in them.

use std::collections::BTreeMap;

use crate::config::tests::{NEEDED, read_with_needed};
use crate::config::{Fillings, Mapping, Mistakes, RequestHeader, Settings, Target};
use crate::mapping::IdField;
use crate::order::vms_response::{NumberSource, Repetition, ResponseRules};

fn read(text: &str, environment: &[(&str, &str)]) -> Result<Target, Mistakes> {
    read_with_needed(text, environment).map(|settings| settings.target)
}

fn target(text: &str) -> Target {
    read(text, &[]).unwrap()
}

/// A look-up as `path?query`, with its placeholders.
fn look_up(target: &Target) -> String {
    let request = &target.profile.look_up;
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}?{}", request.path, query.join("&"))
}

/// Headers as `name: value`, for the order 1 of the cart 1.
fn headers(headers: &[RequestHeader]) -> Vec<String> {
    let fillings = Fillings { id: "1", number: "1" };
    let value = |header: &RequestHeader| header.value(fillings, str::to_owned).unwrap().to_str().unwrap().to_owned();
    headers.iter().map(|header| format!("{}: {}", header.name, value(header))).collect()
}

fn create(target: &Target) -> String {
    format!("{} {}", target.profile.create.method, target.profile.create.path)
}

#[test]
fn the_profile_of_11vms_is_the_default() {
    for text in ["", "target.profile = \"11vms\""] {
        let target = target(text);
        assert_eq!(create(&target), "POST /purchase-orders");
        assert_eq!(look_up(&target), "/purchase-orders?externalId={id}");
        assert_eq!(target.response_rules, ResponseRules::default());
        assert!(target.profile.create.omit.is_empty() && target.profile.create.headers.is_empty());
    }
}

#[test]
fn the_profile_of_salesforce_follows_its_path() {
    let plain = target("target.profile = \"salesforce\"");
    assert_eq!(create(&plain), "PATCH /sobjects/Purchase_Order__c/External_Id__c/{id}");
    assert_eq!(look_up(&plain), "/sobjects/Purchase_Order__c/External_Id__c/{id}?");
    assert_eq!(plain.response_rules, ResponseRules::salesforce("External_Id__c"));
    assert_eq!(plain.profile.create.omit, ["External_Id__c"]);

    let own = target("target.profile = \"salesforce\"\ntarget.create.path = \"/sobjects/Order/Cart__c/{id}?x=1\"");
    assert_eq!(look_up(&own), "/sobjects/Order/Cart__c/{id}?x=1?");
    assert_eq!(own.response_rules, ResponseRules::salesforce("Cart__c"));
    assert_eq!(own.profile.create.omit, ["Cart__c"]);
}

#[test]
fn every_key_can_be_set_by_itself() {
    let rules = |text: &str| target(text).response_rules;
    let defaults = ResponseRules::default;
    let put = target("target.create.method = \"PUT\"\ntarget.create.path = \"/po?ref={id}\"");
    assert_eq!(create(&put), "PUT /po?ref={id}");
    assert_eq!(create(&target("target.create.path = \"/po/{id}\"")), "POST /po/{id}");
    assert_eq!(look_up(&target("target.lookup.path = \"/search\"")), "/search?externalId={id}");
    assert_eq!(look_up(&target("target.lookup.query = { ref = \"{id}\", n = 1 }")), "/purchase-orders?n=1&ref={id}");
    assert_eq!(look_up(&target("[target.lookup]\npath = \"/po/{id}\"\n[target.lookup.query]")), "/po/{id}?");
    assert_eq!(rules("target.number_pointer = \"/a/no\"").look_up.number_pointers, ["/a/no", "/no"]);
    assert_eq!(rules("target.lookup.number_pointer = \"/no\"").look_up.number_pointers, ["/no"]);
    assert_eq!(rules("target.lookup.list_pointer = \"\"").look_up.list_pointer, "");
    assert_eq!(rules("target.lookup.id_pointer = \"none\"").look_up.id_pointer, None);
    assert_eq!(rules("target.lookup.id_pointer = \"/ref\"").look_up.id_pointer.as_deref(), Some("/ref"));
    assert_eq!(rules("target.error_pointer = \"/text\"").error_pointer.as_deref(), Some("/text"));
    assert_eq!(rules("target.rejected_codes = [\"A\", \"B\"]").rejected_codes, ["A", "B"]);
    assert_eq!(rules("target.transient_codes = []").transient_codes, Vec::<String>::new());
    assert_eq!(rules("target.gateway_statuses = []").gateway_statuses, Vec::<u16>::new());
    assert_eq!(rules("target.create.success_statuses = [200, 201, 202]").success_statuses, [200, 201, 202]);
    assert_eq!(rules("target.create.number_from = \"lookup\"").number_source, NumberSource::LookUp);
    assert_eq!(rules("target.lookup.none_statuses = [404, 204]").look_up.none_statuses, [404, 204]);
    // Helm writes numbers so.
    assert_eq!(rules("target.lookup.none_statuses = [404.0]").look_up.none_statuses, [404]);
    // A single order that is not there is 404, unless the settings say otherwise.
    assert_eq!(rules("target.lookup.path = \"/po/{id}\"").look_up.none_statuses, [404]);
    let explicit = "target.lookup.path = \"/po/{id}\"\ntarget.lookup.none_statuses = []";
    assert_eq!(rules(explicit).look_up.none_statuses, Vec::<u16>::new());
    let coded = "target.lookup.none_statuses = [404]\ntarget.lookup.none_codes = [\"X\"]";
    assert_eq!(rules(coded).look_up.none_codes, ["X"]);
    let salesforce = rules("target.profile = \"salesforce\"\ntarget.number_pointer = \"/Name\"");
    assert_eq!(
        (salesforce.number_pointer.as_str(), salesforce.look_up.number_pointers),
        ("/Name", vec!["/Name".into()])
    );
    assert_eq!(salesforce.rejected_codes, defaults().rejected_codes);
}

#[test]
fn a_default_that_is_written_out_changes_nothing() {
    let salesforce = "target.profile = \"salesforce\"\n";
    for (profile, settings) in [
        ("", "target.number_pointer = \"/poNumber\""),
        ("", "target.create.number_from = \"answer\""),
        (salesforce, "target.number_pointer = \"/id\""),
        (salesforce, "target.lookup.number_pointer = \"/Id\""),
        (salesforce, "target.lookup.none_codes = [\"NOT_FOUND\"]"),
        (salesforce, "target.create.omit = [\"External_Id__c\"]"),
        (salesforce, "target.lookup.id_pointer = \"/External_Id__c\""),
    ] {
        let (with, without) = (target(&format!("{profile}{settings}")), target(profile));
        assert_eq!(format!("{with:?}"), format!("{without:?}"), "{settings}");
    }
}

#[test]
fn the_example_speaks_the_api_of_any_profile() {
    let example = include_str!("../../../../config.example.toml");
    let other = example.replace("\nprofile = \"11vms\"", "\nprofile = \"salesforce\"");
    let settings = |text: &str| Settings::parse("config.toml", text, &BTreeMap::new()).unwrap().target;
    let (as_it_is, salesforce) = (settings(example), settings(&other));
    let defaults = target("target.profile = \"salesforce\"");
    assert_eq!(as_it_is.response_rules, ResponseRules::default());
    assert_eq!(salesforce.response_rules, ResponseRules::salesforce("External_Id__c"));
    assert_eq!(format!("{:?}", salesforce.profile), format!("{:?}", defaults.profile));
}

#[test]
fn only_the_address_of_one_order_has_404_for_none() {
    for (settings, expected) in [
        ("target.lookup.path = \"/po/{id}\"", vec![404]),
        ("target.lookup.path = \"/po/{id}?client=100\"", vec![404]),
        ("target.lookup.path = \"/po?externalId={id}\"", vec![]),
        ("target.lookup.path = \"/po/search?$filter=ref eq {id}\"", vec![]),
        ("target.lookup.path = \"/po/{number}?externalId={id}\"", vec![]),
        ("target.lookup.path = \"/po/{number}\"", vec![]),
    ] {
        let settings = settings.replace(' ', "%20").replace("%20=%20", " = ");
        assert_eq!(target(&settings).response_rules.look_up.none_statuses, expected, "{settings}");
    }
}

#[test]
fn headers_are_sent_with_a_look_up_too_and_a_secret_may_be_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "hush {x}\n").unwrap();
    let create = format!(
        "target.create.headers = {{ X-Api-Key_file = \"{}\", X-Client = \"100-{{id}}\", If-None-Match = \"*\", \
         Content-Type = \"application/vnd.vms+json\", Content-Language = \"en\" }}\n",
        file.display()
    );
    let both = |more: &str| {
        let profile = target(&format!("{create}{more}")).profile;
        (profile.create.headers, profile.look_up.headers)
    };
    let (of_create, of_look_up) = both("");
    assert_eq!(of_create.len(), 5);
    assert_eq!(headers(&of_look_up), ["x-api-key: hush {x}", "x-client: 100-1"]);
    assert!(of_look_up.iter().all(|header| !format!("{header:?}").contains("hush")));
    std::fs::write(&file, "new").unwrap();
    assert_eq!(headers(&of_look_up)[0], "x-api-key: new");
    std::fs::remove_file(&file).unwrap();
    let problem = of_look_up[0].value(Fillings { id: "1", number: "1" }, str::to_owned).unwrap_err();
    assert!(problem.contains(&file.display().to_string()), "{problem}");

    std::fs::write(&file, "hush").unwrap();
    assert_eq!(headers(&both("target.lookup.headers = { X-Other = \"1\" }").1), ["x-other: 1"]);
    assert_eq!(headers(&both("[target.lookup.headers]").1), Vec::<String>::new());
    let variable = [("PO_WEBHOOK_TARGET__CREATE__HEADERS__X_API_KEY_FILE", file.to_str().unwrap())];
    assert_eq!(headers(&read("", &variable).unwrap().profile.create.headers), ["x-api-key: hush"]);
}

#[test]
fn an_attempt_has_the_time_that_its_calls_may_take() {
    for (settings, seconds) in [
        ("target.timeout = \"10s\"", 30),
        ("target.timeout = \"10s\"\ntarget.create.number_from = \"lookup\"", 40),
        ("target.timeout = \"10s\"\ntarget.profile = \"salesforce\"", 40),
    ] {
        assert_eq!(target(settings).attempt_limit().as_secs(), seconds, "{settings}");
    }
}

#[test]
fn what_a_create_makes_twice_follows_its_method_and_a_refusal_takes_a_code_from_the_transient_ones() {
    let rules = |text: &str| target(text).response_rules;
    assert_eq!(rules("").repetition, Repetition::SecondOrder);
    assert_eq!(
        rules("target.create.method = \"PUT\"\ntarget.create.path = \"/po/{id}\"").repetition,
        Repetition::SameOrder
    );
    assert_eq!(rules("target.create.path = \"/v2/orders?x=1\"").collection.as_deref(), Some("orders"));
    let salesforce = rules("target.profile = \"salesforce\"\ntarget.rejected_codes = [\"DUPLICATE_VALUE\"]");
    assert_eq!(salesforce.transient_codes, ["REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW"]);
}

#[test]
fn variables_set_the_profile_and_its_open_sections_too() {
    let environment = [
        ("PO_WEBHOOK_TARGET__CREATE__PATH", "/po"),
        ("PO_WEBHOOK_TARGET__CREATE__HEADERS__X_API_KEY", "hush"),
        ("PO_WEBHOOK_TARGET__LOOKUP__QUERY__EXTERNALID", "x{id}"),
        ("PO_WEBHOOK_TARGET__LOOKUP__NONE_STATUSES", "204,404"),
    ];
    let target = read("", &environment).unwrap();
    assert_eq!(
        (create(&target).as_str(), look_up(&target).as_str()),
        ("POST /po", "/purchase-orders?externalId=x{id}")
    );
    assert_eq!(target.response_rules.look_up.none_statuses, [204, 404]);
    assert_eq!(headers(&target.profile.create.headers), ["x-api-key: hush"]);
    assert!(!format!("{target:?}").contains("hush"), "a header may be a key");
    let in_the_file = "target.create.headers.X-Api-Key = \"old\"\ntarget.lookup.query.Ref = \"{id}\"";
    let both =
        [("PO_WEBHOOK_TARGET__CREATE__HEADERS__X_API_KEY", "new"), ("PO_WEBHOOK_TARGET__LOOKUP__QUERY__REF", "y{id}")];
    let target = read(in_the_file, &both).unwrap();
    assert_eq!(look_up(&target), "/purchase-orders?Ref=y{id}");
    assert_eq!(target.profile.create.headers.len(), 1);
}

#[test]
fn mistakes_name_the_key_and_what_is_expected() {
    for (text, expected) in [
        ("target.profile = \"sap\"", "target.profile: expected 11vms or salesforce, found \"sap\""),
        ("target.create.method = \"GET\"", "target.create.method: expected POST or PUT or PATCH"),
        ("target.create.path = \"purchase-orders\"", "target.create.path: expected a path such as /purchase-orders"),
        ("target.create.path = \"https://x.example/po\"", "target.create.path: expected a path"),
        ("target.create.path = \"//x.example/po\"", "target.create.path: expected a path"),
        ("target.create.path = \"/../admin\"", "target.create.path: expected a path"),
        ("target.create.path = \"/%2E%2e/admin\"", "target.create.path: expected a path"),
        ("target.create.path = \"/po#x\"", "target.create.path: expected a path"),
        ("target.create.path = \"/po/{field}\"", "target.create.path: expected a path"),
        ("target.create.path = \"/po/{id\"", "target.create.path: expected a path"),
        (
            "target.create.headers.Authorization = \"hush\"",
            "target.create.headers.Authorization: the service sets the header",
        ),
        ("target.create.headers.host = \"x\"", "target.create.headers.host: the service sets the header host itself"),
        ("target.create.headers.Content-Length = \"1\"", "target.create.headers.Content-Length: the service sets"),
        ("target.create.headers.\"a b\" = \"x\"", "target.create.headers.a b: expected the name of an HTTP header"),
        ("target.create.headers.X-Key = \"hush\\n\"", "target.create.headers.X-Key: expected a text in ASCII"),
        ("target.create.headers.X-Key = \"hush{x}\"", "target.create.headers.X-Key: expected a text in ASCII"),
        ("target.create.headers.X-Key = [\"hush\"]", "target.create.headers.X-Key: expected a text in ASCII"),
        (
            "target.create.headers.content-type = \"text/xml\"",
            "target.create.headers.content-type: expected application/json",
        ),
        ("target.create.headers = \"x\"", "target.create.headers: expected a section with names and texts"),
        ("target.create.success_statuses = [404]", "target.create.success_statuses: expected a list of HTTP statuses"),
        ("target.create.success_statuses = []", "target.create.success_statuses: expected at least one"),
        ("target.lookup.query = {}", "target.lookup.query: expected {id} or {number}"),
        ("target.lookup.query = { n = \"1\" }", "target.lookup.query: expected {id} or {number}"),
        ("target.lookup.query = { n = \"{x}\" }", "target.lookup.query.n: expected a text"),
        (
            "target.lookup.id_pointer = \"\"",
            "target.lookup.id_pointer: expected a JSON pointer such as /externalId, or \"none\"",
        ),
        ("target.lookup.list_pointer = \"orders\"", "target.lookup.list_pointer: expected a JSON pointer"),
        ("target.lookup.none_statuses = [500]", "target.lookup.none_statuses: expected a list of the HTTP statuses"),
        ("target.lookup.none_statuses = [\"x\"]", "target.lookup.none_statuses: expected a list of the HTTP statuses"),
        ("target.gateway_statuses = [502]", "target.gateway_statuses: expected a list of HTTP statuses from 400"),
        ("target.lookup.querry.x = \"{id}\"", "target.lookup.querry.x: unknown key"),
        (
            "target.profile = \"salesforce\"\ntarget.create.path = \"/po\"\ntarget.lookup.path = \"/po/{id}\"",
            "target.lookup.id_pointer is missing; expected a JSON pointer",
        ),
    ] {
        assert_mistake(text, expected);
    }
}

#[test]
fn settings_without_effect_or_with_a_harmful_one_are_mistakes() {
    for (text, expected) in [
        ("target.gateway_statuses = [404, 429]", "target.gateway_statuses: expected a list of HTTP statuses from 400"),
        ("target.gateway_statuses = [401]", "target.gateway_statuses: expected a list of HTTP statuses from 400"),
        ("target.gateway_statuses = [408]", "target.gateway_statuses: expected a list of HTTP statuses from 400"),
        ("target.gateway_statuses = [425]", "target.gateway_statuses: expected a list of HTTP statuses from 400"),
        (
            "target.rejected_codes = [\"A\", \"B\"]\ntarget.transient_codes = [\"B\"]",
            "target.transient_codes: B is in target.rejected_codes as well",
        ),
        ("target.lookup.none_codes = [\"X\"]\ntarget.lookup.none_statuses = [204]", "target.lookup.none_codes: has no"),
        ("target.lookup.none_codes = [\"X\"]", "target.lookup.none_codes: has no effect; expected 404 or 410"),
        ("target.create.method = \"PUT\"", "target.create.path: expected {id} in it: PUT"),
        (
            "target.create.omit = [\"note\", \"externalId\"]",
            "target.create.omit: externalId is the field by which an order is looked up",
        ),
        (
            "target.create.method = \"PATCH\"\ntarget.create.path = \"/po/{number}\"",
            "target.create.path: expected {id} in it: PATCH",
        ),
        (
            "target.lookup.id_pointer = \"none\"\ntarget.lookup.query = { cart = \"{number}\" }",
            "target.lookup.id_pointer: \"none\" needs {id}",
        ),
        (
            "target.number_pointer = \"/externalId\"",
            "target.number_pointer: the purchase order number and the id are at one place",
        ),
        (
            "target.lookup.number_pointer = \"/externalId\"",
            "target.lookup.number_pointer: the purchase order number and the id are at one place",
        ),
        (
            "target.lookup.id_pointer = \"/poNumber\"",
            "target.lookup.id_pointer: the purchase order number and the id are at one place",
        ),
        (
            "target.create.headers = { X-Key = \"hush\", x-key = \"hush\" }",
            "target.create.headers.x-key: the header x-key is set twice",
        ),
        (
            "target.create.headers = { X-Key = \"hush\", X-Key_file = \"config.example.toml\" }",
            "target.create.headers.X-Key_file: the secret file config.example.toml has several lines; expected one line",
        ),
        (
            "target.create.headers.X-Key_file = \"/nowhere/key\"",
            "target.create.headers.X-Key_file: the secret file /nowhere/key",
        ),
        (
            "target.create.headers.Authorization_file = \"/nowhere/key\"",
            "target.create.headers.Authorization_file: the service sets the header authorization itself",
        ),
        (
            "target.create.headers.content-type_file = \"/nowhere/key\"",
            "target.create.headers.content-type_file: expected application/json",
        ),
        (
            "target.lookup.headers.content-type = \"application/json\"",
            "target.lookup.headers.content-type: a look-up has no content",
        ),
        ("target.lookup.headers.host = \"x\"", "target.lookup.headers.host: the service sets the header host itself"),
    ] {
        assert_mistake(text, expected);
    }
}

/// A text has this mistake, among others, and none of them shows a secret.
fn assert_mistake(text: &str, expected: &str) {
    let found = read(text, &[]).map(|_| ()).unwrap_err().0;
    let is_found = found.iter().any(|mistake| mistake.starts_with(&format!("config.toml: {expected}")));
    assert!(is_found && !found.concat().contains("hush"), "{text}\n{expected}\n{found:#?}");
}

#[test]
fn the_mapping_learns_from_the_profile_where_an_order_has_its_id() {
    let at = |pointer: &str| IdField::At(pointer.to_owned());
    for (text, expected) in [
        ("", at("/externalId")),
        ("target.lookup.id_pointer = \"/header/ref\"", at("/header/ref")),
        ("target.lookup.id_pointer = \"none\"", IdField::Somewhere),
        ("target.profile = \"salesforce\"", IdField::AtIfThere("/External_Id__c".to_owned())),
        ("target.create.path = \"/po/{id}\"", IdField::AtIfThere("/externalId".to_owned())),
        ("target.create.path = \"/po/{id}\"\ntarget.lookup.id_pointer = \"none\"", IdField::Nowhere),
    ] {
        let text = format!("{NEEDED}\n{text}");
        let all = Settings::parse("config.toml", &text, &BTreeMap::new()).unwrap();
        assert_eq!(all.mapping.options.id_field, expected, "{text}");
        // Of settings with other mistakes too, as `check` and `map` read them.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, format!("{text}\nserver.listen = \"here\"\nledger.nothing = 1\n")).unwrap();
        assert_eq!(Mapping::load(Some(&file), &BTreeMap::new()).unwrap().options.id_field, expected, "{text}");
    }
}

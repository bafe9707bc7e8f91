//! What senders do to a cart, and what each of it becomes: the kinds that the inputs of this folder are samples of.

use purchase_order_webhook::cart::{Cart, Name};
use purchase_order_webhook::mapping::{Mapped, MappingOptions, Preview};
use purchase_order_webhook::message::{Message, Severity};
use serde_json::{Value, json};

use crate::{case, mapped, mistakes, options, preview, sheet, sheet_with, shipped};

fn order(cart: &str) -> Value {
    mapped(&shipped(), cart).order()
}

/// A header, an item, and what else is wanted beside the given fields.
fn cart(header: &str, item: &str) -> String {
    format!(r#"{{"HEADER":{{"OBJECT_ID":"1"{header}}},"ITEM":[{{"A":1{item}}}]}}"#)
}

#[test]
fn a_deleted_account_is_not_ordered() {
    let allocations = &order(&case("01-account-deleted.json"))["lines"][0]["allocations"];
    assert_eq!(*allocations, json!([{ "percent": "100", "glAccount": "410000", "costCenter": "2200" }]));
}

#[test]
fn accounts_nested_in_their_item_make_the_same_order() {
    let nested = case("04-accounts-nested-in-item.json");
    let mut beside: Value = serde_json::from_str(&nested).unwrap();
    let mut accounts = beside["ITEM"][0].as_object_mut().unwrap().remove("ACCOUNT").unwrap();
    accounts[0]["P_GUID"] = beside["ITEM"][0]["GUID"].clone();
    beside["ACCOUNT"] = accounts;
    let beside = beside.to_string();
    assert_eq!(order(&nested), order(&beside));
    assert_eq!(order(&nested)["lines"][0]["allocations"][0]["costCenter"], "2100");
    assert_eq!(Cart::parse(&nested).unwrap().fingerprint(), Cart::parse(&beside).unwrap().fingerprint());
}

#[test]
fn zeros_of_a_text_are_a_value_and_zero_of_a_number_is_initial() {
    let mapping = sheet(
        "division,HEADER.ZZ_DIVISION,text,refuse\nkind,HEADER.ZZ_KIND,table:kinds,refuse\n\
         channel,HEADER.ZZ_CHANNEL,text,refuse\namount,HEADER.ZZ_AMOUNT,decimal,use:7\ndate,HEADER.ZZ_DATE,date,omit\n",
    );
    let case = case("06-division-zero-zero.json");
    assert_eq!(
        mapped(&mapping, &case).order(),
        json!({ "division": "00", "kind": "none", "channel": "0", "amount": "7" })
    );
    let typed = cart(r#","zzDivision":"00","zzKind":"00","zzChannel":0,"zzAmount":"0.00","zzDate":"00000000""#, "");
    assert_eq!(
        mapped(&mapping, &typed).order(),
        json!({ "division": "00", "kind": "two", "channel": "0", "amount": "7" })
    );
    let blank = mistakes(&mapping, &cart(r#","ZZ_DIVISION":"  ","ZZ_KIND":"","ZZ_CHANNEL":null"#, ""));
    assert_eq!(blank.len(), 3, "{blank:?}");
}

#[test]
fn rows_under_item_and_under_results_are_the_same_rows() {
    let plain = order(&case("04-accounts-nested-in-item.json"));
    for name in ["08-rows-under-item.json", "09-results-with-count.json"] {
        let found = order(&case(name));
        assert_eq!(found["lines"], plain["lines"], "{name}");
        assert_eq!((&found["purchasingOrg"], &found["supplier"]), (&plain["purchasingOrg"], &plain["supplier"]));
    }
}

#[test]
fn whole_numbers_are_ids_and_fractions_are_not() {
    let case = case("11-ids-as-doubles.json");
    let found = order(&case);
    assert_eq!(found["externalNumber"], "3000000013");
    assert_eq!(found["supplier"]["externalId"], "400555");
    assert_eq!(found["lines"][0]["allocations"][0]["glAccount"], "410000");
    assert_eq!(found["lines"][0]["allocations"][0]["costCenter"], "2100");

    let same = order(&case.replace("\"00000019\"", "19.0").replace("\"00000027\"", "2.7E1"));
    assert_eq!(same, found, "a selection");
    let fraction = mistakes(&shipped(), &case.replace("400555.0", "400555.5"));
    assert_eq!(fraction.len(), 1);
    assert!(
        fraction[0]
            .starts_with("PARTNER[00000019].PARTNER_ID of item 1 (NUMBER_INT 0000000001) is 400555.5; expected "),
        "{fraction:?}"
    );
    let text = order(&case.replace("400555.0", "\"400555.0\""));
    assert_eq!(text["supplier"]["externalId"], "400555.0", "a text is a text");
    let with_fraction = r#"{"HEADER":{"OBJECT_ID":1.5},"ITEM":[{}]}"#;
    assert!(mistakes(&sheet("a,ID,text,refuse\n"), with_fraction)[0].contains("HEADER.OBJECT_ID is \"1.5\""));
}

#[test]
fn names_that_fold_together_matter_only_where_the_sheet_reads_them() {
    assert!(order(&case("15-names-that-fold.json")).is_object());
    let mapping = sheet("file,HEADER.FILE_NAME,text,omit\nother,HEADER.FILENAME,text,omit\n");
    let found = mapped(&mapping, &cart(r#","FILENAME":"b","FILE_NAME":"a","fileName":"c""#, "")).order();
    assert_eq!(found, json!({ "file": "a", "other": "b" }), "the exact spelling");
    let one = mapped(&sheet("file,HEADER.FILE_NAME,text,omit\n"), &cart(r#","filename":"a""#, "")).order();
    assert_eq!(one, json!({ "file": "a" }), "any spelling, where there is one");
    let neither = mistakes(&mapping, &cart(r#","fileName":"b","Filename":"a""#, ""));
    assert!(neither[0].starts_with("HEADER.FILE_NAME is sent as fileName and Filename"), "{neither:?}");
    let sections = cart("", "").replace("\"ITEM\"", "\"item\":[],\"Item\"");
    assert!(mistakes(&mapping, &sections)[0].contains("item and Item"), "{:?}", mistakes(&mapping, &sections));
}

#[test]
fn an_empty_object_is_an_empty_list() {
    let mapping =
        sheet("lines[].costs[].center,ACCOUNT.COST_CTR,id,omit\nlines[].number,ITEM.NUMBER_INT,integer,omit\n");
    assert_eq!(
        mapped(&mapping, &case("16-empty-object-for-a-list.json")).order(),
        json!({ "lines": [{ "number": 1 }] })
    );
}

#[test]
fn two_lines_of_one_number_are_a_mistake() {
    let found = mistakes(&shipped(), &case("17-line-number-twice.json"));
    assert_eq!(found, ["ITEM.NUMBER_INT of item 2 is \"0000000001\", the number of item 1 too"]);
    let mapping = sheet("lines[],ITEM[KIND=HIER],skip,\nlines[].text,ITEM.TEXT,text,use:none\n");
    let cart = |first: &str, second: &str| {
        let rows = format!(r#"{{"NUMBER_INT":{first}}},{{"A":1}},{{"NUMBER_INT":{second}}}"#);
        format!(r#"{{"HEADER":{{"OBJECT_ID":"1"}},"ITEM":[{rows}]}}"#)
    };
    for (first, second) in [("\"0000000010\"", "\"0000000010\""), ("10", "\"0000000010\""), ("1.0E1", "10.0")] {
        let found = mistakes(&mapping, &cart(first, second));
        assert!(found[0].starts_with("ITEM.NUMBER_INT of item 3 is") && found[0].contains("item 1"), "{found:?}");
    }
    for (first, second) in [
        ("10", "20"),
        ("0", "0"),
        ("\"\"", "\"\""),
        ("null", "null"),
        ("1", "1,\"DEL_IND\":\"X\""),
        ("1", "1,\"KIND\":\"HIER\""),
    ] {
        assert_eq!(mapped(&mapping, &cart(first, second)).warnings, [], "{first} {second}");
    }
}

#[test]
fn a_mistake_names_the_source_as_the_sheet_does() {
    let two = case("01-account-deleted.json").replace(
        "\"PARTNER\": [",
        r#""PARTNER": [{"P_GUID":"42010aef4c1d1edca5b1c2d3e4f5a001","PARTNER_FCT":"00000019","PARTNER_ID":"0000400556"},"#,
    );
    let found = mistakes(&shipped(), &two);
    assert_eq!(
        found,
        [
            "PARTNER[00000019].PARTNER_ID of item 1 (NUMBER_INT 0000000001) is \"0000400556\" and \"0000400555\"; expected one value"
        ]
    );
}

#[test]
fn a_lost_character_is_warned_of_and_a_nul_is_a_mistake_where_it_is_read() {
    let mapping = sheet("text,HEADER.DESCRIPTION,text,omit\n");
    let lost = mapped(&mapping, &cart(r#","DESCRIPTION":"Grüße \ud83d","OTHER":"\udc00""#, ""));
    assert_eq!(lost.order(), json!({ "text": "Grüße \u{fffd}" }));
    let [Message { severity, field, .. }] = lost.warnings.as_slice() else { panic!("{:?}", lost.warnings) };
    assert_eq!((*severity, field.as_str()), (Severity::Warning, "DESCRIPTION"));
    assert_eq!(mapped(&mapping, &cart(r#","DESCRIPTION":"\ud83d\ude00 a\nb","OTHER":"\u0000""#, "")).warnings, []);

    let nul = mistakes(&mapping, &cart(r#","DESCRIPTION":"a\u0000b""#, ""));
    assert!(nul[0].starts_with("HEADER.DESCRIPTION has the character U+0000"), "{nul:?}");
}

#[test]
fn the_preview_of_a_wrong_cart_has_the_faulty_fields_with_what_is_wrong() {
    let wrong = case("01-account-deleted.json").replace("\"UNIT\": \"ST\"", "\"UNIT\": \"FURLONG\"");
    let Preview { order, fields, messages, .. } = preview(&shipped(), &wrong);
    assert_eq!((order, messages.len()), (None, 1));
    let faulty: Vec<_> = fields.iter().filter(|field| field.message.is_some()).collect();
    let [field] = faulty.as_slice() else { panic!("{faulty:?}") };
    assert_eq!(
        (field.target.as_str(), field.message.as_deref()),
        ("lines[0].unitCode", Some(messages[0].message.as_str()))
    );
    let right = preview(&shipped(), &case("01-account-deleted.json"));
    assert_eq!(right.fields.len(), fields.len(), "no field is absent from the preview");
}

#[test]
fn a_number_of_the_system_is_the_id_where_there_is_no_guid() {
    let options = MappingOptions { system_field: Some(Name::of("ZZ_SYSTEM")), ..options() };
    let mapping = sheet_with("id,ID,text,refuse\n", &options);
    for (header, id) in [("", "1"), (r#","LOGSYS":"SRM100""#, "SRM100:1"), (r#","zzSystem":"SRM200""#, "SRM200:1")] {
        let Mapped { id: found, body, .. } = mapped(&mapping, &cart(header, ""));
        assert_eq!((found.as_str(), body), (id, format!("{{\"id\":\"{id}\"}}")));
    }
}

#[test]
fn what_a_sheet_does_not_read_is_warned_of_where_it_looks_like_what_it_reads() {
    let accounts = case("01-account-deleted.json").replace("\"ACCOUNT\"", "\"ACCOUNTS\"");
    let mapping = sheet("center,ACCOUNT.COST_CTR,id,omit\n");
    let Mapped { warnings, .. } = mapped(&mapping, &accounts);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.starts_with("ACCOUNTS has rows of items"), "{warnings:?}");
    assert_eq!(preview(&mapping, &accounts).messages, warnings);
    let two_fields = "center,ACCOUNT.COST_CTR,id,omit\nledger,ACCOUNT.G_L_ACCT,id,omit\n";
    for (section, rows, is_warned) in [
        ("IT_ACCOUNT", r#"{"COST_CTR":"1"}"#, true),
        ("ACOUNT", r#"{"COST_CTR":"1"}"#, true),
        ("COSTS", r#"{"COST_CTR":"1","glAcct":"2"}"#, true),
        ("COSTS", r#"{"COST_CTR":"1","OTHER":"2"}"#, false),
        ("COSTS", "", false),
        ("LONGTEXT", r#"{"TDID":"NOTE","TEXT_LINE":"x"}"#, false),
    ] {
        let text = cart("", "").replace("\"ITEM\"", &format!("\"{section}\":[{rows}],\"ITEM\""));
        assert_eq!(mapped(&sheet(two_fields), &text).warnings.len(), usize::from(is_warned), "{section} {rows}");
    }
    let refused = mistakes(&shipped(), &accounts);
    assert!(
        refused[0].starts_with("ACCOUNT of item 1 (NUMBER_INT 0000000001) has no row")
            && refused[1] == warnings[0].message,
        "{refused:?}"
    );
}

//! Booleans of JSON: values of flags, and of nothing else.

use serde_json::{Value, json};

use super::{changed, mistakes, order, preview, sheet, shipped};

#[test]
fn a_boolean_is_no_id_no_text_and_selects_no_row() {
    let mapping = shipped();
    for (pointer, expected) in [
        (
            "/PARTNER/0/PARTNER_ID",
            "PARTNER[00000019].PARTNER_ID of item 1 (NUMBER_INT 0000000001) is true; expected a text",
        ),
        ("/PARTNER/0/PARTNER_FCT", "PARTNER.PARTNER_FCT is true; expected a text or a number"),
        ("/PARTNER/0/P_GUID", "PARTNER.P_GUID"),
        ("/HEADER/DESCRIPTION", "HEADER.DESCRIPTION is true; expected a text"),
        ("/HEADER/ZZ_SALES_ORG", "HEADER.ZZ_SALES_ORG is true"),
        ("/HEADER/CURRENCY", "HEADER.CURRENCY is true"),
        ("/HEADER/GUID", "HEADER.GUID is true"),
        ("/HEADER/OBJECT_ID", "HEADER.OBJECT_ID is true"),
        ("/HEADER/POSTING_DATE", "HEADER.POSTING_DATE is true; expected a date"),
        ("/HEADER/ZZ_CUST_CATEGORY", "HEADER.ZZ_CUST_CATEGORY is \"X\": no row in table account-types"),
        ("/ITEM/0/CATEGORY_ID", "ITEM.CATEGORY_ID of item 1 (NUMBER_INT 0000000001) is true"),
        ("/ITEM/0/NUMBER_INT", "is true; expected a whole number"),
        ("/ITEM/0/QUANTITY", "ITEM.QUANTITY of item 1 (NUMBER_INT 0000000001) is true; expected a decimal"),
        ("/ITEM/0/ITM_TYPE", "ITEM.ITM_TYPE (item 1, NUMBER_INT 0000000001) is true"),
        ("/ITEM/0/GUID", "ITEM.GUID (item 1, NUMBER_INT 0000000001) is true"),
        ("/ACCOUNT/0/COST_CTR", "ACCOUNT.COST_CTR of item 1 (NUMBER_INT 0000000001) is true"),
        ("/ACCOUNT/0/DIST_IND", "ACCOUNT.DIST_IND (item 1, NUMBER_INT 0000000001) is true"),
    ] {
        let found = mistakes(&mapping, &changed([(pointer, json!(true))]));
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{pointer}: {found:#?}");
    }
}

#[test]
fn flags_are_read_in_every_form() {
    let mapping = sheet(
        "lines[].urgent,ITEM.URGENT,flag,omit,\nlines[].speed,ITEM.URGENT,table:kinds,use:slow,\n\
         lines[].number,ITEM[URGENT=X].NUMBER_INT,integer,omit,\n",
    );
    let kinds = |flag: Value| preview(&mapping, &changed([("/ITEM/0/URGENT", flag)]));
    for flag in [json!(false), json!("false"), json!(""), json!(null)] {
        let line = kinds(flag.clone()).order.map(|order| order["lines"][0].clone());
        let is_read = flag != json!("false");
        assert_eq!(line.is_some(), is_read, "{flag}");
        assert!(line.is_none_or(|line| line == json!({"speed": "slow"})), "{flag}");
    }
    let plain =
        sheet("lines[].urgent,ITEM.URGENT,flag,omit,\nlines[].number,ITEM[URGENT=X].NUMBER_INT,integer,omit,\n");
    for flag in [json!(true), json!("true"), json!("X"), json!("x")] {
        let made = order(&plain, &changed([("/ITEM/0/URGENT", flag.clone()), ("/ITEM/1/DEL_IND", json!(true))]));
        let expected = if flag == json!("x") { json!({"urgent": true}) } else { json!({"urgent": true, "number": 1}) };
        assert_eq!(made["lines"], json!([expected]), "{flag}");
    }
}

#[test]
fn the_indicator_of_a_share_is_told_as_it_was_sent() {
    for (indicator, told) in [
        (json!("0"), "DIST_IND is \"0\""),
        (json!("00"), "DIST_IND is \"00\""),
        (json!(0), "DIST_IND is \"0\""),
        (json!("-"), "DIST_IND is \"-\""),
        (json!("P"), "DIST_IND is \"P\""),
    ] {
        let found = mistakes(&shipped(), &changed([("/ACCOUNT/0/DIST_IND", indicator.clone())]));
        assert!(found.iter().any(|mistake| mistake.contains(told)), "{indicator}: {found:#?}");
    }
    let blank = changed([("/ACCOUNT/0/DISTR_PERC", json!(0))]);
    let found = mistakes(&shipped(), &blank);
    assert!(found[0].contains("DIST_IND is blank") && !found[0].contains("DISTR_PERC is"), "{found:#?}");
}

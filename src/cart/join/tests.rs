//! Rows and their owners.

use super::*;
use crate::cart::{Cart, Vocabulary};

fn wanted() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    for section in ["ACCOUNT", "PARTNER"] {
        vocabulary.add_section(&mut Name::of(section));
    }
    vocabulary
}

fn mistakes(json: &str) -> Vec<String> {
    let (cart, wanted) = (Cart::parse(json).unwrap(), wanted());
    JoinedCart::of(&Columns::of(&cart, &wanted)).1.mistakes.into_iter().map(|m| m.message).collect()
}

fn partners(json: &str, function: &str, scope: Scope) -> Vec<String> {
    let (cart, wanted) = (Cart::parse(json).unwrap(), wanted());
    let selection =
        Selection { section: Name::of("PARTNER"), conditions: vec![(Name::of("PARTNER_FCT"), function.into())] };
    let columns = Columns::of(&cart, &wanted);
    let (joined, _) = JoinedCart::of(&columns);
    let id = Name::of("PARTNER_ID");
    joined.rows(&selection, scope).map(|row| row.text(&id).unwrap().into_owned()).collect()
}

const CART: &str = r#"{"HEADER":{"GUID":"000102030405060708090a0b0c0d0e0f"},
    "ITEM":[{"GUID":"a0000000000000000000000000000001","DEL_IND":"X"},
            {"GUID":"a0000000000000000000000000000002"},{"GUID":"a0000000000000000000000000000003"}],
    "PARTNER":[{"P_GUID":"A0000000000000000000000000000001","PARTNER_FCT":"00000019","PARTNER_ID":"deleted"},
               {"P_GUID":"A0000000000000000000000000000002","PARTNER_FCT":19,"PARTNER_ID":"own"},
               {"P_GUID":"000102030405060708090A0B0C0D0E0F","PARTNER_FCT":"00000019","PARTNER_ID":"header"},
               {"PARTNER_FCT":"00000027","PARTNER_ID":"ship-to"}]}"#;

#[test]
fn an_item_has_its_own_partners_or_else_the_headers() {
    assert_eq!(partners(CART, "00000019", Scope::Item(0)), ["own"]);
    assert_eq!(partners(CART, "00000019", Scope::Item(1)), ["header"]);
    assert_eq!(partners(CART, "00000027", Scope::Item(0)), ["ship-to"]);
    assert_eq!(partners(CART, "00000019", Scope::Header), ["own", "header"]);
}

#[test]
fn positions_count_deleted_items() {
    let (cart, wanted) = (Cart::parse(CART).unwrap(), wanted());
    let columns = Columns::of(&cart, &wanted);
    let (joined, findings) = JoinedCart::of(&columns);
    assert_eq!(joined.items.iter().map(|i| i.position).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(findings.mistakes, []);
}

#[test]
fn rows_that_belong_to_no_item_are_mistakes() {
    let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"},{"GUID":"a0000000000000000000000000000002"}],
        "ACCOUNT":[{"COST_CTR":"1"}],"PARTNER":[{"P_GUID":"b0000000000000000000000000000001"}]}"#;
    let mistakes = mistakes(json);
    assert!(mistakes[0].starts_with("ACCOUNT.P_GUID of row 1 names no item"), "{mistakes:?}");
    assert!(mistakes[1].contains("no item of the cart has this GUID"), "{mistakes:?}");
}

#[test]
fn a_cart_whose_items_are_all_deleted_is_a_mistake() {
    assert!(mistakes(r#"{"HEADER":{},"ITEM":[{"DEL_IND":true}]}"#)[0].contains("no item that is not deleted"));
}

#[test]
fn two_items_with_one_guid_are_a_mistake() {
    let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"},{"GUID":"A0000000000000000000000000000001"}]}"#;
    assert!(mistakes(json)[0].contains("appears twice"));
}

#[test]
fn unreadable_sections_are_mistakes_only_if_the_sheet_reads_them() {
    let rows = vec!["{}"; crate::cart::Bounds::default().rows + 1].join(",");
    let unwanted = format!(r#""VERSION":"1.0","TEXTS":["a"],"LONGTEXT":[{rows}],"ATTACH":[{{"P_GUID":"elsewhere"}}]"#);
    assert_eq!(mistakes(&format!(r#"{{"HEADER":{{}},"ITEM":[{{"A":1}}],{unwanted}}}"#)), Vec::<String>::new());
    assert_eq!(
        mistakes(r#"{"HEADER":{},"ITEM":7,"ACCOUNT":[1]}"#),
        [
            "ITEM: expected a list of objects, found a number",
            "ACCOUNT: expected a list of objects, found a list whose entry 1 is a number"
        ]
    );
    assert!(mistakes(&format!(r#"{{"HEADER":{{}},"ITEM":[{{}}],"PARTNER":[{rows}]}}"#))[0].contains("at most 1000"));
}

#[test]
fn annotations_tell_that_rows_of_a_section_are_missing() {
    let cart = |beside: &str, in_item: &str| {
        let item = format!(r#"{{"GUID":"a0000000000000000000000000000001"{in_item}}}"#);
        mistakes(&format!(r#"{{"HEADER":{{}},"ITEM":[{item}]{beside}}}"#))
    };
    for (beside, in_item, expected) in [
        (r#","ITEM@odata.count":2"#, "", "ITEM: ITEM@odata.count says that there are 2 rows, and 1 were sent"),
        (r#","Item@odata.nextLink":"Items?$skip=1""#, "", "ITEM: Item@odata.nextLink says that there are more rows"),
        ("", r#","ACCOUNT":[{"A":1}],"ACCOUNT@odata.count":"3""#, "ACCOUNT: ACCOUNT@odata.count says that there are 3"),
        ("", r#","account":{"A":1},"account@nextLink":"x""#, "ACCOUNT: account@nextLink says"),
    ] {
        let found = cart(beside, in_item);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}");
    }
    for (beside, in_item) in [
        (r#","ITEM@odata.count":1,"ITEM@odata.navigationLink":"x""#, ""),
        (r#","ATTACH":[],"ATTACH@odata.count":7"#, ""),
        ("", r#","ACCOUNT":[{"A":1}],"ACCOUNT@odata.count":1,"PRICE@odata.type":"x""#),
    ] {
        assert_eq!(cart(beside, in_item), Vec::<String>::new(), "{beside}{in_item}");
    }
}

#[test]
fn accounts_that_name_no_item_belong_to_the_only_one() {
    let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"}],
        "ACCOUNT":[{"P_GUID":"a0000000000000000000000000000001"},{"COST_CTR":"1"}]}"#;
    let (cart, wanted) = (Cart::parse(json).unwrap(), wanted());
    assert_eq!(JoinedCart::of(&Columns::of(&cart, &wanted)).0.accounts(0).len(), 2);
    let with_deleted = r#"{"HEADER":{},"ITEM":[{"A":1},{"DEL_IND":"X"}],"ACCOUNT":[{"COST_CTR":"1"}]}"#;
    assert!(mistakes(with_deleted)[0].contains("names no item"), "it may be the deleted item's");
}

#[test]
fn only_a_flag_deletes_a_row() {
    for section in ["ITEM", "ACCOUNT", "PARTNER"] {
        let cart = |flag: &str| {
            let rows =
                if section == "ITEM" { String::new() } else { format!(",\"{section}\":[{{\"DEL_IND\":{flag}}}]") };
            let item = if section == "ITEM" { flag } else { "\"\"" };
            mistakes(&format!("{{\"HEADER\":{{}},\"ITEM\":[{{\"A\":1,\"DEL_IND\":{item}}}]{rows}}}"))
        };
        for kept in ["\"\"", "false", "\"false\"", "null", "0"] {
            assert_eq!(cart(kept), Vec::<String>::new(), "{section} {kept}");
        }
        let row = if section == "ITEM" {
            "item 1"
        } else if section == "ACCOUNT" {
            "row 1 (item 1)"
        } else {
            "row 1 (of the header)"
        };
        let refused = cart("\"N\"");
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0].starts_with(&format!("{section}.DEL_IND of {row} is \"N\"")), "{refused:?}");
    }
}

#[test]
fn an_unreadable_flag_is_named_with_its_section_and_item() {
    let guid = |item: u32| format!("a{item:031}");
    for (row, expected, position) in [
        (
            format!(r#""PARTNER":[{{"A":1}},{{"P_GUID":"{}","DEL_IND":"?"}}]"#, guid(2)),
            "PARTNER.DEL_IND of row 2 (item 2, NUMBER_INT 20)",
            2,
        ),
        (
            format!(r#""ACCOUNT":[{{"P_GUID":"{}","DEL_IND":"Y"}}]"#, guid(1)),
            "ACCOUNT.DEL_IND of row 1 (item 1, NUMBER_INT 10)",
            1,
        ),
        (r#""PARTNER":[{"DEL_IND":"0X"}]"#.to_owned(), "PARTNER.DEL_IND of row 1 (of the header)", 0),
        (r#""PARTNER":[{"P_GUID":"nobody","DEL_IND":"N"}]"#.to_owned(), "PARTNER.DEL_IND of row 1", 0),
    ] {
        let (first, second) = (guid(1), guid(2));
        let json = format!(
            r#"{{"HEADER":{{}},"ITEM":[{{"GUID":"{first}","NUMBER_INT":10}},{{"GUID":"{second}","NUMBER_INT":20}}],{row}}}"#
        );
        let (cart, wanted) = (Cart::parse(&json).unwrap(), wanted());
        let columns = Columns::of(&cart, &wanted);
        let (_, findings) = JoinedCart::of(&columns);
        let flag = &findings.mistakes[0];
        assert!(flag.message.starts_with(&format!("{expected} is \"")), "{}", flag.message);
        assert_eq!((flag.row, flag.field.as_str()), (position, "DEL_IND"), "{}", flag.message);
    }
    let nested = r#"{"HEADER":{},"ITEM":[{"NUMBER_INT":10},{"NUMBER_INT":20,"ACCOUNT":[{"DEL_IND":"N"}]}]}"#;
    assert!(
        mistakes(nested)[0].starts_with("ACCOUNT.DEL_IND of row 1 (item 2, NUMBER_INT 20) is"),
        "{:?}",
        mistakes(nested)
    );
    assert!(
        mistakes(r#"{"HEADER":{"DEL_IND":"N"},"ITEM":[{}]}"#)[0].starts_with("HEADER.DEL_IND is \"N\"; expected X")
    );
}

#[test]
fn a_cart_whose_header_is_deleted_is_refused() {
    let cart = |flag: &str| mistakes(&format!(r#"{{"HEADER":{{{flag}}},"ITEM":[{{"A":1}}]}}"#));
    for deleted in
        [r#""DEL_IND":"X""#, r#""delInd":"x""#, r#""DelInd":true"#, r#""DEL_IND":"true""#, r#""DEL_IND":" X ""#]
    {
        let found = cart(deleted);
        assert!(found.len() == 1 && found[0].contains("the cart is deleted"), "{deleted}: {found:?}");
    }
    for kept in [r#""DEL_IND":"""#, r#""DEL_IND":false"#, r#""DEL_IND":"false""#, r#""DEL_IND":null"#, r#""DEL_IND":0"#]
    {
        assert_eq!(cart(kept), Vec::<String>::new(), "{kept}");
    }
}

#[test]
fn a_deleted_row_of_any_section_is_as_if_it_were_not_there() {
    let json = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001"}],
        "ACCOUNT":[{"COST_CTR":"1","DEL_IND":"X"},{"COST_CTR":"2","DEL_IND":""}],
        "PARTNER":[{"P_GUID":"a0000000000000000000000000000001","PARTNER_FCT":"19","PARTNER_ID":"old","DEL_IND":true},
                   {"PARTNER_FCT":"19","PARTNER_ID":"new"},
                   {"P_GUID":"of nobody","PARTNER_FCT":"19","PARTNER_ID":"old","DEL_IND":"X"}]}"#;
    assert_eq!(mistakes(json), Vec::<String>::new());
    assert_eq!(partners(json, "00000019", Scope::Item(0)), ["new"]);
    assert_eq!(partners(json, "00000019", Scope::Header), ["new"]);
    let (cart, wanted) = (Cart::parse(json).unwrap(), wanted());
    assert_eq!(JoinedCart::of(&Columns::of(&cart, &wanted)).0.accounts(0).len(), 1);
}

#[test]
fn rows_nested_in_an_item_belong_to_it() {
    let json = r#"{"HEADER":{},"ITEM":[
        {"N":1,"ACCOUNT":[{"COST_CTR":"1"},{"COST_CTR":"2"}],"partner":{"results":[{"PARTNER_FCT":19.0,"PARTNER_ID":"a"}]}},
        {"N":2,"DEL_IND":"X","ACCOUNT":{"COST_CTR":"3"}},
        {"N":3,"account":{"item":{"COST_CTR":"4"}}}],
        "PARTNER":[{"PARTNER_FCT":"00000019","PARTNER_ID":"b"}]}"#;
    let (cart, wanted) = (Cart::parse(json).unwrap(), wanted());
    let columns = Columns::of(&cart, &wanted);
    let (joined, findings) = JoinedCart::of(&columns);
    assert_eq!(findings.mistakes, []);
    assert_eq!((joined.accounts(0).len(), joined.accounts(1).len()), (2, 1));
    assert_eq!(partners(json, "00000019", Scope::Item(0)), ["a"]);
    assert_eq!(partners(json, "00000019", Scope::Item(1)), ["b"]);
    let elsewhere = r#"{"HEADER":{},"ITEM":[{"GUID":"a0000000000000000000000000000001","ACCOUNT":[{"P_GUID":"a0000000000000000000000000000002"}]},
        {"GUID":"a0000000000000000000000000000002"}]}"#;
    assert!(mistakes(elsewhere)[0].contains("nested in item 1"), "{:?}", mistakes(elsewhere));
}

#[test]
fn ignored_rows_of_items_that_look_like_a_read_section_are_warned_of() {
    let warnings = |sections: &str| {
        let guid = "a0000000000000000000000000000001";
        let json = format!(r#"{{"HEADER":{{}},"ITEM":[{{"GUID":"{guid}"}}],{}}}"#, sections.replace('@', guid));
        let (cart, wanted) = (Cart::parse(&json).unwrap(), wanted());
        let columns = Columns::of(&cart, &wanted);
        let (_, findings) = JoinedCart::of(&columns);
        findings.warnings.into_iter().map(|warning| warning.parameter).collect::<Vec<_>>()
    };
    for warned in ["ACCOUNTS", "Accounts", "ACOUNT", "IT_ACCOUNT", "ACCOUNT_ASSIGNMENT", "PARTNERS", "PARTNR"] {
        assert_eq!(warnings(&format!(r#""{warned}":[{{"P_GUID":"@"}}]"#)), [warned]);
        assert_eq!(warnings(&format!(r#""{warned}":[{{"A":1}}]"#)), [warned], "there is no other item");
    }
    for ignored in [
        r#""ACCOUNTS":[]"#,
        r#""ACCOUNTS":[{"P_GUID":"of nobody"}]"#,
        r#""ACCOUNTS":7"#,
        r#""ATTACH":[{"P_GUID":"@"}]"#,
        r#""ACCOUNT":[{"P_GUID":"@"}]"#,
    ] {
        assert_eq!(warnings(ignored), Vec::<String>::new(), "{ignored}");
    }
}

//! Values of a cart and what the sheet makes of them: texts of several rows, initial values, whole numbers, shifted amounts.

use serde_json::{Value, json};

use super::{HEADER, changed, guid, mistakes, order, sheet, status};
use crate::cart::Cart;
use crate::mapping::{Amounts, Folder, IdField, Mapping, MappingOptions, Plausibility, SHEET};

#[test]
fn sections_with_p_guid_are_read_by_items_and_header() {
    let mapping = sheet(
        "note,LONGTEXT[TDID=HTXT].TDLINE,lines,omit,\nlines[].text,LONGTEXT[TDID=ITXT].TDLINE,lines,omit,\n\
         lines[].taxCode,TAX.TAX_CODE,text,omit,\nlines[].limit,LIMIT.LIMIT,amount,omit,\n\
         lines[].status,STATUS[INACT=].STAT,text,refuse,\nlines[].number,ITEM.NUMBER_INT,padded:4,refuse,\n",
    );
    let line = |owner: u32, id: &str, text: &str| json!({"P_GUID": guid(owner), "TDID": id, "TDLINE": text});
    let texts = json!([
        line(0, "HTXT", "Deliver to the ramp."),
        line(1, "ITXT", "Size L,"),
        line(1, "ITXT", ""),
        line(1, "ITXT", "blue."),
        line(0, "HTXT", "Ring twice."),
        line(2, "OTHER", "internal"),
    ]);
    let cart = changed([
        ("/LONGTEXT", texts),
        ("/TAX", json!([{"P_GUID": guid(2), "TAX_CODE": "V1"}])),
        ("/LIMIT", json!([{"P_GUID": guid(2), "LIMIT": "8000.00"}])),
        ("/STATUS", json!([status(1, "I1129", ""), status(2, "I1129", ""), status(2, "I1015", "X")])),
    ]);
    let expected = json!({"note": "Deliver to the ramp.\nRing twice.", "lines": [
        {"text": "Size L,\n\nblue.", "status": "I1129", "number": "0001"},
        {"taxCode": "V1", "limit": "8000", "status": "I1129", "number": "0002"},
    ]});
    assert_eq!(order(&mapping, &cart), expected);
}

#[test]
fn what_is_initial_depends_on_the_conversion() {
    let mapping = sheet(
        "division,HEADER.ZZ_DIVISION,text,refuse,\nkind,HEADER.ZZ_KIND,table:kinds,refuse,\ncount,HEADER.ZZ_COUNT,integer,use:7,\n\
         plant,HEADER.ZZ_PLANT,padded:4,refuse,\norg,HEADER.ZZ_ORG,id,omit,\nfrom,HEADER.ZZ_FROM,date,omit,\n\
         unlessBlank,HEADER[ZZ_CHANNEL=].ZZ_DIVISION,text,omit,\n",
    );
    let header = |field: &'static str, value: Value| (field, value);
    let cart = changed([
        header("/HEADER/ZZ_DIVISION", json!("00")),
        header("/HEADER/ZZ_KIND", json!("0")),
        header("/HEADER/ZZ_COUNT", json!("0000")),
        header("/HEADER/ZZ_PLANT", json!(0)),
        header("/HEADER/ZZ_ORG", json!("00000000")),
        header("/HEADER/ZZ_FROM", json!("0000-00-00T00:00:00")),
        header("/HEADER/ZZ_CHANNEL", json!("0")),
    ]);
    assert_eq!(order(&mapping, &cart), json!({"division": "00", "kind": "zero", "count": 7, "plant": "0000"}));
    let blank = changed([
        header("/HEADER/ZZ_DIVISION", json!(" ")),
        header("/HEADER/ZZ_KIND", json!("")),
        header("/HEADER/ZZ_PLANT", json!("1")),
    ]);
    assert_eq!(mistakes(&mapping, &blank).len(), 2);
}

#[test]
fn a_number_that_is_whole_is_its_digits_and_an_id_has_no_fraction() {
    let mapping = sheet(
        "id,HEADER.A,id,omit,\ntext,HEADER.B,text,omit,\nplant,HEADER.C,padded:4,omit,\nkind,HEADER.D,table:kinds,omit,\n\
         supplier,PARTNER[00000019].PARTNER_ID,id,omit,\n",
    );
    let numbers = r#"{"HEADER":{"GUID":"42010aef4c1d1edca5b1c2d3e4f5060d","A":400555.0,"B":4.00555E5,"C":10.0,"D":0.0},"ITEM":[{"X":1}],
        "PARTNER":[{"PARTNER_FCT":"00000019","PARTNER_ID":3.0E9}]}"#;
    let order = mapping.preview(&Cart::parse(numbers).unwrap()).order.unwrap();
    let expected = json!({"id": "400555", "text": "400555", "plant": "0010", "kind": "zero", "supplier": "3000000000"});
    assert_eq!(order, expected);
    for (field, value) in [("A", "400555.5"), ("C", "10.25")] {
        let cart = format!(
            r#"{{"HEADER":{{"GUID":"42010aef4c1d1edca5b1c2d3e4f5060d","{field}":{value}}},"ITEM":[{{"X":1}}]}}"#
        );
        let messages = mapping.preview(&Cart::parse(&cart).unwrap()).messages;
        assert!(messages[0].message.starts_with(&format!("HEADER.{field} is {value}; expected ")), "{messages:?}");
    }
    let text = r#"{"HEADER":{"GUID":"42010aef4c1d1edca5b1c2d3e4f5060d","A":"100.200","B":1.50},"ITEM":[{"X":1}]}"#;
    assert_eq!(mapping.preview(&Cart::parse(text).unwrap()).order.unwrap(), json!({"id": "100.200", "text": "1.50"}));
}

#[test]
fn shifted_amounts_follow_the_currency_of_their_row_and_unknown_ones_are_refused() {
    let folder = |decimals: &str| {
        let rows = "total,HEADER.TOTAL_VALUE,decimal,refuse,\nlines[].price,ITEM.PRICE,decimal,refuse,\n\
                    lines[].limit,LIMIT.LIMIT,decimal,omit,\nlines[].fee,ITEM.ZZ_FEE,amount,omit,\n";
        let text = format!("{HEADER}{rows}");
        let table = ("tables/currency-decimals.csv", decimals);
        let files = if decimals.is_empty() { vec![] } else { vec![table] };
        let options = MappingOptions {
            amounts: Amounts::Shifted,
            id_field: IdField::Nowhere,
            plausibility: Plausibility::Off,
            ..MappingOptions::default()
        };
        Mapping::compile_with(&Folder::of(&[&[(SHEET, text.as_str())], files.as_slice()].concat()), &options).unwrap()
    };
    let cart = |header: &str, item: &str| {
        changed([
            ("/HEADER/CURRENCY", json!(header)),
            ("/ITEM/0/CURRENCY", json!(item)),
            ("/ITEM/1/CURRENCY", json!("")),
            ("/ITEM/1/ZZ_FEE", json!("1.00")),
            ("/LIMIT", json!([{"P_GUID": guid(1), "LIMIT": 80.0, "CURRENCY": "JPY"}])),
        ])
    };
    let expected =
        json!({"total": "24000", "lines": [{"price": "1", "limit": "8000"}, {"price": "1000", "fee": "100"}]});
    assert_eq!(order(&folder(""), &cart("HUF", "TND")), expected);
    assert_eq!(order(&folder("currency,decimals\nTND,1\n"), &cart("HUF", "TND"))["lines"][0]["price"], "100");
    let unknown = mistakes(&folder(""), &cart("XYZ", "TND"));
    assert_eq!(unknown.len(), 1, "one message a currency: {unknown:#?}");
    assert!(
        unknown[0].starts_with("HEADER.CURRENCY is \"XYZ\"; mapping.shifted_amounts needs its decimals"),
        "{unknown:?}"
    );
    let missing = mistakes(&folder(""), &cart("", "TND"));
    assert!(missing[0].starts_with("HEADER.CURRENCY is missing;"), "{missing:?}");
    assert_eq!(order(&folder("currency,decimals\nXYZ,0\n"), &cart("XYZ", "TND"))["total"], "24000");
}

//! The words `*`, `join:`, `when` and typed constants, in carts; and what the messages of a refused cart name.

use serde_json::{Value, json};

use super::{HEADER, cart, changed, guid, judging, mistakes, order, preview, sheet, shipped};
use crate::cart::Cart;
use crate::mapping::{Amounts, Folder, IdField, Mapping, MappingOptions, Plausibility, SHEET};

const WHEN_HEADER: &str = "target,source,as,absent,when,remark\n";

/// The sheet of these rows with the column `when`.
fn try_sheet(rows: &str, amounts: Amounts) -> Result<Mapping, Vec<String>> {
    let text = format!("{WHEN_HEADER}id,ID,text,refuse,,\n{rows}");
    let tables = [
        ("tables/kinds.csv", "kind,value\nA,letter\n*,other\n"),
        ("tables/places.csv", "country,region,value\nDE,08,south\nDE,*,germany\nFR,,france\n"),
    ];
    let folder = Folder::of(&[&[(SHEET, text.as_str())], tables.as_slice()].concat());
    let options = MappingOptions { amounts, id_field: IdField::Nowhere, ..MappingOptions::default() };
    Mapping::compile_with(&folder, &options).map_err(|defects| defects.iter().map(ToString::to_string).collect())
}

fn conditional(rows: &str) -> Mapping {
    try_sheet(rows, Amounts::Unshifted).unwrap_or_else(|defects| panic!("{defects:#?}"))
}

fn defects(rows: &str) -> Vec<String> {
    try_sheet(rows, Amounts::Unshifted).err().unwrap_or_default()
}

#[test]
fn several_sources_make_one_text_without_those_that_are_missing() {
    for (conversion, changes, expected) in [
        ("join:-", [("/HEADER/A", json!("x")), ("/HEADER/B", json!("y")), ("/HEADER/C", json!("z"))], Some("x-y-z")),
        ("join:-", [("/HEADER/A", json!("x")), ("/HEADER/B", json!("")), ("/HEADER/C", json!("z"))], Some("x-z")),
        ("join:-", [("/HEADER/A", json!(null)), ("/HEADER/B", json!("y")), ("/HEADER/C", json!(" "))], Some("y")),
        ("join:-", [("/HEADER/A", json!(" ")), ("/HEADER/B", json!(null)), ("/HEADER/C", json!(false))], None),
        ("join: ", [("/HEADER/A", json!("x")), ("/HEADER/B", json!("y")), ("/HEADER/C", json!("z"))], Some("x y z")),
        (
            "\"join:\"\" \"\"\"",
            [("/HEADER/A", json!("x")), ("/HEADER/B", json!("y")), ("/HEADER/C", json!("z"))],
            Some("x y z"),
        ),
        ("join:", [("/HEADER/A", json!("x")), ("/HEADER/B", json!("y")), ("/HEADER/C", json!("z"))], Some("xyz")),
        (
            "\"join:, \"",
            [("/HEADER/A", json!("x")), ("/HEADER/B", json!("y")), ("/HEADER/C", json!("z"))],
            Some("x, y, z"),
        ),
        (
            "join:/",
            [("/HEADER/A", json!(400_555.0)), ("/HEADER/B", json!("00")), ("/HEADER/C", json!(160.5))],
            Some("400555/00/160.5"),
        ),
    ] {
        let mapping = sheet(&format!("a,HEADER.A + HEADER.B + HEADER.C,{conversion},omit,\nid,ID,text,refuse,\n"));
        let order = order(&mapping, &changed(changes));
        assert_eq!(order.get("a").and_then(Value::as_str), expected, "{conversion} {order}");
    }
    let refusing = sheet("lines[].a,ITEM.A + ITEM.B,join:-,refuse,\n");
    let found = mistakes(&refusing, &changed([("/ITEM/0/A", json!("x"))]));
    assert_eq!(
        found,
        ["ITEM.A and ITEM.B of item 2 (NUMBER_INT 0000000002) are missing or initial; one of them is mandatory"]
    );
    let default = sheet("a,HEADER.A + HEADER.B,join:-,use:none,\n");
    assert_eq!(order(&default, &cart())["a"], "none");
    let of_items = sheet("a,ITEM.UNIT + HEADER.CURRENCY,join:-,refuse,\n");
    assert_eq!(order(&of_items, &cart())["a"], "ST-EUR");
    let found = mistakes(&of_items, &changed([("/ITEM/1/UNIT", json!("H"))]));
    assert_eq!(
        found,
        [
            "ITEM.UNIT + HEADER.CURRENCY has to be the same everywhere; found \"ST\" + \"EUR\" (item 1, NUMBER_INT 0000000001), \
          \"H\" + \"EUR\" (item 2, NUMBER_INT 0000000002)"
        ]
    );
}

#[test]
fn any_other_key_takes_values_and_nothing_that_is_missing() {
    let mapping = conditional(
        "kind,HEADER.KIND,table:kinds,use:none,,\nplace,HEADER.COUNTRY + HEADER.REGION,table:places,omit,,\n",
    );
    for (kind, country, region, expected_kind, expected_place) in [
        ("A", "DE", "08", "letter", Some("south")),
        ("a", "DE", "8", "other", Some("germany")),
        ("*", "FR", "", "other", Some("france")),
        ("", "DE", "", "none", None),
    ] {
        let cart = changed([
            ("/HEADER/KIND", json!(kind)),
            ("/HEADER/COUNTRY", json!(country)),
            ("/HEADER/REGION", json!(region)),
        ]);
        let order = order(&mapping, &cart);
        let found = (order["kind"].as_str(), order.get("place").and_then(Value::as_str));
        assert_eq!(found, (Some(expected_kind), expected_place), "{order}");
    }
    let found = mistakes(&mapping, &changed([("/HEADER/COUNTRY", json!("FR")), ("/HEADER/REGION", json!("75"))]));
    assert_eq!(found, ["HEADER.COUNTRY is \"FR\" and HEADER.REGION is \"75\": no row in table places"]);
    let decimals = ("tables/currency-decimals.csv", "currency,decimals\nJPY,0\n*,2\n");
    let folder = Folder::of(&[(SHEET, &format!("{HEADER}id,ID,text,refuse,\n")), decimals]);
    let refused = Mapping::compile(&folder, Amounts::Shifted).unwrap_err();
    assert!(refused[0].to_string().contains("decimals are never guessed"), "{refused:?}");
}

#[test]
fn constants_are_sent_in_their_type() {
    let mapping = sheet("a,,constant:true,,\nb,,constant:10.50,,\nc,,\"constant:\"\"10\"\"\",,\nd,,constant:SRM,,\n");
    let cart = cart().to_string();
    let mapped = mapping.map(&Cart::parse(&cart).unwrap()).unwrap();
    assert_eq!(mapped.body, r#"{"a":true,"b":10.50,"c":"10","d":"SRM"}"#);
}

/// Whether the row with this condition counts in a cart with these changes.
fn counts<const N: usize>(when: &str, changes: [(&str, Value); N]) -> bool {
    let mapping = conditional(&format!("a,,constant:true,,\"{}\",\n", when.replace('"', "\"\"")));
    order(&mapping, &changed(changes)).get("a").is_some()
}

#[test]
fn a_condition_compares_as_its_values_are() {
    for (when, value, expected) in [
        ("HEADER.X > 10000", json!(10000), false),
        ("HEADER.X > 10000", json!(10000.01), true),
        ("HEADER.X > 10000", json!("10000.01"), true),
        ("HEADER.X > 10000", json!("9999.99"), false),
        ("HEADER.X >= 10000", json!("10000.000"), true),
        ("HEADER.X < 0", json!("5.00-"), true),
        ("HEADER.X <= -5", json!("5.00-"), true),
        ("HEADER.X>1", json!("   2.00 "), true),
        ("HEADER.X = 10", json!("10.0"), true),
        ("HEADER.X = 10", json!("0010"), true),
        ("HEADER.X = 10", json!("A10"), false),
        ("HEADER.X != 10", json!("A10"), true),
        ("HEADER.X = \"10\"", json!("0010"), false),
        ("HEADER.X = \"10\"", json!(10.0), true),
        ("HEADER.X = 0.1", json!(0.1), true),
        ("HEADER.X > 9007199254740992", json!("9007199254740993"), true),
        // What is missing is zero for a number: serializers drop it.
        ("HEADER.X = 0", json!(null), true),
        ("HEADER.X < 1", json!(""), true),
        ("HEADER.X != 0", json!(null), false),
        ("HEADER.X > 0", json!(null), false),
        ("HEADER.X = EMEA", json!("EMEA"), true),
        ("HEADER.X = EMEA", json!("emea"), false),
        ("HEADER.X != EMEA", json!(null), true),
        ("HEADER.X = two words", json!("two words"), true),
        ("HEADER.X = \"a and b\"", json!("a and b"), true),
        ("HEADER.X = \"6\"\" pipe\"", json!("6\" pipe"), true),
        ("HEADER.X =", json!(null), true),
        ("HEADER.X = \"\"", json!(" "), true),
        ("HEADER.X =", json!(0), true),
        ("HEADER.X =", json!("00"), false),
        ("HEADER.X =", json!("0000-00-00"), true),
        ("HEADER.X !=", json!("x"), true),
        ("HEADER.X !=", json!(false), false),
        ("HEADER.X = X", json!(true), true),
        ("HEADER.X = true", json!("X"), true),
        ("HEADER.X = false", json!(null), true),
        ("HEADER.X < 2025-06-01", json!("2025-05-31"), true),
        ("HEADER.X < 2025-06-01", json!("20250601"), false),
        ("HEADER.X <= \"2025-06-01\"", json!("2025-06-01T00:00:00"), true),
        ("HEADER.X = 2025-06-01", json!(20_250_601), true),
        ("HEADER.X > 20250531", json!("2025-06-01"), true),
        ("HEADER.X > 20250531", json!(20_250_601), true),
        ("HEADER.X > 2025-01-01", json!("/Date(1738281600000)/"), true),
        ("HEADER.X < 2025-06-01", json!(null), false),
        ("HEADER.X < 2025-06-01", json!("00000000"), false),
        ("HEADER.X < 20250601", json!("0000-00-00"), false),
        ("HEADER.X < 2025-06-01", json!(0), false),
        ("HEADER.X != 2025-06-01", json!(null), true),
        ("HEADER.X = 1 and HEADER.CURRENCY = EUR", json!(1), true),
        ("HEADER.X = 1 AND HEADER.CURRENCY = USD", json!(1), false),
        ("HEADER.X = and HEADER.CURRENCY != USD", json!(null), true),
        ("PARTNER[00000027].COUNTRY = DE and HEADER.X = 1", json!(1), true),
        ("PARTNER[PARTNER_FCT=00000027].COUNTRY != DE", json!(null), false),
        ("ID = 42010aef4c1d1edca5b1c2d300000000", json!(null), true),
    ] {
        assert_eq!(counts(when, [("/HEADER/X", value.clone())]), expected, "{when} with {value}");
    }
}

#[test]
fn a_value_that_cannot_be_compared_is_a_mistake_and_not_a_no() {
    for (when, value, expected) in [
        ("HEADER.X > 10", json!("1,5"), "HEADER.X is \"1,5\"; row 3 of the sheet expects a number: when HEADER.X > 10"),
        (
            "HEADER.X < 2025-06-01",
            json!("soon"),
            "HEADER.X is \"soon\"; row 3 of the sheet expects a date: when HEADER.X < 2025-06-01",
        ),
        ("HEADER.X = A", json!({"a": 1}), "HEADER.X is an object or a list; expected a value"),
    ] {
        let mapping = conditional(&format!("a,,constant:true,,{when},\n"));
        assert_eq!(mistakes(&mapping, &changed([("/HEADER/X", value)])), [expected]);
    }
    let mapping = conditional("a,,constant:true,,PARTNER[00000019].PARTNER_ID = 400555,\n");
    let several = changed([("/PARTNER/-", json!({"PARTNER_FCT": "00000019", "PARTNER_ID": "2"}))]);
    let found = mistakes(&mapping, &several);
    assert!(found[0].contains("is \"0000400555\" and \"2\"; expected one value"), "{found:?}");
}

#[test]
fn a_row_whose_condition_does_not_hold_is_as_if_it_were_not_there() {
    let per_line = conditional(
        "lines[].n,ITEM.NUMBER_INT,integer,refuse,,\nlines[].plant,ITEM.PLANT,text,refuse,ITEM.NUMBER_INT = 2,\n",
    );
    let found = mistakes(&per_line, &cart());
    assert_eq!(found, ["ITEM.PLANT of item 2 (NUMBER_INT 0000000002) is missing or initial; it is mandatory"]);
    let order_of = |mapping: &Mapping, cart: &Value| order(mapping, cart);
    let with_plant = order_of(&per_line, &changed([("/ITEM/1/PLANT", json!("P2"))]));
    assert_eq!(with_plant["lines"], json!([{"n": 1}, {"n": 2, "plant": "P2"}]));

    let choice = conditional(
        "a,HEADER.A,text,one-of:x,HEADER.KIND = 1,\nb,HEADER.B,text,one-of:x,HEADER.KIND = 1,\nc,HEADER.C,text,one-of:x,HEADER.KIND != 3,\n",
    );
    assert_eq!(order_of(&choice, &changed([("/HEADER/KIND", json!(3))])).as_object().unwrap().len(), 1);
    assert_eq!(mistakes(&choice, &changed([("/HEADER/KIND", json!(2)), ("/HEADER/A", json!("a"))])).len(), 1);
    assert_eq!(order_of(&choice, &changed([("/HEADER/KIND", json!(1)), ("/HEADER/B", json!("b"))]))["b"], "b");

    let trace = preview(&per_line, &cart()).fields;
    let plants: Vec<_> =
        trace.iter().filter(|field| field.target.ends_with("plant")).map(|field| field.holds).collect();
    assert_eq!(plants, [Some(false), Some(true)]);
}

#[test]
fn rows_and_skip_count_under_a_condition() {
    let skipping = conditional(
        "lines[].n,ITEM.NUMBER_INT,integer,refuse,,\nlines[],ITEM[UNIT=ST],skip,,ITEM.QUANTITY > 20 and HEADER.CURRENCY = EUR,\n",
    );
    let lines = |mapping: &Mapping, cart: &Value| order(mapping, cart)["lines"].as_array().map_or(0, Vec::len);
    assert_eq!(lines(&skipping, &cart()), 2);
    assert_eq!(lines(&skipping, &changed([("/ITEM/0/QUANTITY", json!("21"))])), 1);
    assert_eq!(lines(&skipping, &changed([("/ITEM/0/QUANTITY", json!("21")), ("/HEADER/CURRENCY", json!("USD"))])), 2);
    let found = mistakes(&skipping, &changed([("/ITEM/0/QUANTITY", json!("many"))]));
    assert!(
        found.len() == 1 && found[0].starts_with("ITEM.QUANTITY of item 1 (NUMBER_INT 0000000001) is \"many\""),
        "{found:?}"
    );

    let demanding = conditional(
        "lines[].n,ITEM.NUMBER_INT,integer,refuse,,\nlines[].taxes[].code,ACCOUNT.TAX,text,omit,,\nlines[].taxes[],ACCOUNT[TAX=V1],rows,refuse,ITEM.NUMBER_INT = 2,\n",
    );
    let found = mistakes(&demanding, &cart());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("ACCOUNT[TAX=V1] of item 2 (NUMBER_INT 0000000002) has no row"), "{found:?}");
    assert_eq!(lines(&demanding, &changed([("/ACCOUNT/1/TAX", json!("V1"))])), 2);
}

#[test]
fn a_target_has_one_value_of_the_rows_that_count() {
    let mapping = conditional(
        "id2,ID,text,refuse,,\nprio,,constant:1,,HEADER.X > 50000,big\nprio,,constant:2,,HEADER.X > 10000,large\nprio,HEADER.PRIO,integer,use:9,,all others\nprio2,,constant:E,,HEADER.X = 1,\nprio2,,constant:E,,HEADER.Y = 1,either\n",
    );
    let prio = |changes: [(&str, Value); 3]| order(&mapping, &changed(changes));
    let x =
        |x: i64, prio: i64, y: i64| [("/HEADER/X", json!(x)), ("/HEADER/PRIO", json!(prio)), ("/HEADER/Y", json!(y))];
    assert_eq!(prio(x(10001, 7, 0))["prio"], 2);
    assert_eq!(prio(x(1, 7, 1))["prio"], 7);
    assert_eq!(prio(x(1, 0, 1))["prio"], 9);
    assert_eq!((prio(x(1, 0, 1))["prio2"].as_str(), prio(x(2, 0, 1))["prio2"].as_str()), (Some("E"), Some("E")));
    assert_eq!(prio(x(2, 0, 2)).get("prio2"), None);
    assert_eq!(prio(x(2, 0, 1)).as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "id2", "prio", "prio2"]);
    assert_eq!(
        mistakes(&mapping, &changed(x(50001, 0, 0))),
        ["rows 4 and 5 of the sheet both count for prio, with 1 and 2; expected conditions of which one holds"]
    );
}

#[test]
fn a_condition_below_its_target_says_which_parts_have_a_say() {
    let mapping = conditional(
        "supplier,PARTNER[00000019].PARTNER_ID,id,refuse,ITEM.ITM_TYPE != FREE,\nurgent,,constant:true,,ITEM.URGENT = X,\n",
    );
    let partner = |item: u32, id: &str| json!({"P_GUID": guid(item), "PARTNER_FCT": "00000019", "PARTNER_ID": id});
    let suppliers = json!([partner(1, "1"), partner(2, "2")]);
    let found = mistakes(&mapping, &changed([("/PARTNER", suppliers.clone())]));
    assert_eq!(found.len(), 1, "{found:?}");
    let one = order(&mapping, &changed([("/PARTNER", suppliers.clone()), ("/ITEM/1/ITM_TYPE", json!("FREE"))]));
    assert_eq!((one["supplier"].as_str(), one.get("urgent")), (Some("1"), None));
    let none = changed([
        ("/ITEM/0/ITM_TYPE", json!("FREE")),
        ("/ITEM/1/ITM_TYPE", json!("FREE")),
        ("/ITEM/1/URGENT", json!("X")),
    ]);
    let none = order(&mapping, &none);
    assert_eq!((none.get("supplier"), &none["urgent"]), (None, &json!(true)));
}

#[test]
fn an_amount_is_compared_without_its_shift() {
    let row = "a,,constant:true,,HEADER.TOTAL_VALUE > 10000,\n";
    let yen = changed([("/HEADER/CURRENCY", json!("JPY")), ("/HEADER/TOTAL_VALUE", json!(240.0))]);
    for (amounts, expected) in [(Amounts::Shifted, true), (Amounts::Unshifted, false)] {
        let mapping = try_sheet(row, amounts).unwrap();
        assert_eq!(order(&mapping, &yen).get("a").is_some(), expected, "{amounts:?}");
    }
    let unknown = changed([("/HEADER/CURRENCY", json!("XYZ"))]);
    let found = mistakes(&try_sheet(row, Amounts::Shifted).unwrap(), &unknown);
    assert!(
        found[0].starts_with("HEADER.CURRENCY is \"XYZ\"; mapping.shifted_amounts needs its decimals"),
        "{found:?}"
    );
}

#[test]
fn a_condition_on_a_limit_brings_no_limit_into_the_order() {
    let mapping = conditional("lines[].n,ITEM.NUMBER_INT,integer,refuse,LIMIT.LIMIT > 0,\n");
    let found = mistakes(&mapping, &changed([("/LIMIT", json!([{"P_GUID": guid(1), "LIMIT": 5}]))]));
    assert!(found[0].starts_with("LIMIT.LIMIT of item 1 (NUMBER_INT 0000000001) is \"5\": a limit item"), "{found:?}");
}

#[test]
fn a_row_that_could_never_count_is_a_defect_of_the_sheet() {
    for (rows, expected) in [
        ("a,HEADER.A,text,omit,,\na,HEADER.B,text,omit,,\n", "line 4: target a: already set by an earlier row"),
        (
            "a,HEADER.A,text,omit,,\na,HEADER.B,text,omit,HEADER.X = 1,\n",
            "line 4: target a: already set by an earlier row (line 3), which counts in any case",
        ),
        (
            "a,HEADER.A,text,omit,HEADER.X = 1,\na,HEADER.B,text,omit,,\na,HEADER.C,text,omit,HEADER.Y = 1,\n",
            "line 5: target a: already set by an earlier row (line 4)",
        ),
        (
            "a,HEADER.A,text,omit,HEADER.X = 1,\na,HEADER.B,text,omit,HEADER.X=1,\n",
            "line 4: target a: the row in line 3 has the same condition",
        ),
        (
            "a,HEADER.A,text,omit,HEADER.X = 1,\na.b,HEADER.B,text,omit,HEADER.X = 2,\n",
            "line 4: target a.b: an earlier row makes",
        ),
    ] {
        let found = defects(rows);
        assert!(found.len() == 1 && found[0].contains(expected), "{rows} {found:?}");
    }
}

#[test]
fn a_refused_cart_names_every_source_with_its_value_and_the_item_with_its_number() {
    let mapping = shipped();
    for (changes, expected) in [
        (
            ("/PARTNER/1/REGION", json!("99")),
            "PARTNER[00000027].COUNTRY is \"DE\" and PARTNER[00000027].REGION is \"99\" (item 1, NUMBER_INT 0000000001): no row in table regions",
        ),
        (
            ("/PARTNER/1/REGION", json!("")),
            "PARTNER[00000027].COUNTRY is \"DE\" and PARTNER[00000027].REGION is missing or initial (item 1, NUMBER_INT 0000000001): no row in table regions",
        ),
        (
            ("/PARTNER/1", json!({})),
            "PARTNER[00000027].COUNTRY and PARTNER[00000027].REGION of item 1 (NUMBER_INT 0000000001) are missing or initial; one of them is mandatory",
        ),
        (("/ITEM/0/UNIT", json!("ZZ")), "ITEM.UNIT of item 1 (NUMBER_INT 0000000001) is \"ZZ\": no row in table units"),
        (
            ("/ITEM/0/QUANTITY", json!(0)),
            "ITEM.QUANTITY of item 1 (NUMBER_INT 0000000001) is missing or initial; it is mandatory",
        ),
        (("/HEADER/ZZ_CUST_CATEGORY", json!("Q")), "HEADER.ZZ_CUST_CATEGORY is \"Q\": no row in table account-types"),
    ] {
        let found = mistakes(&mapping, &changed([changes]));
        assert_eq!(found[0], expected);
    }
    let unnumbered = changed([("/ITEM/0/NUMBER_INT", json!(null)), ("/ITEM/0/UNIT", json!("ZZ"))]);
    assert!(mistakes(&mapping, &unnumbered).iter().any(|text| text.starts_with("ITEM.UNIT of item 1 is \"ZZ\"")));
    let long = "x".repeat(60);
    let three = sheet("a,HEADER.A + HEADER.B + ITEM.C,table:three,omit,\n");
    let cart = changed([("/HEADER/A", json!(long)), ("/HEADER/B", json!(long)), ("/ITEM/0/C", json!(long))]);
    let found = mistakes(&three, &cart);
    assert!(found[0].ends_with("no row in table three"), "{found:?}");
}

#[test]
fn a_cart_that_is_free_of_charge_is_ordered() {
    let mapping = shipped();
    let free = |total: Value| {
        changed([
            ("/HEADER/TOTAL_VALUE", total),
            ("/ITEM/0/PRICE", json!(0)),
            ("/ITEM/0/VALUE", json!(0)),
            ("/ITEM/1/PRICE", json!(null)),
            ("/ITEM/1/VALUE", json!(null)),
        ])
    };
    for total in [json!(0), json!("0.00"), json!(null)] {
        let found = preview(&mapping, &free(total.clone()));
        assert_eq!((found.order.unwrap()["totalAmount"].as_str(), found.messages.len()), (Some("0"), 0), "{total}");
    }
    let contradicting = preview(&mapping, &changed([("/HEADER/TOTAL_VALUE", json!(null))]));
    let texts: Vec<_> = contradicting.messages.iter().map(|message| message.message.as_str()).collect();
    assert_eq!(texts, ["HEADER.TOTAL_VALUE is 0 or missing; the values of the 2 items that are ordered add up to 240"]);
    let unread = judging(sheet("id,ID,text,refuse,\n"), Plausibility::Warn);
    assert_eq!(preview(&unread, &changed([("/HEADER/TOTAL_VALUE", json!(null))])).messages, []);
}

//! Carts as SAP's serializers write them, of any number of items.

use std::fs;

use serde_json::{Value, json};

/// A cart of as many items as SAP's serializers write it, each with a supplier, a ship-to and an account.
pub fn cart_of(items: usize) -> String {
    let sample = fs::read_to_string("tests/carts/01-account-deleted.json").unwrap();
    let sample: Value = serde_json::from_str(&sample).unwrap();
    let rows = |section: &str, first: usize, owner: &str| -> Vec<Value> {
        let of_item = |item: usize| {
            let rows = sample.get(section).and_then(Value::as_array).into_iter().flatten().skip(first);
            rows.cloned().map(move |mut row| {
                let fields = row.as_object_mut().unwrap();
                fields.insert(owner.to_owned(), json!(format!("42010aef4c1d1edca5b1c2d3e4f5{:04x}", 0xa000 + item)));
                if section == "ITEM" {
                    fields.insert("NUMBER_INT".to_owned(), json!(format!("{item:010}")));
                }
                row
            })
        };
        (1..=items).flat_map(of_item).collect()
    };
    let mut header = sample.get("HEADER").cloned().unwrap();
    let total = header.get("TOTAL_VALUE").and_then(Value::as_f64).unwrap() * f64::from(u32::try_from(items).unwrap());
    header.as_object_mut().unwrap().insert("TOTAL_VALUE".to_owned(), json!(total));
    let sections = json!({
        "HEADER": header,
        "ITEM": rows("ITEM", 0, "GUID"),
        "ACCOUNT": rows("ACCOUNT", 1, "P_GUID"),
        "PARTNER": rows("PARTNER", 0, "P_GUID"),
        "ORGDATA": sample.get("ORGDATA"),
    });
    json!({ "CART": sections }).to_string()
}

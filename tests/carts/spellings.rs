//! Any serializer's spelling of one cart gives one order and one fingerprint.

use proptest::prelude::*;
use purchase_order_webhook::cart::Cart;
use serde_json::{Map, Value, json};

use crate::{mapped, shipped};

/// How a sender writes names.
#[derive(Debug, Clone, Copy)]
enum Names {
    Upper,
    Camel,
    Pascal,
    Lower,
}

/// How a sender writes a list of rows.
#[derive(Debug, Clone, Copy)]
enum Lists {
    Plain,
    Collapsed,
    Item,
    Element,
    Results,
}

/// How a sender writes a cart.
#[derive(Debug, Clone, Copy)]
struct Sender {
    names: Names,
    lists: Lists,
    wrappers: usize,
    nests_accounts: bool,
    drops_initial_fields: bool,
    /// Whole numbers as doubles.
    guesses_types: bool,
    /// Decides the order of fields and rows.
    order: u64,
}

fn senders() -> impl Strategy<Value = Sender> {
    let names = prop::sample::select(vec![Names::Upper, Names::Camel, Names::Pascal, Names::Lower]);
    let lists = prop::sample::select(vec![Lists::Plain, Lists::Collapsed, Lists::Item, Lists::Element, Lists::Results]);
    (names, lists, 0..3_usize, any::<[bool; 3]>(), any::<u64>()).prop_map(|(names, lists, wrappers, flags, order)| {
        let [nests_accounts, drops_initial_fields, guesses_types] = flags;
        Sender { names, lists, wrappers, nests_accounts, drops_initial_fields, guesses_types, order }
    })
}

impl Sender {
    fn name(self, name: &str) -> String {
        let words = name.split('_').enumerate().map(|(index, word)| {
            let lower = word.to_lowercase();
            let capital = || lower[..1].to_uppercase() + &lower[1..];
            match self.names {
                Names::Upper => {
                    if index == 0 {
                        word.to_owned()
                    } else {
                        format!("_{word}")
                    }
                }
                Names::Camel => {
                    if index == 0 {
                        lower
                    } else {
                        capital()
                    }
                }
                Names::Pascal => capital(),
                Names::Lower => lower,
            }
        });
        words.collect()
    }

    fn value(self, value: &Value) -> Value {
        match value {
            Value::Number(number) if self.guesses_types && number.is_i64() => {
                json!(f64::from(i32::try_from(number.as_i64().unwrap()).unwrap()))
            }
            value => value.clone(),
        }
    }

    fn is_initial(value: &Value) -> bool {
        matches!(value, Value::Null) || [json!(""), json!(0), json!(0.0), json!("0000-00-00")].contains(value)
    }

    /// Shuffles by the sender's number.
    fn shuffled<T>(self, mut entries: Vec<T>) -> Vec<T> {
        let mut state = self.order | 1;
        for last in (1..entries.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            entries.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
        }
        entries
    }

    fn row(self, row: &Map<String, Value>) -> Value {
        let fields = row.iter().filter(|(_, value)| !(self.drops_initial_fields && Self::is_initial(value)));
        let mut fields: Vec<(String, Value)> =
            fields.map(|(name, value)| (self.name(name), self.value(value))).collect();
        if matches!(self.lists, Lists::Results) {
            fields.push(("__metadata".to_owned(), json!({ "type": "X" })));
        }
        Value::Object(self.shuffled(fields).into_iter().collect())
    }

    fn list(self, rows: Vec<Value>) -> Value {
        let mut rows = rows;
        match self.lists {
            Lists::Collapsed if rows.len() == 1 => rows.remove(0),
            Lists::Item if rows.len() == 1 => json!({ "item": rows.remove(0) }),
            Lists::Plain | Lists::Collapsed => json!(rows),
            Lists::Item => json!({ "item": rows }),
            Lists::Element => json!({ "element": rows }),
            Lists::Results => json!({ "__count": rows.len().to_string(), "results": rows }),
        }
    }

    fn text(self, cart: &Value) -> String {
        let rows = |section: &str| cart[section].as_array().unwrap().iter().map(|row| row.as_object().unwrap());
        let mut items = Vec::new();
        for item in rows("ITEM") {
            let mut written = self.row(item);
            let own: Vec<Value> =
                rows("ACCOUNT").filter(|account| account["P_GUID"] == item["GUID"]).map(|row| self.row(row)).collect();
            if self.nests_accounts && !own.is_empty() {
                written[self.name("ACCOUNT")] = self.list(own);
            }
            items.push(written);
        }
        // The order of the lines is that of the cart: only the rows of the other sections change places.
        let mut sections = vec![
            (self.name("HEADER"), self.row(cart["HEADER"].as_object().unwrap())),
            (self.name("ITEM"), self.list(items)),
        ];
        for section in ["ACCOUNT", "PARTNER", "ORGDATA"] {
            let keeps_order = section == "ACCOUNT";
            let written: Vec<Value> = rows(section).map(|row| self.row(row)).collect();
            let written = if keeps_order { written } else { self.shuffled(written) };
            if !(self.nests_accounts && section == "ACCOUNT") {
                sections.push((self.name(section), self.list(written)));
            }
        }
        let mut cart = Value::Object(self.shuffled(sections).into_iter().collect());
        for _ in 0..self.wrappers {
            cart = json!({ "CART": cart, "VERSION": "1.0" });
        }
        cart.to_string()
    }
}

fn cart(items: usize, accounts: usize) -> Value {
    let guid = |item: usize| format!("42010aef4c1d1edca5b1c2d3e4f5{:04x}", 0xa000 + item);
    let item = |item: usize| {
        json!({ "GUID": guid(item), "NUMBER_INT": format!("{item:010}"), "DESCRIPTION": format!("Line {item}"),
            "ORDERED_PROD": "", "QUANTITY": 12, "UNIT": "ST", "PRICE": 10.5, "PRICE_UNIT": 1, "VALUE": 126,
            "CURRENCY": "EUR", "DELIV_DATE": "2025-04-01", "DEL_IND": "", "OTHER": null, "NOTHING": 0 })
    };
    let account = |item: usize, account: usize| {
        json!({ "P_GUID": guid(item), "ACC_NO": format!("{account:04}"), "DISTR_PERC": 50, "DIST_IND": "",
            "COST_CTR": format!("00000021{account:02}"), "DIST_QUAN": 0.0 })
    };
    let partner = |item: usize, function: &str| {
        json!({ "P_GUID": guid(item), "PARTNER_FCT": function, "PARTNER_ID": "0000400555", "COUNTRY": "DE",
            "REGION": "08" })
    };
    let all = 1..=items;
    json!({
        "HEADER": { "GUID": "42010aef4c1d1edca5b1c2d3e4f50601", "OBJECT_ID": "3000000001", "CURRENCY": "EUR",
            "POSTING_DATE": "2025-03-04", "TOTAL_VALUE": 126, "CO_CODE": "0010", "ZZ_SALES_ORG": "1010",
            "ZZ_CUST_CATEGORY": "A", "EMPTY_DATE": "0000-00-00" },
        "ITEM": all.clone().map(item).collect::<Vec<_>>(),
        "ACCOUNT": all.clone().flat_map(|n| (1..=accounts).map(move |a| account(n, a))).collect::<Vec<_>>(),
        "PARTNER": all.flat_map(|n| ["00000019", "00000027"].map(|function| partner(n, function))).collect::<Vec<_>>(),
        "ORGDATA": [{ "PROC_ORG_ID": "50000777", "PROC_GROUP_ID": "50000888" }],
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_sender_of_one_cart_gets_one_order(sender in senders(), items in 1_usize..4, accounts in 1_usize..3) {
        let mapping = shipped();
        let cart = cart(items, accounts);
        let (plain, written) = (cart.to_string(), sender.text(&cart));
        let found = mapped(&mapping, &written);
        prop_assert_eq!(&found, &mapped(&mapping, &plain), "{}", written);
        prop_assert_eq!(Cart::parse(&written).unwrap().fingerprint(), Cart::parse(&plain).unwrap().fingerprint());
    }
}

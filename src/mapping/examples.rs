//! Examples: each cart `examples/NAME.cart.json` has to become the order `examples/NAME.order.json`.

use serde_json::Value;

use super::compiled::Mapping;
use super::currency::Amounts;
use super::defect::Defect;
use super::folder::Folder;
use crate::cart::{Cart, CartError};
use crate::message::Message;

pub(super) const CART: &str = ".cart.json";
const ORDER: &str = ".order.json";

impl Mapping {
    /// Maps every example of a folder; a defect for each that becomes another order. A name that ends in `.shifted` or
    /// `.unshifted` is mapped with `mapping.shifted_amounts` on or off, whatever is configured.
    pub fn check_examples(&self, folder: &Folder) -> Vec<Defect> {
        let examples = folder.examples();
        let defect = |(file, text): (&&str, &&str)| {
            if let Some(name) = file.strip_suffix(CART) {
                let order = format!("{name}{ORDER}");
                let expected = examples
                    .get(order.as_str())
                    .ok_or_else(|| format!("{order} is missing; expected the order that this cart becomes"));
                return expected
                    .and_then(|expected| compare(self, name, text, &order, expected))
                    .err()
                    .map(|problem| Defect::new(file, problem));
            }
            let orphan =
                file.strip_suffix(ORDER).is_some_and(|name| !examples.contains_key(format!("{name}{CART}").as_str()));
            orphan.then(|| Defect::new(file, "there is no cart of this name beside it"))
        };
        examples.iter().filter_map(defect).collect()
    }
}

/// The form of amounts that an example's name says.
pub(super) fn amounts_of(name: &str) -> Option<Amounts> {
    match name.rsplit_once('.') {
        Some((_, "shifted")) => Some(Amounts::Shifted),
        Some((_, "unshifted")) => Some(Amounts::Unshifted),
        _ => None,
    }
}

fn compare(mapping: &Mapping, name: &str, cart: &str, order_file: &str, expected: &str) -> Result<(), String> {
    let amounts = amounts_of(name).unwrap_or(mapping.amounts);
    let expected: Value =
        serde_json::from_str(expected).map_err(|error| format!("{order_file} is no JSON: {error}"))?;
    let cart = Cart::parse(cart).map_err(|error| match error {
        CartError::Malformed { .. } => error.to_string(),
        CartError::Invalid(mistakes) => joined_texts(&mistakes),
    })?;
    let found = mapping.with_amounts(amounts).map(&cart).map_err(|mistakes| joined_texts(&mistakes))?.order();
    match difference(&found, &expected, "") {
        None => Ok(()),
        Some(difference) => Err(format!("maps to something else than {order_file} says: {difference}")),
    }
}

fn joined_texts(mistakes: &[Message]) -> String {
    mistakes.iter().map(|mistake| mistake.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// The first place where two bodies differ.
fn difference(found: &Value, expected: &Value, path: &str) -> Option<String> {
    match (found, expected) {
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let (left, right) = (left.get(name).unwrap_or(&Value::Null), right.get(name).unwrap_or(&Value::Null));
                difference(left, right, &format!("{path}.{name}"))
            })
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let mut pairs = left.iter().zip(right).enumerate();
            pairs.find_map(|(index, (left, right))| difference(left, right, &format!("{path}[{index}]")))
        }
        _ if found == expected => None,
        _ => Some(format!("{} is {found}, expected {expected}", path.trim_start_matches('.'))),
    }
}

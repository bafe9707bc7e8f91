//! One example mapped and compared with its expectation.

use serde_json::Value;

use super::difference::text;
use super::pair::Example;
use super::refusal;
use crate::cart::{Cart, CartError};
use crate::mapping::compiled::Mapping;
use crate::mapping::defect::Defect;
use crate::mapping::difference::Pairing;
use crate::mapping::example_name::amounts_of;
use crate::message::{Message, Severity};

/// What becomes of an example's cart.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// An order.
    Order(Value),
    /// A refusal with these messages.
    Refused(Vec<Message>),
    /// Nothing: the cart is no JSON.
    Malformed(String),
}

/// Maps an example's cart. A name that ends in `.shifted` or `.unshifted` is mapped with `mapping.shifted_amounts` on or
/// off, whatever is configured.
pub fn outcome(mapping: &Mapping, name: &str, cart: &str) -> Outcome {
    let amounts = amounts_of(name).unwrap_or(mapping.amounts);
    let mapped =
        Cart::parse(cart).and_then(|cart| mapping.with_amounts(amounts).map(&cart).map_err(CartError::Invalid));
    match mapped {
        Ok(mapped) => Outcome::Order(mapped.order()),
        Err(CartError::Invalid(messages)) => Outcome::Refused(messages),
        Err(malformed @ CartError::Malformed { .. }) => Outcome::Malformed(malformed.to_string()),
    }
}

/// What is expected of an example's cart.
enum Expectation {
    /// This order, by its file.
    Order(Value, String),
    /// A refusal with these messages, by their file.
    Refusal(Vec<refusal::ExpectedMessage>, String),
}

/// Everything that is wrong with an example.
pub fn defects(mapping: &Mapping, example: &Example<'_>) -> Vec<Defect> {
    let (cart, expectation) = match read(example) {
        Ok(read) => read,
        Err(defects) => return defects,
    };
    let outcome = outcome(mapping, example.name, cart);
    let problems = match expectation {
        Expectation::Order(expected, file) => unlike_order(outcome, &expected, &file),
        Expectation::Refusal(expected, file) => unlike_refusal(outcome, &expected, &file),
    };
    problems.into_iter().map(|problem| Defect::new(&example.cart_file(), problem)).collect()
}

/// What is wrong with the files of an example, whatever a mapping makes of them.
pub fn file_defects(example: &Example<'_>) -> Vec<Defect> {
    read(example).err().unwrap_or_default()
}

/// The cart of an example, and what is expected of it.
fn read<'f>(example: &Example<'f>) -> Result<(&'f str, Expectation), Vec<Defect>> {
    let (order_file, refusal_file) = (example.order_file(), example.refusal_file());
    let Some(cart) = example.cart else {
        let partners = [(example.order, order_file), (example.refusal, refusal_file)];
        let alone = partners.into_iter().filter(|(text, _)| text.is_some());
        return Err(alone.map(|(_, file)| Defect::new(&file, "there is no cart of this name beside it")).collect());
    };
    let of_cart = |problem: String| vec![Defect::new(&example.cart_file(), problem)];
    if let Err(malformed @ CartError::Malformed { .. }) = Cart::parse(cart) {
        return Err(of_cart(malformed.to_string()));
    }
    match (example.order, example.refusal) {
        (Some(_), Some(_)) => Err(of_cart(format!("has both {order_file} and {refusal_file}; expected one of them"))),
        (None, None) => Err(of_cart(format!(
            "{order_file} is missing; expected the order that this cart becomes, or {refusal_file} with the messages that refuse it"
        ))),
        (Some(order), None) => match serde_json::from_str(order) {
            Ok(order) => Ok((cart, Expectation::Order(order, order_file))),
            Err(error) => Err(vec![Defect::new(&order_file, format!("is no JSON: {error}"))]),
        },
        (None, Some(refusal)) => match refusal::parse(refusal) {
            Ok(expected) => Ok((cart, Expectation::Refusal(expected, refusal_file))),
            Err(problems) => Err(problems.into_iter().map(|problem| Defect::new(&refusal_file, problem)).collect()),
        },
    }
}

/// Why the outcome is not the expected order.
fn unlike_order(outcome: Outcome, expected: &Value, file: &str) -> Vec<String> {
    match outcome {
        Outcome::Order(found) => {
            let differences = Pairing::Position.differences(&found, expected);
            differences.iter().map(|difference| format!("not as in {file}: {}", text(difference))).collect()
        }
        Outcome::Refused(messages) => {
            let mistakes = messages.iter().filter(|message| message.severity == Severity::Error);
            mistakes.map(|mistake| format!("is refused, and {file} expects an order: {}", mistake.message)).collect()
        }
        Outcome::Malformed(problem) => vec![problem],
    }
}

/// Why the outcome is not the expected refusal.
fn unlike_refusal(outcome: Outcome, expected: &[refusal::ExpectedMessage], file: &str) -> Vec<String> {
    match outcome {
        Outcome::Order(_) => {
            let expected: Vec<String> = expected.iter().map(refusal::ExpectedMessage::to_json).collect();
            vec![format!("becomes an order, and {file} expects a refusal with {}", expected.join(", "))]
        }
        Outcome::Refused(found) => {
            let differences = refusal::differences(&found, expected).into_iter();
            differences.map(|difference| format!("not as in {file}: {difference}")).collect()
        }
        Outcome::Malformed(problem) => vec![problem],
    }
}

//! The results of mapping a cart: the order, or a preview.

use serde_json::Value;

use super::compiled::Mapping;
use super::evaluation::{Evaluation, FieldTrace};
use crate::cart::{Cart, CartId};
use crate::message::{Message, Severity};

/// A cart without mistakes.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// The cart's identity.
    pub id: CartId,
    /// The body that 11VMS gets.
    pub order: Value,
    /// What the cart's owner should check.
    pub warnings: Vec<Message>,
}

/// A cart's preview: what would be sent, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The body, unless the cart has mistakes.
    pub order: Option<Value>,
    /// Version of the mapping.
    pub mapping_version: String,
    /// Every target field.
    pub fields: Vec<FieldTrace>,
    /// Every mistake and every warning. Only a mistake leaves the cart without an order.
    pub messages: Vec<Message>,
}

impl Preview {
    /// The number of mistakes; warnings are none.
    pub fn count_mistakes(&self) -> usize {
        self.messages.iter().filter(|message| is_mistake(message)).count()
    }
}

type Trace = Option<Vec<FieldTrace>>;

impl Mapping {
    /// The order that a cart becomes.
    ///
    /// # Errors
    /// Every mistake in the cart.
    pub fn map(&self, cart: &Cart) -> Result<Mapped, Vec<Message>> {
        let (id, order, messages, _) = self.evaluate(cart, None);
        match id {
            Some(id) if !messages.iter().any(is_mistake) => Ok(Mapped { id, order, warnings: messages }),
            _ => Err(messages),
        }
    }

    /// The order that a cart would become, with the origin of every field.
    pub fn preview(&self, cart: &Cart) -> Preview {
        let (_, order, messages, trace) = self.evaluate(cart, Some(Vec::new()));
        Preview {
            order: (!messages.iter().any(is_mistake)).then_some(order),
            mapping_version: self.version().to_owned(),
            fields: trace.unwrap_or_default(),
            messages,
        }
    }

    /// A cart that can't be identified is mapped all the same, so that all mistakes are reported together.
    fn evaluate(&self, cart: &Cart, trace: Trace) -> (Option<CartId>, Value, Vec<Message>, Trace) {
        let (id, mistake) = match cart.identity() {
            Ok(id) => (Some(id), None),
            Err(mistake) => (None, Some(mistake)),
        };
        let mut evaluation = Evaluation::new(self, cart, id.as_ref().map(CartId::as_str), trace);
        let order = evaluation.run();
        let (found, trace) = (evaluation.messages, evaluation.trace);
        (id, order, mistake.into_iter().chain(found).collect(), trace)
    }
}

fn is_mistake(message: &Message) -> bool {
    message.severity == Severity::Error
}

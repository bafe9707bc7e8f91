//! The results of mapping a cart: the order, or a preview.

use serde_json::Value;

use super::compiled::Mapping;
use super::evaluation::{Evaluation, FieldTrace};
use crate::cart::{Cart, CartId, Columns};
use crate::message::Message;

/// A cart without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The cart's identity.
    pub id: CartId,
    /// The body that 11VMS gets, as JSON text.
    pub body: String,
    /// What a person should look at, although the cart becomes an order.
    pub warnings: Vec<Message>,
}

impl Mapped {
    /// The body as a value.
    pub fn order(&self) -> Value {
        value(&self.body)
    }
}

/// A cart's preview: what would be sent, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The body, unless the cart has mistakes.
    pub order: Option<Value>,
    /// Version of the mapping.
    pub mapping_version: String,
    /// Every target field; a faulty one has what is wrong with it.
    pub fields: Vec<FieldTrace>,
    /// Every mistake.
    pub messages: Vec<Message>,
    /// What a person should look at, although the cart becomes an order.
    pub warnings: Vec<Message>,
}

type Trace = Option<Vec<FieldTrace>>;

impl Mapping {
    /// The order that a cart becomes.
    ///
    /// # Errors
    /// Every mistake in the cart.
    pub fn map(&self, cart: &Cart<'_>) -> Result<Mapped, Vec<Message>> {
        let Evaluated { id, body, mistakes, warnings, .. } = self.evaluate(cart, None);
        match id {
            Some(id) if mistakes.is_empty() => Ok(Mapped { id, body, warnings }),
            _ => Err(mistakes),
        }
    }

    /// The order that a cart would become, with the origin of every field.
    pub fn preview(&self, cart: &Cart<'_>) -> Preview {
        let Evaluated { body, mistakes, warnings, trace, .. } = self.evaluate(cart, Some(Vec::new()));
        Preview {
            order: mistakes.is_empty().then(|| value(&body)),
            mapping_version: self.version().to_owned(),
            fields: trace.unwrap_or_default(),
            messages: mistakes,
            warnings,
        }
    }

    /// A cart that can't be identified is mapped all the same, so that all mistakes are reported together.
    fn evaluate(&self, cart: &Cart<'_>, trace: Trace) -> Evaluated {
        let (id, mistake) = match cart.identity(self.system_field.as_ref()) {
            Ok(id) => (Some(id), None),
            Err(mistake) => (None, Some(mistake)),
        };
        let columns = Columns::of(cart, &self.vocabulary);
        let mut evaluation = Evaluation::new(self, &columns, id.as_ref().map(CartId::as_str), trace);
        let body = evaluation.run();
        let Evaluation { messages, warnings, trace, .. } = evaluation;
        Evaluated { id, body, mistakes: mistake.into_iter().chain(messages).collect(), warnings, trace }
    }
}

/// What became of a cart, whether it has mistakes or not.
struct Evaluated {
    id: Option<CartId>,
    body: String,
    mistakes: Vec<Message>,
    warnings: Vec<Message>,
    trace: Trace,
}

/// A body was written as JSON.
fn value(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_default()
}

//! The results of mapping a cart: the order, or a preview.

use serde_json::Value;

use super::compiled::Mapping;
use super::evaluation::{Evaluation, FieldTrace, SkippedEntry};
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
    /// Every entry that the sheet leaves out.
    pub skipped: Vec<SkippedEntry>,
    /// Every mistake and every warning. Only a mistake leaves the cart without an order.
    pub messages: Vec<Message>,
}

impl Preview {
    /// The number of mistakes; warnings are none.
    pub fn count_mistakes(&self) -> usize {
        self.messages.iter().filter(|message| is_mistake(message)).count()
    }
}

/// One cart evaluated: with a trace, a preview.
struct Evaluated {
    id: Option<CartId>,
    order: Value,
    fields: Vec<FieldTrace>,
    skipped: Vec<SkippedEntry>,
    messages: Vec<Message>,
}

/// Whether the origin of each field is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracing {
    Off,
    On,
}

impl Mapping {
    /// The order that a cart becomes.
    ///
    /// # Errors
    /// Every mistake in the cart.
    pub fn map(&self, cart: &Cart) -> Result<Mapped, Vec<Message>> {
        let Evaluated { id, order, messages, .. } = self.evaluate(cart, Tracing::Off);
        match id {
            Some(id) if !messages.iter().any(is_mistake) => Ok(Mapped { id, order, warnings: messages }),
            _ => Err(messages),
        }
    }

    /// The order that a cart would become, with the origin of every field.
    pub fn preview(&self, cart: &Cart) -> Preview {
        let Evaluated { order, fields, skipped, messages, .. } = self.evaluate(cart, Tracing::On);
        Preview {
            order: (!messages.iter().any(is_mistake)).then_some(order),
            mapping_version: self.version().to_owned(),
            fields,
            skipped,
            messages,
        }
    }

    /// A cart that can't be identified is mapped all the same, so that all mistakes are reported together.
    fn evaluate(&self, cart: &Cart, tracing: Tracing) -> Evaluated {
        let (id, mistake) = match cart.identity() {
            Ok(id) => (Some(id), None),
            Err(mistake) => (None, Some(mistake)),
        };
        let trace = (tracing == Tracing::On).then(Vec::new);
        let mut evaluation = Evaluation::new(self, cart, id.as_ref().map(CartId::as_str), trace);
        let order = evaluation.run();
        let skipped = if tracing == Tracing::On { evaluation.skipped() } else { Vec::new() };
        let mut messages: Vec<Message> = mistake.into_iter().chain(evaluation.messages).collect();
        // A caller that shows the first message only shows why the cart was refused.
        messages.sort_by_key(|message| !is_mistake(message));
        Evaluated { order, fields: evaluation.trace.unwrap_or_default(), skipped, messages, id }
    }
}

fn is_mistake(message: &Message) -> bool {
    message.severity == Severity::Error
}

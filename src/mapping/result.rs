//! The results of mapping a cart: the order, or a preview.

use serde_json::Value;

use super::compiled::Mapping;
use super::evaluation::{Evaluation, FieldTrace, SkippedEntry};
use crate::cart::{Cart, CartId, Columns};
use crate::message::{Message, Severity};

/// A cart without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The cart's identity.
    pub id: CartId,
    /// The body that 11VMS gets, as JSON text.
    pub body: String,
    /// What the cart's owner should check.
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
    /// The number of the cart as sent; empty if there is none.
    pub cart_number: String,
    /// Version of the mapping.
    pub mapping_version: String,
    /// Every target field; a faulty one has what is wrong with it.
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
    body: String,
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
    pub fn map(&self, cart: &Cart<'_>) -> Result<Mapped, Vec<Message>> {
        let Evaluated { id, body, messages, .. } = self.evaluate(cart, Tracing::Off);
        match id {
            Some(id) if !messages.iter().any(is_mistake) => Ok(Mapped { id, body, warnings: messages }),
            _ => Err(messages),
        }
    }

    /// The order that a cart would become, with the origin of every field.
    pub fn preview(&self, cart: &Cart<'_>) -> Preview {
        let Evaluated { body, fields, skipped, messages, .. } = self.evaluate(cart, Tracing::On);
        Preview {
            order: (!messages.iter().any(is_mistake)).then(|| value(&body)),
            cart_number: cart.number().replace('\0', ""),
            mapping_version: self.version().to_owned(),
            fields,
            skipped,
            messages,
        }
    }

    /// A cart that can't be identified is mapped all the same, so that all mistakes are reported together.
    fn evaluate(&self, cart: &Cart<'_>, tracing: Tracing) -> Evaluated {
        let (id, mistake) = match cart.identity(self.system_field.as_ref()) {
            Ok(id) => (Some(id), None),
            Err(mistake) => (None, Some(mistake)),
        };
        let columns = Columns::of(cart, &self.vocabulary);
        let trace = (tracing == Tracing::On).then(Vec::new);
        let mut evaluation = Evaluation::new(self, &columns, id.as_ref().map(CartId::as_str), trace);
        let mut body = evaluation.run();
        // It lasts as long as its order is open.
        body.shrink_to_fit();
        let skipped = if tracing == Tracing::On { evaluation.skipped() } else { Vec::new() };
        let Evaluation { messages, trace, .. } = evaluation;
        let mut messages: Vec<Message> = mistake.into_iter().chain(self.notice.clone()).chain(messages).collect();
        // A caller that shows the first message only shows why the cart was refused.
        messages.sort_by_key(|message| !is_mistake(message));
        Evaluated { body, fields: trace.unwrap_or_default(), skipped, messages, id }
    }
}

pub(super) fn is_mistake(message: &Message) -> bool {
    message.severity == Severity::Error
}

/// A body was written as JSON.
fn value(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_default()
}

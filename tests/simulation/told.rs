//! What others have to hear of orders, and what they have heard.

use std::collections::BTreeMap;

use purchase_order_webhook::ledger::outbox::Message;

use crate::world::World;

/// Ids of messages by their subject, in order.
#[derive(Debug, Default)]
pub struct Told {
    expected: BTreeMap<String, Vec<String>>,
    /// Each id where it was heard first.
    heard: BTreeMap<String, Vec<String>>,
}

impl Told {
    pub fn expect(&mut self, message: &Message) {
        let expected = self.expected.entry(message.subject.clone()).or_default();
        if !expected.contains(&message.id) {
            expected.push(message.id.clone());
        }
    }

    fn hear(&mut self, message: &Message) {
        let heard = self.heard.entry(message.subject.clone()).or_default();
        if !heard.contains(&message.id) {
            heard.push(message.id.clone());
        }
    }

    /// What is wrong with what was heard so far: the order alone, or also that something is missing.
    fn violation(&self, is_end: bool) -> Option<String> {
        for (subject, expected) in &self.expected {
            let none = Vec::new();
            let heard = self.heard.get(subject).unwrap_or(&none);
            let heard: Vec<&String> = heard.iter().filter(|id| expected.contains(id)).collect();
            let in_order: Vec<&String> = expected.iter().filter(|id| heard.contains(id)).collect();
            if heard != in_order {
                return Some(format!("{subject}: others heard of it in another order"));
            }
            if is_end && heard.len() < expected.len() {
                return Some(format!("{subject}: others did not hear of it"));
            }
        }
        None
    }
}

impl World {
    pub fn note_told(&mut self, message: &Message) {
        self.invariants.told.hear(message);
        if let Some(violation) = self.invariants.told.violation(false) {
            self.report_violation(violation);
        }
    }

    /// Everything was told, once no fault has occurred for a while. A clock that was wrong may hold a repetition up.
    pub fn check_told(&mut self) {
        let violation = self.invariants.told.violation(self.clocks_agree);
        if let Some(violation) = violation {
            self.report_violation(violation);
        }
    }
}

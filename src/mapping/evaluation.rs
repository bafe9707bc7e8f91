//! One cart evaluated by the compiled sheet: the order's body, every mistake, and the origin of each field.

mod mistake;
mod rule_evaluator;
mod rule_value;
mod trace;

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::compiled::Mapping;
use super::sheet::{Rule, Source};
use super::target::{Member, Object};
use crate::cart::{Cart, JoinedCart, Scope};
use crate::message::Message;
use mistake::disagreement;
use rule_evaluator::RuleEvaluator;
use rule_value::RuleValue;

pub use trace::FieldTrace;

/// The evaluation of the whole sheet for one cart.
pub struct Evaluation<'a> {
    rules: RuleEvaluator<'a>,
    /// Every mistake found so far.
    pub messages: Vec<Message>,
    /// The texts of `messages`.
    reported: HashSet<String>,
    /// Kept only for a preview.
    pub trace: Option<Vec<FieldTrace>>,
}

impl<'a> Evaluation<'a> {
    pub fn new(mapping: &'a Mapping, cart: &'a Cart, cart_id: Option<&'a str>, trace: Option<Vec<FieldTrace>>) -> Self {
        let (cart, messages) = JoinedCart::of(cart, &mapping.sheet.sections);
        let reported = messages.iter().map(|message| message.message.clone()).collect();
        Self { rules: RuleEvaluator { mapping, cart, cart_id }, messages, reported, trace }
    }

    /// Evaluates the whole sheet; the order is complete only if there is no message.
    pub fn run(&mut self) -> Value {
        let mapping = self.rules.mapping;
        Value::Object(self.object(&mapping.sheet.root, Scope::Header, ""))
    }

    fn object(&mut self, object: &Object<Rule>, scope: Scope, path: &str) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, member) in &object.members {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let value = match member {
                Member::Field(rule) => self.field(rule, scope, path),
                Member::Object(inner) => {
                    Some(self.object(inner, scope, &path)).filter(|map| !map.is_empty()).map(Value::Object)
                }
                Member::List(inner) => self.list(inner, scope, &path),
            };
            if let Some(value) = value {
                map.insert(name.clone(), value);
            }
        }
        map
    }

    fn list(&mut self, inner: &Object<Rule>, scope: Scope, path: &str) -> Option<Value> {
        let scopes = self.rules.cart.scopes_below(scope).into_iter().enumerate();
        let entries: Vec<Value> = scopes
            .map(|(index, scope)| self.object(inner, scope, &format!("{path}[{index}]")))
            .filter(|map| !map.is_empty())
            .map(Value::Object)
            .collect();
        (!entries.is_empty()).then_some(Value::Array(entries))
    }

    fn field(&mut self, rule: &Rule, scope: Scope, path: String) -> Option<Value> {
        match self.common_value(rule, scope) {
            Ok(result) => {
                if let Some(trace) = &mut self.trace {
                    trace.push(FieldTrace::of(rule, path, &result));
                }
                result.value
            }
            Err(mistakes) => {
                // Two targets with one source have the same mistake.
                for mistake in mistakes {
                    if self.reported.insert(mistake.message.clone()) {
                        self.messages.push(mistake);
                    }
                }
                None
            }
        }
    }

    /// Evaluates a rule at the depth of its sources; if the target is above them, all of them have to agree.
    fn common_value(&self, rule: &Rule, scope: Scope) -> Result<RuleValue, Vec<Message>> {
        let cart = &self.rules.cart;
        let depth = rule.sources.iter().map(Source::depth).max().unwrap_or(0);
        let mut scopes = vec![scope];
        while scopes.first().is_some_and(|scope| scope.depth() < depth) {
            scopes = scopes.into_iter().flat_map(|scope| cart.scopes_below(scope)).collect();
        }
        let (results, mistakes): (Vec<_>, Vec<_>) = scopes
            .into_iter()
            .map(|scope| self.rules.evaluate(rule, scope).map(|result| (scope, result)))
            .partition(Result::is_ok);
        let mut results: Vec<(Scope, RuleValue)> = results.into_iter().flatten().collect();
        if !mistakes.is_empty() {
            return Err(mistakes.into_iter().filter_map(Result::err).collect());
        }
        if results.iter().any(|(_, other)| Some(&other.value) != results.first().map(|(_, first)| &first.value)) {
            return Err(vec![disagreement(cart, rule, scope, &results)]);
        }
        if results.is_empty() {
            // Nothing below this scope: absent (the join reports a cart without items).
            return if cart.items.is_empty() {
                Ok(RuleValue::without_source(None))
            } else {
                self.rules.evaluate(rule, scope).map_err(|mistake| vec![mistake])
            };
        }
        Ok(results.remove(0).1)
    }
}

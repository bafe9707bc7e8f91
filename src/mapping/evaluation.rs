//! One cart evaluated by the compiled sheet: the order's body, every mistake, and the origin of each field.

mod choices;
mod demand;
mod figures;
mod limits;
mod mistake;
mod names;
mod rule_evaluator;
mod rule_value;
mod shifted;
mod skips;
mod trace;

use std::collections::HashSet;
use std::mem;

use serde_json::{Map, Value};

use super::compiled::Mapping;
use super::conversion::Conversion;
use super::sheet::{LIMIT, Rule, Source};
use super::target::{Member, Object};
use crate::cart::{Cart, JoinedCart, Name, Scope};
use crate::message::Message;
use choices::{Choices, Finding};
use demand::missing_rows;
use limits::refuse_limits;
use mistake::disagreement;
use rule_evaluator::RuleEvaluator;
use rule_value::RuleValue;
use skips::Skips;

pub use skips::SkippedEntry;
pub use trace::FieldTrace;

/// The evaluation of the whole sheet for one cart.
pub struct Evaluation<'a> {
    rules: RuleEvaluator<'a>,
    /// Every mistake found so far.
    pub messages: Vec<Message>,
    /// The texts of `messages`.
    reported: HashSet<String>,
    /// Sections with rows that could not be read or joined: what they lack is no further mistake.
    broken_sections: HashSet<Name>,
    skips: Skips<'a>,
    /// The choices of the entry that is being evaluated.
    choices: Choices<'a>,
    /// Kept only for a preview.
    pub trace: Option<Vec<FieldTrace>>,
}

impl<'a> Evaluation<'a> {
    pub fn new(mapping: &'a Mapping, cart: &'a Cart, cart_id: Option<&'a str>, trace: Option<Vec<FieldTrace>>) -> Self {
        let (cart, mut messages) = JoinedCart::of(cart, &mapping.sheet.sections);
        // LIMIT is read for every sheet, and its mistakes count where the sheet names it.
        messages.retain(|message| mapping.sheet.names_limits || message.parameter != LIMIT);
        let skips = Skips::of(&mapping.sheet.root, &cart);
        messages.extend(skips.nothing_left(&cart));
        let broken_sections = messages.iter().map(|message| Name::of(&message.parameter)).collect();
        let reported = messages.iter().map(|message| message.message.clone()).collect();
        let rules = RuleEvaluator { mapping, cart, cart_id };
        Self { rules, messages, reported, broken_sections, skips, choices: Choices::default(), trace }
    }

    /// What the sheet leaves out of the cart.
    pub fn skipped(&self) -> Vec<SkippedEntry> {
        self.skips.entries(&self.rules.cart)
    }

    /// Evaluates the whole sheet; the order is complete only if there is no message.
    pub fn run(&mut self) -> Value {
        let mapping = self.rules.mapping;
        let order = self.entry(&mapping.sheet.root, Scope::Header, "");
        refuse_limits(&mapping.sheet, &self.rules.cart, &self.skips, &mut self.messages);
        self.messages.extend(figures::findings(mapping, &self.rules.cart, &self.skips));
        Value::Object(order)
    }

    /// The order as a whole, or one entry of a list: of each choice in it, one row is there.
    fn entry(&mut self, object: &'a Object<Rule>, scope: Scope, path: &str) -> Map<String, Value> {
        let outer = mem::take(&mut self.choices);
        let map = self.object(object, scope, path);
        let choices = mem::replace(&mut self.choices, outer);
        self.messages.extend(choices.mistakes(&self.rules.cart, scope));
        map
    }

    fn object(&mut self, object: &'a Object<Rule>, scope: Scope, path: &str) -> Map<String, Value> {
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

    fn list(&mut self, inner: &'a Object<Rule>, scope: Scope, path: &str) -> Option<Value> {
        let mut scopes = self.rules.cart.scopes_below(scope);
        scopes.retain(|scope| !self.skips.leaves_out(inner, *scope));
        let mut entries = Vec::new();
        let mut filled = Vec::new();
        for (index, scope) in scopes.into_iter().enumerate() {
            let mistakes_before = self.messages.len();
            let map = self.entry(inner, scope, &format!("{path}[{index}]"));
            if !map.is_empty() || self.messages.len() > mistakes_before {
                filled.push(scope);
            }
            if !map.is_empty() {
                entries.push(Value::Object(map));
            }
        }
        let missing = missing_rows(inner, &self.rules.cart, scope, &filled);
        // The join reports a cart without items, and rows that it can't read.
        self.messages.extend(
            missing.into_iter().filter(|message| !self.broken_sections.contains(&Name::of(&message.parameter))),
        );
        (!entries.is_empty()).then_some(Value::Array(entries))
    }

    fn field(&mut self, rule: &'a Rule, scope: Scope, path: String) -> Option<Value> {
        match self.common_value(rule, scope) {
            Ok(result) => {
                self.choices.note(rule, if result.value.is_some() { Finding::Value } else { Finding::Nothing });
                if let Some(trace) = &mut self.trace {
                    trace.push(FieldTrace::of(rule, path, &result));
                }
                result.value
            }
            Err(mistakes) => {
                self.choices.note(rule, Finding::Value);
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
        while scopes.first().is_some_and(|scope| scope.depth() < depth) && !self.is_text_of_header(rule, scope) {
            scopes = scopes.into_iter().flat_map(|scope| cart.scopes_below(scope)).collect();
            scopes.retain(|scope| self.skips.counts(*scope));
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
            return if (0..cart.items.len()).all(|item| !self.skips.counts(Scope::Item(item))) {
                Ok(RuleValue::without_source(None))
            } else {
                self.rules.evaluate(rule, scope).map_err(|mistake| vec![mistake])
            };
        }
        Ok(results.remove(0).1)
    }

    /// True for a text of several rows that the header has itself: it is no text of each item.
    fn is_text_of_header(&self, rule: &Rule, scope: Scope) -> bool {
        let is_of_header = |source: &Source| {
            let selection =
                source.selection().filter(|selection| !matches!(selection.section.as_str(), "ITEM" | "ACCOUNT"));
            selection.is_some_and(|selection| {
                self.rules.cart.own_rows(selection, Scope::Header).into_iter().next().is_some()
            })
        };
        rule.conversion == Conversion::Lines && scope == Scope::Header && rule.sources.iter().all(is_of_header)
    }
}

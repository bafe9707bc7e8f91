//! One cart evaluated by the compiled sheet: the order's body, every mistake, and the origin of each field.

mod body;
mod mistake;
mod rule_evaluator;
mod rule_value;
mod trace;

use std::collections::HashSet;

use serde_json::Value;

use super::compiled::Mapping;
use super::sheet::{Rule, Source};
use super::target::{Member, Object};
use crate::cart::{Columns, Findings, JoinedCart, REPLACEMENT, Scope};
use crate::message::{Message, MessageCode};
use body::Body;
use mistake::{disagreement, mistake};
use rule_evaluator::RuleEvaluator;
use rule_value::RuleValue;

pub use trace::FieldTrace;

/// The evaluation of the whole sheet for one cart.
pub struct Evaluation<'a> {
    rules: RuleEvaluator<'a>,
    body: Body,
    /// Every mistake found so far.
    pub messages: Vec<Message>,
    /// What a person should look at although the cart becomes an order.
    pub warnings: Vec<Message>,
    /// The texts of `messages` and `warnings`.
    reported: HashSet<String>,
    /// Kept only for a preview.
    pub trace: Option<Vec<FieldTrace>>,
    /// The path of the member that is evaluated; empty without a trace.
    path: String,
}

impl<'a> Evaluation<'a> {
    pub fn new(
        mapping: &'a Mapping,
        columns: &'a Columns<'a>,
        cart_id: Option<&'a str>,
        trace: Option<Vec<FieldTrace>>,
    ) -> Self {
        let (cart, Findings { mistakes, warnings }) = JoinedCart::of(columns);
        let reported = mistakes.iter().map(|message| message.message.clone()).collect();
        let rules = RuleEvaluator { mapping, cart, cart_id };
        Self { rules, body: Body::default(), messages: mistakes, warnings, reported, trace, path: String::new() }
    }

    /// Evaluates the whole sheet; the order, as JSON text, is complete only if there is no mistake.
    pub fn run(&mut self) -> String {
        let mapping = self.rules.mapping;
        if !self.object(&mapping.sheet.root, Scope::Header) {
            self.body.empty_object();
        }
        self.body.take()
    }

    /// Writes an object; nothing, and false, if it would be empty.
    fn object(&mut self, object: &'a Object<Rule>, scope: Scope) -> bool {
        let start = self.body.begin(b'{');
        for (name, member) in &object.members {
            let path = self.enter(name);
            let before = self.body.begin_member(start, name);
            let is_written = match member {
                Member::Field(rule) => self.field(rule, scope),
                Member::Object(inner) => self.object(inner, scope),
                Member::List(inner) => self.list(inner, scope),
            };
            if !is_written {
                self.body.undo(before);
            }
            self.path.truncate(path);
        }
        self.body.end(start, b'}')
    }

    fn list(&mut self, inner: &'a Object<Rule>, scope: Scope) -> bool {
        let start = self.body.begin(b'[');
        for (index, scope) in self.rules.cart.scopes_below(scope).into_iter().enumerate() {
            let path = self.enter_entry(index);
            let before = self.body.begin_entry(start);
            if !self.object(inner, scope) {
                self.body.undo(before);
            }
            self.path.truncate(path);
        }
        self.body.end(start, b']')
    }

    fn field(&mut self, rule: &'a Rule, scope: Scope) -> bool {
        match self.common_value(rule, scope) {
            Ok(result) => {
                if let Some(trace) = &mut self.trace {
                    trace.push(FieldTrace::of(rule, self.path.clone(), &result));
                }
                let Some(value) = result.value else { return false };
                self.warn_of_lost_characters(rule, scope, &value);
                self.body.value(&value);
                true
            }
            Err(mistakes) => {
                if let Some(trace) = &mut self.trace {
                    trace.push(FieldTrace::of_mistakes(rule, self.path.clone(), &mistakes));
                }
                // Two targets with one source have the same mistake.
                for mistake in mistakes {
                    if self.reported.insert(mistake.message.clone()) {
                        self.messages.push(mistake);
                    }
                }
                false
            }
        }
    }

    /// SAP cuts texts in the middle of a character that has two code units in UTF-16.
    fn warn_of_lost_characters(&mut self, rule: &Rule, scope: Scope, value: &Value) {
        let text = value.as_str().unwrap_or_default();
        if text.is_ascii() || !text.contains(REPLACEMENT) {
            return;
        }
        let problem =
            "has a character that is no text (half of a pair of code units); the order has U+FFFD in its place";
        let warning = mistake(&self.rules.cart, MessageCode::LostCharacter, rule.sources.first(), scope, problem);
        if self.reported.insert(warning.message.clone()) {
            self.warnings.push(warning);
        }
    }

    /// Evaluates a rule at the depth of its sources; if the target is above them, all of them have to agree.
    fn common_value(&self, rule: &'a Rule, scope: Scope) -> Result<RuleValue<'a>, Vec<Message>> {
        let evaluate = |scope| self.rules.evaluate(rule, scope);
        let depth = rule.sources.iter().map(Source::depth).max().unwrap_or(0);
        if scope.depth() >= depth {
            return evaluate(scope).map_err(|mistake| vec![mistake]);
        }
        let cart = &self.rules.cart;
        let mut scopes = vec![scope];
        while scopes.first().is_some_and(|scope| scope.depth() < depth) {
            scopes = scopes.into_iter().flat_map(|scope| cart.scopes_below(scope)).collect();
        }
        let mut results: Vec<(Scope, RuleValue<'a>)> = Vec::with_capacity(scopes.len());
        let mut mistakes = Vec::new();
        for scope in scopes {
            // Most items agree, and what was read once need not be converted again.
            if let Some((_, first)) = results.first()
                && self.rules.is_equal_source(rule, scope, first)
            {
                continue;
            }
            match evaluate(scope) {
                Ok(result) => results.push((scope, result)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        if results.iter().any(|(_, other)| Some(&other.value) != results.first().map(|(_, first)| &first.value)) {
            return Err(vec![disagreement(cart, rule, scope, &results)]);
        }
        match results.into_iter().next() {
            Some((_, result)) => Ok(result),
            // Nothing below this scope: absent (the join reports a cart without items).
            None if cart.items.is_empty() => Ok(RuleValue::without_source(None)),
            None => evaluate(scope).map_err(|mistake| vec![mistake]),
        }
    }

    /// Appends a member to the path, and returns the length to which it is cut afterwards.
    fn enter(&mut self, name: &str) -> usize {
        let before = self.path.len();
        if self.trace.is_some() {
            if before > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
        }
        before
    }

    fn enter_entry(&mut self, index: usize) -> usize {
        let before = self.path.len();
        if self.trace.is_some() {
            self.path.extend(["[", &index.to_string(), "]"]);
        }
        before
    }
}

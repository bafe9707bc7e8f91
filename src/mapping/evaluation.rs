//! One cart evaluated by the compiled sheet: the order's body, every mistake, and the origin of each field.

mod body;
mod choices;
mod condition;
mod conditional;
mod demand;
mod figures;
mod flags;
mod limits;
mod mistake;
mod place;
mod repeated_numbers;
mod rule_evaluator;
mod rule_value;
mod shifted;
mod skips;
mod trace;

use std::collections::HashSet;

use super::compiled::Mapping;
use super::conversion::{Conversion, OrderValue};
use super::sheet::{LIMIT, Limits, Rule, Source};
use super::target::{Member, Object};
use crate::cart::{Columns, Findings, JoinedCart, Name, REPLACEMENT, STANDARD, Scope};
use crate::message::{Message, MessageCode};
use body::Body;
use choices::{Choices, Finding};
use demand::missing_rows;
use flags::flags_for_ids;
use limits::refuse_limits;
use mistake::{disagreement, mistake};
use repeated_numbers::repeated_numbers;
use rule_evaluator::RuleEvaluator;
use rule_value::RuleValue;
use skips::Skips;

pub use skips::SkippedEntry;
pub use trace::FieldTrace;

/// The evaluation of the whole sheet for one cart.
pub struct Evaluation<'a> {
    rules: RuleEvaluator<'a>,
    body: Body,
    /// Every mistake found so far, and every warning.
    pub messages: Vec<Message>,
    /// The texts of `messages`.
    reported: HashSet<String>,
    /// Sections with rows that could not be read or joined: what they lack is no further mistake.
    broken_sections: HashSet<Name>,
    skips: Skips<'a>,
    choices: Choices<'a>,
    /// Kept only for a preview.
    pub trace: Option<Vec<FieldTrace>>,
    /// The path of the member that is evaluated; empty without a trace.
    path: String,
}

impl<'a> Evaluation<'a> {
    /// Joins the rows of a cart, and decides what the sheet leaves out of it.
    pub fn new(
        mapping: &'a Mapping,
        columns: &'a Columns<'a>,
        cart_id: Option<&'a str>,
        trace: Option<Vec<FieldTrace>>,
    ) -> Self {
        let (cart, Findings { mistakes: mut messages, warnings }) = JoinedCart::of(columns);
        // LIMIT is read for every sheet, and its mistakes count where the sheet reads it.
        messages.retain(|message| mapping.sheet.limits != Limits::Unread || message.parameter != LIMIT);
        let rules = RuleEvaluator { mapping, cart, cart_id };
        let (skips, unreadable) = Skips::of(&rules);
        let cart = &rules.cart;
        messages.extend(skips.nothing_left(cart));
        let broken_sections = messages.iter().map(|message| Name::of(&message.parameter)).collect();
        messages.extend(unreadable);
        messages.extend(flags_for_ids(&mapping.sheet.root, cart));
        messages.extend(repeated_numbers(cart, &skips));
        messages.extend(warnings);
        let reported = messages.iter().map(|message| message.message.clone()).collect();
        Self {
            rules,
            body: Body::default(),
            messages,
            reported,
            broken_sections,
            skips,
            choices: Choices::default(),
            trace,
            path: String::new(),
        }
    }

    /// What the sheet leaves out of the cart.
    pub fn skipped(&self) -> Vec<SkippedEntry> {
        self.skips.entries(&self.rules.cart)
    }

    /// Evaluates the whole sheet; the order, as JSON text, is complete only if there is no mistake.
    pub fn run(&mut self) -> String {
        let mapping = self.rules.mapping;
        if !self.entry(&mapping.sheet.root, Scope::Header) {
            self.body.empty_object();
        }
        refuse_limits(mapping, &self.rules.cart, &self.skips, &mut self.messages);
        self.messages.extend(figures::findings(mapping, &self.rules.cart, &self.skips));
        self.body.take()
    }

    /// The order as a whole, or one entry of a list: of each choice in it, one row is there.
    fn entry(&mut self, object: &'a Object<Rule>, scope: Scope) -> bool {
        let start = self.choices.begin();
        let is_written = self.object(object, scope);
        self.choices.end(start, &self.rules.cart, scope, &mut self.messages);
        is_written
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
        let mut scopes = self.rules.cart.scopes_below(scope);
        scopes.retain(|scope| !self.skips.leaves_out(inner, *scope));
        let mut filled = Vec::with_capacity(if inner.entry_rules.is_empty() { 0 } else { scopes.len() });
        for (index, entry) in scopes.into_iter().enumerate() {
            let path = self.enter_entry(index);
            let before = self.body.begin_entry(start);
            let mistakes_before = self.messages.len();
            let is_written = self.entry(inner, entry);
            if !is_written {
                self.body.undo(before);
            }
            if !inner.entry_rules.is_empty() && (is_written || self.messages.len() > mistakes_before) {
                filled.push(entry);
            }
            self.path.truncate(path);
        }
        let missing = missing_rows(inner, &self.rules, scope, &filled);
        // The join reports a cart without items, and rows that it can't read.
        self.messages.extend(
            missing.into_iter().filter(|message| !self.broken_sections.contains(&Name::of(&message.parameter))),
        );
        self.body.end(start, b']')
    }

    fn field(&mut self, rule: &'a Rule, scope: Scope) -> bool {
        if rule.when.is_some() {
            return self.conditional_field(rule, scope);
        }
        let result = self.common_value(rule, scope);
        self.finish_field(rule, scope, result)
    }

    /// Writes the value of a row that counts, or reports its mistakes.
    #[inline]
    fn finish_field(&mut self, rule: &'a Rule, scope: Scope, result: Result<RuleValue<'a>, Vec<Message>>) -> bool {
        match result {
            Ok(result) => {
                self.choices.note(rule, if result.value.is_some() { Finding::Value } else { Finding::Nothing });
                if let Some(trace) = &mut self.trace {
                    trace.push(FieldTrace::of(rule, self.path.clone(), &result));
                }
                let Some(value) = result.value else { return false };
                self.warn_of_lost_characters(rule, scope, &value);
                self.body.value(&value);
                true
            }
            Err(mistakes) => {
                self.choices.note(rule, Finding::Value);
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
    fn warn_of_lost_characters(&mut self, rule: &Rule, scope: Scope, value: &OrderValue<'_>) {
        let text = value.as_text().unwrap_or_default();
        if text.is_ascii() || !text.contains(REPLACEMENT) {
            return;
        }
        let problem =
            "has a character that is no text (half of a pair of code units); the order has U+FFFD in its place";
        let warning = mistake(&self.rules.cart, MessageCode::LostCharacter, rule.sources.first(), scope, problem);
        if self.reported.insert(warning.message.clone()) {
            self.messages.push(warning);
        }
    }

    /// Evaluates a rule at the depth of its sources; if the target is above them, all of them have to agree.
    #[inline]
    fn common_value(&self, rule: &'a Rule, scope: Scope) -> Result<RuleValue<'a>, Vec<Message>> {
        let depth = rule.depth;
        if scope.depth() >= depth {
            return self.rules.evaluate(rule, scope).map_err(|mistake| vec![*mistake]);
        }
        self.value_in(rule, scope, self.scopes_at(scope, depth))
    }

    /// What of a scope counts at a depth: nothing that the sheet leaves out.
    fn scopes_at(&self, scope: Scope, depth: usize) -> Vec<Scope> {
        let mut scopes = vec![scope];
        while scopes.first().is_some_and(|scope| scope.depth() < depth) {
            scopes = match scopes.as_slice() {
                [only] => self.rules.cart.scopes_below(*only),
                several => several.iter().flat_map(|scope| self.rules.cart.scopes_below(*scope)).collect(),
            };
            scopes.retain(|scope| self.skips.counts(*scope));
        }
        scopes
    }

    /// Evaluates a rule in all of the scopes below its target's, which have to agree.
    fn value_in(&self, rule: &'a Rule, scope: Scope, scopes: Vec<Scope>) -> Result<RuleValue<'a>, Vec<Message>> {
        let evaluate = |scope| self.rules.evaluate(rule, scope);
        let cart = &self.rules.cart;
        if scope.depth() >= rule.depth || self.is_text_of_header(rule, scope) {
            return evaluate(scope).map_err(|mistake| vec![*mistake]);
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
                Err(mistake) => mistakes.push(*mistake),
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
            None if (0..cart.items.len()).all(|item| !self.skips.counts(Scope::Item(item))) => {
                Ok(RuleValue::without_source(None))
            }
            None => evaluate(scope).map_err(|mistake| vec![*mistake]),
        }
    }

    /// True for a text of several rows that the header has itself: it is no text of each item.
    fn is_text_of_header(&self, rule: &Rule, scope: Scope) -> bool {
        let is_of_header = |source: &Source| {
            source.selection().is_some_and(|selection| {
                ![&STANDARD.item, &STANDARD.account].contains(&&selection.section)
                    && self.rules.cart.own_rows(selection, Scope::Header).next().is_some()
            })
        };
        rule.conversion == Conversion::Lines && scope == Scope::Header && rule.sources.iter().all(is_of_header)
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

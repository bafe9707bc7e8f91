//! One cart through the compiled sheet: the order's body, every mistake, and where each field came from.

use std::collections::HashSet;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Mapping;
use super::conversion::{Conversion, decimal, plain, times_ten_to};
use super::sheet::{Absent, Rule, Source, is_absent};
use super::table;
use super::target::{Member, Object};
use crate::cart::{Cart, JoinedCart, Name, Scalar, Scope};
use crate::message::{Message, MessageCode, quoted};

/// Standard fields of type CURR (BBP_PDS structures): what `mapping.shifted_amounts` shifts in a plain `decimal` row.
const CURRENCY_FIELDS: [&str; 5] = ["TOTAL_VALUE", "PRICE", "VALUE", "DIST_VALUE", "GROSS_PRICE"];

/// How a target field came to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldTrace {
    /// Path in the order's body, with indexes.
    pub target: String,
    /// Line of the sheet.
    pub row: u64,
    /// The column `source`.
    pub source: String,
    /// The value as it arrived; several parts joined by ` + `.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The column `as`.
    #[serde(rename = "as")]
    pub conversion: String,
    /// What 11VMS gets; left out where the target is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The table that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The key that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What one evaluation of a rule gave: the source's text and the value, `None` where the target is left out.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    raw: Vec<String>,
    value: Option<Value>,
}

/// A cart on its way through the sheet.
pub(super) struct Evaluation<'a> {
    mapping: &'a Mapping,
    /// `None` where the cart can't be identified, which is reported already.
    id: Option<&'a str>,
    cart: JoinedCart<'a>,
    /// Every mistake found so far.
    pub messages: Vec<Message>,
    /// Their texts.
    told: HashSet<String>,
    /// Kept only for a preview.
    pub trace: Option<Vec<FieldTrace>>,
}

impl<'a> Evaluation<'a> {
    pub fn new(mapping: &'a Mapping, cart: &'a Cart, id: Option<&'a str>, trace: Option<Vec<FieldTrace>>) -> Self {
        let (cart, messages) = JoinedCart::of(cart, &mapping.sheet.sections);
        let told = messages.iter().map(|message| message.message.clone()).collect();
        Self { mapping, id, cart, messages, told, trace }
    }

    /// Evaluates the whole sheet; the result is complete only if no message was left.
    pub fn run(&mut self) -> Value {
        let mapping = self.mapping;
        Value::Object(self.object(&mapping.sheet.root, Scope::Header, ""))
    }

    fn object(&mut self, object: &Object<Rule>, scope: Scope, path: &str) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, member) in &object.members {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let value = match member {
                Member::Leaf(rule) => self.leaf(rule, scope, path),
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
        let entries = self.parts(scope).into_iter().enumerate();
        let entries: Vec<Value> = entries
            .map(|(index, part)| self.object(inner, part, &format!("{path}[{index}]")))
            .filter(|map| !map.is_empty())
            .map(Value::Object)
            .collect();
        (!entries.is_empty()).then_some(Value::Array(entries))
    }

    /// The scopes one level down: the items of the header, the accounts of an item.
    fn parts(&self, scope: Scope) -> Vec<Scope> {
        match scope {
            Scope::Header => (0..self.cart.items.len()).map(Scope::Item).collect(),
            Scope::Item(item) => {
                (0..self.cart.accounts(item).len()).map(|account| Scope::Account(item, account)).collect()
            }
            Scope::Account(..) => vec![scope],
        }
    }

    fn leaf(&mut self, rule: &Rule, scope: Scope, path: String) -> Option<Value> {
        match self.agreed(rule, scope) {
            Ok(outcome) => {
                self.keep_trace(rule, path, &outcome);
                outcome.value
            }
            Err(mistakes) => {
                // Two targets that read one field find the same mistake.
                for mistake in mistakes {
                    if self.told.insert(mistake.message.clone()) {
                        self.messages.push(mistake);
                    }
                }
                None
            }
        }
    }

    /// Evaluates a rule where its sources live; a target above them needs all of them to agree.
    fn agreed(&self, rule: &Rule, scope: Scope) -> Result<Outcome, Vec<Message>> {
        let depth = rule.sources.iter().map(Source::depth).max().unwrap_or(0);
        let mut scopes = vec![scope];
        while scopes.first().is_some_and(|scope| level(*scope) < depth) {
            scopes = scopes.into_iter().flat_map(|scope| self.parts(scope)).collect();
        }
        let (outcomes, mistakes): (Vec<_>, Vec<_>) = scopes
            .into_iter()
            .map(|part| self.outcome(rule, part).map(|outcome| (part, outcome)))
            .partition(Result::is_ok);
        let mut outcomes: Vec<(Scope, Outcome)> = outcomes.into_iter().flatten().collect();
        if !mistakes.is_empty() {
            return Err(mistakes.into_iter().filter_map(Result::err).collect());
        }
        if outcomes.iter().any(|(_, other)| Some(&other.value) != outcomes.first().map(|(_, first)| &first.value)) {
            return Err(vec![self.disagreement(rule, scope, &outcomes)]);
        }
        if outcomes.is_empty() {
            // Nothing below this scope: absent (a header without items is reported by the join).
            return if self.cart.items.is_empty() {
                Ok(Outcome { raw: Vec::new(), value: None })
            } else {
                self.outcome(rule, scope).map_err(|m| vec![m])
            };
        }
        Ok(outcomes.remove(0).1)
    }

    /// One rule in one scope: read the sources, convert, look up.
    fn outcome(&self, rule: &Rule, scope: Scope) -> Result<Outcome, Message> {
        if let Conversion::Constant(value) = &rule.conversion {
            return Ok(Outcome { raw: Vec::new(), value: Some(value.as_str().into()) });
        }
        if rule.sources == [Source::Id] && self.id.is_none() {
            return Ok(Outcome { raw: Vec::new(), value: None });
        }
        let raw = rule.sources.iter().map(|source| self.raw(source, scope)).collect::<Result<Vec<_>, _>>()?;
        if is_absent(&raw) {
            return self.absent(rule, scope, raw);
        }
        if let Conversion::Table(name) = &rule.conversion {
            return self.looked_up(rule, name, scope, raw);
        }
        let text = raw.first().map_or("", String::as_str);
        let value = self.converted(rule, scope, text).ok_or_else(|| {
            let expected = rule.conversion.expected();
            self.mistake(
                MessageCode::Unreadable,
                rule.sources.first(),
                scope,
                &format!("is {}; expected {expected}", quoted(text)),
            )
        })?;
        Ok(Outcome { raw, value: Some(value) })
    }

    fn absent(&self, rule: &Rule, scope: Scope, raw: Vec<String>) -> Result<Outcome, Message> {
        match &rule.absent {
            Absent::Omit => Ok(Outcome { raw, value: None }),
            Absent::Use(value) => Ok(Outcome { raw, value: Some(value.clone()) }),
            Absent::Refuse => {
                let initial = raw.iter().position(|part| crate::cart::is_initial(part)).unwrap_or(0);
                Err(self.mistake(
                    MessageCode::Missing,
                    rule.sources.get(initial),
                    scope,
                    "is missing or initial; it is mandatory",
                ))
            }
        }
    }

    /// A part that is initial matches an empty cell; where the table has none, the row's `absent` decides.
    fn looked_up(&self, rule: &Rule, name: &str, scope: Scope, raw: Vec<String>) -> Result<Outcome, Message> {
        let key: Vec<String> =
            raw.iter().map(|part| if crate::cart::is_initial(part) { String::new() } else { part.clone() }).collect();
        if let Some(value) = self.mapping.tables.get(name).and_then(|table| table.get(&key)) {
            return Ok(Outcome { raw, value: Some(value.into()) });
        }
        if key.iter().any(String::is_empty) {
            return self.absent(rule, scope, raw);
        }
        let problem = format!("is {}; tables/{name}.csv has no such key", table::shown(&key));
        Err(self.mistake(MessageCode::UnknownKey, rule.sources.last(), scope, &problem))
    }

    /// The text of a source; empty where it is missing. Several rows have to agree.
    fn raw(&self, source: &Source, scope: Scope) -> Result<String, Message> {
        let Source::Field { selection, field, .. } = source else { return Ok(self.id.unwrap_or_default().to_owned()) };
        let mut values = self.cart.rows(selection, scope).into_iter().map(|row| row.get(field));
        let first = values.next().flatten();
        if let Some(other) = values.find(|other| other.map(Scalar::text) != first.map(Scalar::text)) {
            let shown = [first, other]
                .map(|value| value.map_or("nothing".to_owned(), |value| quoted(value.text())))
                .join(" and ");
            return Err(self.mistake(
                MessageCode::Disagreement,
                Some(source),
                scope,
                &format!("is {shown}; expected one value"),
            ));
        }
        match first {
            Some(Scalar::Nested) => Err(self.mistake(
                MessageCode::Unreadable,
                Some(source),
                scope,
                "is an object or a list; expected a value",
            )),
            Some(value) => Ok(value.text().to_owned()),
            None => Ok(String::new()),
        }
    }

    fn converted(&self, rule: &Rule, scope: Scope, text: &str) -> Option<Value> {
        if self.mapping.shifts_amounts() && is_amount(rule) {
            return Some(plain(self.unshifted(decimal(text)?, scope)?).into());
        }
        rule.conversion.apply(text)
    }

    /// SAP stores CURR amounts as if every currency had two decimals (TCURX): 100 JPY is 1.00.
    fn unshifted(&self, stored: Decimal, scope: Scope) -> Option<Decimal> {
        let row =
            |row: &crate::cart::Row| row.get(&Name::of("CURRENCY")).map(|value| value.text().to_ascii_uppercase());
        let of_item = scope.item().and_then(|item| self.cart.items.get(item)).and_then(|item| row(item.row));
        let currency = of_item.or_else(|| row(self.cart.header())).unwrap_or_default();
        times_ten_to(2 - i32::try_from(self.mapping.currency_decimals(&currency)).ok()?, stored)
    }

    fn mistake(&self, topic: MessageCode, source: Option<&Source>, scope: Scope, problem: &str) -> Message {
        let (section, field) = source.map_or(("HEADER", ""), Source::place);
        let row = scope.item().and_then(|item| self.cart.items.get(item)).map_or(0, |item| item.position);
        let of_item = if row == 0 { String::new() } else { format!(" of item {row}") };
        Message::new(topic, format!("{section}.{field}{of_item} {problem}")).at(section, field, row)
    }

    /// Items, or the account assignments of one item, that name different values for one target.
    fn disagreement(&self, rule: &Rule, target: Scope, outcomes: &[(Scope, Outcome)]) -> Message {
        let mut seen: Vec<&Option<Value>> = Vec::new();
        let mut shown = Vec::new();
        for (scope, outcome) in outcomes {
            if !seen.contains(&&outcome.value) {
                seen.push(&outcome.value);
                let position = scope.item().and_then(|item| self.cart.items.get(item)).map_or(0, |item| item.position);
                let value = if is_absent(&outcome.raw) { "nothing".to_owned() } else { table::shown(&outcome.raw) };
                shown.push(match scope {
                    Scope::Account(_, account) => format!("{value} (account {} of item {position})", account + 1),
                    _ => format!("{value} (item {position})"),
                });
            }
        }
        let problem = format!("has to be the same everywhere; found {}", shown.join(", "));
        self.mistake(MessageCode::Disagreement, rule.sources.last(), target, &problem)
    }

    fn keep_trace(&mut self, rule: &Rule, target: String, outcome: &Outcome) {
        let Some(trace) = &mut self.trace else { return };
        let found = !is_absent(&outcome.raw);
        let (table, key) = match &rule.conversion {
            Conversion::Table(name) if found => (Some(name.clone()), Some(outcome.raw.join(" + "))),
            _ => (None, None),
        };
        trace.push(FieldTrace {
            target,
            row: rule.line,
            source: rule.source.clone(),
            raw: found.then(|| outcome.raw.join(" + ")),
            conversion: rule.conversion.to_string(),
            value: outcome.value.clone(),
            table,
            key,
        });
    }
}

const fn level(scope: Scope) -> usize {
    match scope {
        Scope::Header => 0,
        Scope::Item(_) => 1,
        Scope::Account(..) => 2,
    }
}

fn is_amount(rule: &Rule) -> bool {
    let standard = |source: &Source| CURRENCY_FIELDS.iter().any(|field| Name::of(field) == Name::of(source.place().1));
    match rule.conversion {
        Conversion::Amount => true,
        Conversion::Decimal => rule.sources.first().is_some_and(standard),
        _ => false,
    }
}

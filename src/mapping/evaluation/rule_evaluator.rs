//! The evaluation of one rule in one scope: read the sources, convert, look up.

use rust_decimal::Decimal;
use serde_json::Value;

use super::mistake::mistake;
use super::rule_value::{RuleValue, are_absent};
use crate::cart::{JoinedCart, Name, Row, Scalar, Scope, is_initial};
use crate::mapping::compiled::Mapping;
use crate::mapping::conversion::{Conversion, decimal};
use crate::mapping::currency::{self, Amounts, is_amount};
use crate::mapping::sheet::{Absent, Rule, Source};
use crate::mapping::table::quoted_key;
use crate::message::{Message, MessageCode, quoted};

/// Evaluates rules against one cart.
pub struct RuleEvaluator<'a> {
    pub mapping: &'a Mapping,
    pub cart: JoinedCart<'a>,
    /// `None` where the cart can't be identified, which is reported already.
    pub cart_id: Option<&'a str>,
}

impl RuleEvaluator<'_> {
    /// The value of a rule in a scope.
    ///
    /// # Errors
    /// The first mistake.
    pub fn evaluate(&self, rule: &Rule, scope: Scope) -> Result<RuleValue, Message> {
        if let Conversion::Constant(value) = &rule.conversion {
            return Ok(RuleValue::without_source(Some(value.as_str().into())));
        }
        if rule.sources == [Source::Id] && self.cart_id.is_none() {
            return Ok(RuleValue::without_source(None));
        }
        let texts = rule.sources.iter().map(|source| self.source_text(source, scope)).collect::<Result<Vec<_>, _>>()?;
        if are_absent(&texts) {
            return self.absent(rule, scope, texts);
        }
        if let Conversion::Table(name) = &rule.conversion {
            return self.look_up(rule, name, scope, texts);
        }
        let text = texts.first().map_or("", String::as_str);
        let value = self.convert(rule, scope, text).ok_or_else(|| {
            let problem = format!("is {}; expected {}", quoted(text), rule.conversion.expected());
            self.mistake(MessageCode::Unreadable, rule.sources.first(), scope, &problem)
        })?;
        Ok(RuleValue { source_texts: texts, value: Some(value) })
    }

    /// The text of a source; empty where it is missing. Several rows have to agree.
    fn source_text(&self, source: &Source, scope: Scope) -> Result<String, Message> {
        let Source::Field { selection, field, .. } = source else {
            return Ok(self.cart_id.unwrap_or_default().to_owned());
        };
        let mut values = self.cart.rows(selection, scope).into_iter().map(|row| row.get(field));
        let first = values.next().flatten();
        if let Some(other) = values.find(|other| other.map(Scalar::text) != first.map(Scalar::text)) {
            let texts = [first, other].map(|value| value.map_or("nothing".to_owned(), |value| quoted(value.text())));
            let problem = format!("is {}; expected one value", texts.join(" and "));
            return Err(self.mistake(MessageCode::Disagreement, Some(source), scope, &problem));
        }
        match first {
            Some(Scalar::Nested) => {
                let problem = "is an object or a list; expected a value";
                Err(self.mistake(MessageCode::Unreadable, Some(source), scope, problem))
            }
            Some(value) => Ok(value.text().to_owned()),
            None => Ok(String::new()),
        }
    }

    /// The column `absent` decides.
    fn absent(&self, rule: &Rule, scope: Scope, source_texts: Vec<String>) -> Result<RuleValue, Message> {
        match &rule.absent {
            Absent::Omit | Absent::OneOf(_) => Ok(RuleValue { source_texts, value: None }),
            Absent::Use(value) => Ok(RuleValue { source_texts, value: Some(value.clone()) }),
            Absent::Refuse => {
                let initial = source_texts.iter().position(|text| is_initial(text)).unwrap_or(0);
                let problem = "is missing or initial; it is mandatory";
                Err(self.mistake(MessageCode::Missing, rule.sources.get(initial), scope, problem))
            }
        }
    }

    /// A part of the key that is initial matches an empty cell; where the table has none, the column `absent` decides.
    fn look_up(&self, rule: &Rule, table: &str, scope: Scope, texts: Vec<String>) -> Result<RuleValue, Message> {
        let key: Vec<String> =
            texts.iter().map(|text| if is_initial(text) { String::new() } else { text.clone() }).collect();
        if let Some(value) = self.mapping.tables.get(table).and_then(|table| table.get(&key)) {
            return Ok(RuleValue { source_texts: texts, value: Some(value.into()) });
        }
        if key.iter().any(String::is_empty) {
            return self.absent(rule, scope, texts);
        }
        let problem = format!("is {}; tables/{table}.csv has no such key", quoted_key(&key));
        Err(self.mistake(MessageCode::UnknownKey, rule.sources.last(), scope, &problem))
    }

    fn convert(&self, rule: &Rule, scope: Scope, text: &str) -> Option<Value> {
        if self.mapping.amounts == Amounts::Shifted && is_amount(rule) {
            return Some(decimal::to_text(self.unshifted(decimal::parse(text)?, scope)?).into());
        }
        rule.conversion.apply(text)
    }

    /// An amount by the currency of its item, or else of the header.
    fn unshifted(&self, stored: Decimal, scope: Scope) -> Option<Decimal> {
        let currency = |row: &Row| row.get(&Name::of("CURRENCY")).map(|value| value.text().to_ascii_uppercase());
        let item = scope.item().and_then(|item| self.cart.items.get(item));
        let currency = item.and_then(|item| currency(item.row)).or_else(|| currency(self.cart.header()));
        currency::unshifted(stored, &currency.unwrap_or_default(), &self.mapping.tables)
    }

    fn mistake(&self, code: MessageCode, source: Option<&Source>, scope: Scope, problem: &str) -> Message {
        mistake(&self.cart, code, source, scope, problem)
    }
}

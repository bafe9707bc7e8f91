//! The evaluation of one rule in one scope: read the sources, convert, look up.

use super::mistake::mistake;
use super::rule_value::RuleValue;
use super::shifted;
use crate::cart::{JoinedCart, Scalar, Scope};
use crate::mapping::compiled::Mapping;
use crate::mapping::conversion::{Conversion, decimal};
use crate::mapping::currency::{Amounts, is_amount};
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
        let text = |source| match rule.conversion {
            Conversion::Lines => self.lines(source, scope),
            _ => self.source_text(rule, source, scope),
        };
        let texts = rule.sources.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        if texts.iter().all(|text| rule.conversion.is_initial(text)) {
            return self.absent(rule, scope, texts);
        }
        if let Conversion::Table(name) = &rule.conversion {
            return self.look_up(rule, name, scope, texts);
        }
        let text = texts.first().map_or("", String::as_str);
        if self.mapping.amounts == Amounts::Shifted && is_amount(rule) {
            let value = shifted::amount(&self.cart, &self.mapping.tables, rule, scope, text)?;
            return Ok(RuleValue { source_texts: texts, value: Some(value) });
        }
        let value = rule.conversion.apply(text).ok_or_else(|| {
            let problem = format!("is {}; expected {}", quoted(text), rule.conversion.expected());
            self.mistake(MessageCode::Unreadable, rule.sources.first(), scope, &problem)
        })?;
        Ok(RuleValue { source_texts: texts, value: Some(value) })
    }

    /// The text of a source; empty where it is missing. Several rows have to agree.
    fn source_text(&self, rule: &Rule, source: &Source, scope: Scope) -> Result<String, Message> {
        let Source::Field { selection, field, .. } = source else {
            return Ok(self.id_text());
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
            Some(Scalar::Number(number)) if rule.conversion.reads_digits() => match decimal::whole_number(number) {
                None if rule.conversion.refuses_fractions() => {
                    let problem = format!("is {number}; expected {}", rule.conversion.expected());
                    Err(self.mistake(MessageCode::Unreadable, Some(source), scope, &problem))
                }
                digits => Ok(digits.unwrap_or_else(|| number.clone())),
            },
            Some(value) => Ok(value.text().to_owned()),
            None => Ok(String::new()),
        }
    }

    /// The texts of all rows, one a line, blank lines between them included. The header has its own rows, an item those that
    /// it has or inherits.
    fn lines(&self, source: &Source, scope: Scope) -> Result<String, Message> {
        let Source::Field { selection, field, .. } = source else { return Ok(self.id_text()) };
        let rows = match scope {
            Scope::Header => self.cart.own_rows(selection, scope),
            _ => self.cart.rows(selection, scope),
        };
        let mut lines = Vec::new();
        for row in rows {
            match row.get(field) {
                Some(Scalar::Nested) => {
                    let problem = "is an object or a list; expected a value";
                    return Err(self.mistake(MessageCode::Unreadable, Some(source), scope, problem));
                }
                value => lines.push(value.map_or("", Scalar::text)),
            }
        }
        Ok(lines.join("\n").trim().to_owned())
    }

    fn id_text(&self) -> String {
        self.cart_id.unwrap_or_default().to_owned()
    }

    /// The column `absent` decides.
    fn absent(&self, rule: &Rule, scope: Scope, source_texts: Vec<String>) -> Result<RuleValue, Message> {
        match &rule.absent {
            Absent::Omit | Absent::OneOf(_) => Ok(RuleValue { source_texts, value: None }),
            Absent::Use(value) => Ok(RuleValue { source_texts, value: Some(value.clone()) }),
            Absent::Refuse => {
                let initial = source_texts.iter().position(|text| rule.conversion.is_initial(text)).unwrap_or(0);
                let problem = "is missing or initial; it is mandatory";
                Err(self.mistake(MessageCode::Missing, rule.sources.get(initial), scope, problem))
            }
        }
    }

    /// A part of the key that is blank matches an empty cell; where the table has none, the column `absent` decides.
    fn look_up(&self, rule: &Rule, table: &str, scope: Scope, texts: Vec<String>) -> Result<RuleValue, Message> {
        if let Some(value) = self.mapping.tables.get(table).and_then(|table| table.get(&texts)) {
            return Ok(RuleValue { source_texts: texts, value: Some(value.into()) });
        }
        if texts.iter().any(String::is_empty) {
            return self.absent(rule, scope, texts);
        }
        let problem = format!("is {}; tables/{table}.csv has no such key", quoted_key(&texts));
        Err(self.mistake(MessageCode::UnknownKey, rule.sources.last(), scope, &problem))
    }

    fn mistake(&self, code: MessageCode, source: Option<&Source>, scope: Scope, problem: &str) -> Message {
        mistake(&self.cart, code, source, scope, problem)
    }
}

//! The evaluation of one rule in one scope: read the sources, convert, look up.

use std::borrow::Cow;

use super::mistake::{mistake, nothing_there, unknown_key};
use super::rule_value::{RuleValue, SourceTexts};
use super::shifted;
use crate::cart::{JoinedCart, Row, Scalar, Scope};
use crate::mapping::compiled::Mapping;
use crate::mapping::conversion::{Conversion, OrderValue};
use crate::mapping::currency::{Amounts, is_amount};
use crate::mapping::sheet::{Absent, Rule, Source};
use crate::message::{Message, MessageCode, quoted};

/// What was evaluated, or the first mistake: apart, because it is rare, and larger than any value.
pub type Evaluated<T> = Result<T, Box<Message>>;

/// Evaluates rules against one cart.
pub struct RuleEvaluator<'a> {
    pub mapping: &'a Mapping,
    pub cart: JoinedCart<'a>,
    /// `None` where the cart can't be identified, which is reported already.
    pub cart_id: Option<&'a str>,
}

impl<'a> RuleEvaluator<'a> {
    /// The value of a rule in a scope.
    ///
    /// # Errors
    /// The first mistake.
    pub fn evaluate(&self, rule: &'a Rule, scope: Scope) -> Evaluated<RuleValue<'a>> {
        if let Conversion::Constant(value) = &rule.conversion {
            return Ok(RuleValue::without_source(Some(value.value())));
        }
        if self.cart_id.is_none() && rule.sources == [Source::Id] {
            return Ok(RuleValue::without_source(None));
        }
        let texts = self.source_texts(rule, scope)?;
        if texts.are_absent() {
            return self.absent(rule, scope, texts);
        }
        if let Conversion::Table(name) = &rule.conversion {
            return self.look_up(rule, name, scope, texts);
        }
        if let Conversion::Join(separator) = &rule.conversion {
            let value = texts.joined(separator);
            return Ok(RuleValue { source_texts: texts, value: Some(value.into()) });
        }
        let text = texts.first();
        if self.mapping.amounts == Amounts::Shifted && is_amount(rule) {
            let value = shifted::amount(&self.cart, &self.mapping.tables, rule, scope, text)?;
            return Ok(RuleValue { source_texts: texts, value: Some(value) });
        }
        let converted = match texts.as_slice().first() {
            Some(Cow::Borrowed(text)) => rule.conversion.apply(text),
            _ => rule.conversion.apply(text).map(OrderValue::into_owned),
        };
        let value = converted.ok_or_else(|| {
            let problem = format!("is {}; expected {}", quoted(text), rule.conversion.expected());
            self.mistake(MessageCode::Unreadable, rule.sources.first(), scope, &problem)
        })?;
        Ok(RuleValue { source_texts: texts, value: Some(value) })
    }

    /// Whether a rule reads in a scope what it has read for an earlier result. Amounts depend on their currency too.
    pub fn is_equal_source(&self, rule: &Rule, scope: Scope, earlier: &RuleValue<'_>) -> bool {
        !(self.mapping.amounts == Amounts::Shifted && is_amount(rule))
            && self.source_texts(rule, scope).is_ok_and(|texts| texts == earlier.source_texts)
    }

    #[inline]
    fn source_texts(&self, rule: &Rule, scope: Scope) -> Evaluated<SourceTexts<'a>> {
        match rule.sources.as_slice() {
            [] => Ok(SourceTexts::None),
            [only] => self.source_text(rule, only, scope).map(SourceTexts::One),
            several => {
                let texts = several.iter().map(|source| self.source_text(rule, source, scope));
                texts.collect::<Result<_, _>>().map(SourceTexts::Several)
            }
        }
    }

    /// The text of a source; empty where it is missing or initial. Several rows have to agree.
    #[inline]
    fn source_text(&self, rule: &Rule, source: &Source, scope: Scope) -> Evaluated<Cow<'a, str>> {
        let Source::Field { selection, field, .. } = source else {
            return Ok(Cow::Borrowed(self.cart_id.unwrap_or_default()));
        };
        if matches!(rule.conversion, Conversion::Lines) {
            return self.lines(rule, source, scope);
        }
        let value = |row: Row<'a>| row.get(field).filter(|value| !is_initial(&rule.conversion, value));
        let mut values = self.cart.rows(selection, scope).map(value);
        let first = values.next().flatten();
        if let Some(other) = values.find(|other| !are_equal(first.as_ref(), other.as_ref())) {
            let texts = [first, other].map(|value| value.map_or("nothing".to_owned(), |value| quoted(value.text())));
            let problem = format!("is {}; expected one value", texts.join(" and "));
            return Err(self.mistake(MessageCode::Disagreement, Some(source), scope, &problem));
        }
        match first {
            None => Ok(Cow::Borrowed("")),
            Some(value) => self.readable(rule, source, scope, value),
        }
    }

    #[inline]
    fn readable(&self, rule: &Rule, source: &Source, scope: Scope, value: Scalar<'a>) -> Evaluated<Cow<'a, str>> {
        readable_text(&rule.conversion, value)
            .map_err(|problem| self.mistake(MessageCode::Unreadable, Some(source), scope, &problem))
    }

    /// The texts of all rows, one a line, blank lines between them included. The header has its own rows, an item those
    /// that it has or inherits.
    fn lines(&self, rule: &Rule, source: &Source, scope: Scope) -> Evaluated<Cow<'a, str>> {
        let (Some(selection), Some(field)) = (source.selection(), source.field()) else { return Ok(Cow::Borrowed("")) };
        let line = |row: Row<'a>| match row.get(field) {
            None => Ok(Cow::Borrowed("")),
            Some(value) => self.readable(rule, source, scope, value),
        };
        let lines: Vec<Cow<'a, str>> = match scope {
            Scope::Header => self.cart.own_rows(selection, scope).map(line).collect::<Result<_, _>>()?,
            _ => self.cart.rows(selection, scope).map(line).collect::<Result<_, _>>()?,
        };
        Ok(Cow::Owned(lines.join("\n").trim().to_owned()))
    }

    /// The column `absent` decides.
    fn absent(&self, rule: &'a Rule, scope: Scope, source_texts: SourceTexts<'a>) -> Evaluated<RuleValue<'a>> {
        match &rule.absent {
            Absent::Omit | Absent::OneOf(_) => Ok(RuleValue { source_texts, value: None }),
            Absent::Use(value) => Ok(RuleValue { source_texts, value: Some(value.borrowed()) }),
            Absent::Refuse => Err(Box::new(nothing_there(&self.cart, rule, scope))),
        }
    }

    /// A part of the key that is blank matches an empty cell; where the table has none, the column `absent` decides.
    fn look_up(&self, rule: &'a Rule, table: &str, scope: Scope, texts: SourceTexts<'a>) -> Evaluated<RuleValue<'a>> {
        let key = texts.as_slice();
        if let Some(value) = self.mapping.tables.get(table).and_then(|table| table.get(key)) {
            return Ok(RuleValue { source_texts: texts, value: Some(value.into()) });
        }
        if rule.absent != Absent::Refuse && key.iter().any(|part| part.is_empty()) {
            return self.absent(rule, scope, texts);
        }
        let twin = self.mapping.tables.get(table).and_then(|table| table.zero_twin(key));
        Err(Box::new(unknown_key(&self.cart, rule, table, scope, (key, twin))))
    }

    pub(super) fn mistake(
        &self,
        code: MessageCode,
        source: Option<&Source>,
        scope: Scope,
        problem: &str,
    ) -> Box<Message> {
        Box::new(mistake(&self.cart, code, source, scope, problem))
    }
}

/// Whether a value is initial for its conversion. Zero is one number, however it is written.
fn is_initial(conversion: &Conversion, value: &Scalar<'_>) -> bool {
    match (conversion, value) {
        (Conversion::Id, Scalar::Number(_)) => conversion.is_initial(&value.clone().into_plain_text()),
        _ => conversion.is_initial(value.text()),
    }
}

/// Whether two rows have one value: as sent, or as what is read of it.
pub fn are_equal(left: Option<&Scalar<'_>>, right: Option<&Scalar<'_>>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => {
            left.text() == right.text() || left.clone().into_plain_text() == right.clone().into_plain_text()
        }
        (left, right) => left.is_none() && right.is_none(),
    }
}

/// The text that a conversion reads of a value: amounts and quantities digit for digit, everything else with whole
/// numbers as their digits.
///
/// # Errors
/// What is wrong with the value, in words that follow the field's name.
#[inline]
pub fn readable_text<'c>(conversion: &Conversion, value: Scalar<'c>) -> Result<Cow<'c, str>, String> {
    let text = match (conversion, value) {
        (_, Scalar::Nested) => return Err("is an object or a list; expected a value".to_owned()),
        (_, Scalar::Ambiguous(names)) => {
            return Err(format!("is sent as {names}; expected one of them, or the spelling of the sheet"));
        }
        (conversion, Scalar::Flag) if !conversion.takes_flags() => {
            return Err(format!("is true; expected {}, and no boolean", conversion.expected()));
        }
        (_, value) if conversion.refuses_fractions() && value.is_fraction() => {
            return Err(format!("is {}; expected {}", value.text(), conversion.expected()));
        }
        (Conversion::Decimal | Conversion::Amount, Scalar::Number(number)) => number,
        (_, value) => value.into_plain_text(),
    };
    // Only an escape can write it: a text that is borrowed stands in the body as it is.
    if matches!(text, Cow::Owned(_)) && text.contains('\0') {
        return Err("has the character U+0000, which no text of SAP has; expected a text without it".to_owned());
    }
    Ok(text)
}
